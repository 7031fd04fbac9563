// Forward and backward pass of a llama model over one pack, written out operation by operation. See replica.h.
#include "replica.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace labdesk {

namespace {

constexpr int headChunk = 256;  // rows of logits held at once

// Hands out consecutive 64-byte aligned pieces of one allocation; with a null base it only measures.
struct Carver {
  float *base;
  size_t used = 0;
  float *take(size_t count) {
    float *at = base ? base + used : nullptr;
    used += (count + 15) / 16 * 16;
    return at;
  }
};

}  // namespace

Replica::Replica(const Model &model, const Kernels &kernels, int maxTokens, bool recompute)
    : model_(model), kernels_(kernels), recompute_(recompute || model.mode() == Mode::frozen) {
  memory_ = Buffer<float>(plannedBytes(model, maxTokens, recompute_) / sizeof(float) - model.values().count());
  grads_ = Buffer<float>(model.values().count());
  placeBuffers(maxTokens, recompute_);

  const ModelShape &s = model.shape();
  ropeTable_.resize(static_cast<size_t>(maxTokens) * s.rotated);
  for (int p = 0; p < maxTokens; p++)
    for (int i = 0; i < s.rotated; i += 2) {
      double angle = p * std::pow(static_cast<double>(s.ropeBase), -static_cast<double>(i) / s.rotated);
      if (!model.ropeFactors().empty()) angle /= model.ropeFactors()[static_cast<size_t>(i / 2)];
      ropeTable_[static_cast<size_t>(p) * s.rotated + i] = static_cast<float>(std::cos(angle));
      ropeTable_[static_cast<size_t>(p) * s.rotated + i + 1] = static_cast<float>(std::sin(angle));
    }
}

namespace {

struct LayerSizes {
  size_t qkv, out, gateUp, down;  // adapter widths
};

LayerSizes adapterSizes(const Model &model) {
  const Layer &l = model.layers().front();
  return {static_cast<size_t>(l.qkv.adapterWidth()), static_cast<size_t>(l.attentionOut.adapterWidth()),
          static_cast<size_t>(l.gateUp.adapterWidth()), static_cast<size_t>(l.down.adapterWidth())};
}

// Floats of one layer's saved activations apart from its input.
size_t layerFloats(const Model &model, size_t tokens) {
  const ModelShape &s = model.shape();
  const LayerSizes a = adapterSizes(model);
  Carver carver{nullptr};
  for (const size_t width :
       {static_cast<size_t>(s.qkvWidth()), static_cast<size_t>(s.queryWidth()), static_cast<size_t>(s.headCount),
        static_cast<size_t>(s.width), static_cast<size_t>(2 * s.ffnWidth), a.qkv, a.out, a.gateUp, a.down})
    carver.take(tokens * width);
  return carver.used;
}

size_t sharedFloats(const Model &model, size_t tokens) {
  const ModelShape &s = model.shape();
  const LayerSizes a = adapterSizes(model);
  Carver carver{nullptr};
  for (int i = 0; i < 7; i++) carver.take(tokens * s.width);
  for (int i = 0; i < 4; i++) carver.take(tokens * s.ffnWidth);
  carver.take(tokens * s.queryWidth());
  carver.take(tokens * s.qkvWidth());
  carver.take(tokens * std::max({a.qkv, a.out, a.gateUp, a.down}));
  carver.take(static_cast<size_t>(headChunk) * s.vocabSize);
  return carver.used + 64;
}

}  // namespace

size_t Replica::plannedBytes(const Model &model, int maxTokens, bool recompute) {
  const auto tokens = static_cast<size_t>(maxTokens), layers = model.layers().size();
  const bool isShared = recompute || model.mode() == Mode::frozen;
  const size_t inputs = (model.mode() == Mode::frozen ? 1 : layers) * ((tokens * model.shape().width + 15) / 16 * 16);
  return (inputs + layerFloats(model, tokens) * (isShared ? 1 : layers) + sharedFloats(model, tokens) +
          model.values().count()) *
         sizeof(float);
}

size_t Replica::sizeBytes() const { return memory_.sizeBytes() + grads_.sizeBytes(); }

void Replica::placeBuffers(int maxTokens, bool recompute) {
  const ModelShape &s = model_.shape();
  const LayerSizes adapters = adapterSizes(model_);
  const auto tokens = static_cast<size_t>(maxTokens);
  Carver carver{memory_.get()};
  layers_.resize(model_.layers().size());
  for (size_t i = 0; i < layers_.size(); i++) {
    Activations &a = layers_[i];
    if (i > 0 && recompute) a = layers_[0];
    if (i > 0 && model_.mode() == Mode::frozen) continue;
    a.input = carver.take(tokens * s.width);
    if (i > 0 && recompute) continue;
    a.qkv = carver.take(tokens * s.qkvWidth());
    a.attention = carver.take(tokens * s.queryWidth());
    a.logSumExp = carver.take(tokens * s.headCount);
    a.middle = carver.take(tokens * s.width);
    a.gateUp = carver.take(tokens * 2 * s.ffnWidth);
    a.adaptQkv = carver.take(tokens * adapters.qkv);
    a.adaptOut = carver.take(tokens * adapters.out);
    a.adaptGateUp = carver.take(tokens * adapters.gateUp);
    a.adaptDown = carver.take(tokens * adapters.down);
  }
  for (float **piece : {&stream_, &normed_, &normedGrad_, &streamGrad_, &chosen_, &chosenNormed_, &chosenGrad_})
    *piece = carver.take(tokens * s.width);
  act_ = carver.take(tokens * s.ffnWidth);
  actGrad_ = carver.take(tokens * s.ffnWidth);
  gateUpGrad_ = carver.take(tokens * 2 * s.ffnWidth);
  attentionGrad_ = carver.take(tokens * s.queryWidth());
  qkvGrad_ = carver.take(tokens * s.qkvWidth());
  adaptGrad_ = carver.take(tokens * std::max({adapters.qkv, adapters.out, adapters.gateUp, adapters.down}));
  logits_ = carver.take(static_cast<size_t>(headChunk) * s.vocabSize);
}

namespace {

void setWeight(GemmArgs &g, const Weight &w, bool isTransposed) {
  g.b = w.rows;
  g.bRowStride = isTransposed ? 1 : w.in;
  g.bColumnStride = isTransposed ? w.in : 1;
  g.toFloat = w.toFloat;
  g.blocksAlongK = isTransposed;
  g.blockRowBytes = w.rowBytes;
  g.blockSize = w.blockSize;
  g.blockBytes = w.blockBytes;
}

}  // namespace

void Replica::apply(const Linear &linear, const float *x, long tokens, float *y, bool accumulate,
                    float *adapted) const {
  const Weight &w = linear.weight;
  GemmArgs g;
  g.M = tokens;
  g.N = w.out;
  g.K = w.in;
  g.a = x;
  g.aRowStride = w.in;
  setWeight(g, w, true);
  g.c = y;
  g.cRowStride = w.out;
  g.accumulate = accumulate;
  kernels_.gemm(g);
  if (linear.adapters.empty()) return;

  applyDown(linear, x, tokens, adapted);
  const float *values = model_.values().get();
  const long width = linear.adapterWidth();
  for (size_t i = 0; i < linear.adapters.size(); i++) {
    const Adapter &adapter = linear.adapters[i];
    GemmArgs up;  // y[T][rows] += scale * adapted B^T
    up.M = tokens;
    up.N = adapter.rows;
    up.K = linear.rank;
    up.a = adapted + static_cast<long>(i) * linear.rank;
    up.aRowStride = width;
    up.b = values + adapter.b;
    up.bRowStride = 1;
    up.bColumnStride = linear.rank;
    up.c = y + adapter.firstRow;
    up.cRowStride = w.out;
    up.alpha = linear.scale;
    up.accumulate = true;
    kernels_.gemm(up);
  }
}

void Replica::applyDown(const Linear &linear, const float *x, long tokens, float *adapted) const {
  if (linear.adapters.empty()) return;
  GemmArgs g;  // adapted[T][width] = x A^T
  g.M = tokens;
  g.N = linear.adapterWidth();
  g.K = linear.weight.in;
  g.a = x;
  g.aRowStride = linear.weight.in;
  g.b = model_.values().get() + linear.adapters[0].a;
  g.bRowStride = 1;
  g.bColumnStride = linear.weight.in;
  g.c = adapted;
  g.cRowStride = linear.adapterWidth();
  kernels_.gemm(g);
}

void Replica::gradAdapters(const Linear &linear, const float *dy, long tokens) {
  for (size_t i = 0; i < linear.adapters.size(); i++) {
    const Adapter &adapter = linear.adapters[i];
    GemmArgs g;  // adaptGrad[T][rank] = scale * dy B
    g.M = tokens;
    g.N = linear.rank;
    g.K = adapter.rows;
    g.a = dy + adapter.firstRow;
    g.aRowStride = linear.weight.out;
    g.b = model_.values().get() + adapter.b;
    g.bRowStride = linear.rank;
    g.c = adaptGrad_ + static_cast<long>(i) * linear.rank;
    g.cRowStride = linear.adapterWidth();
    g.alpha = linear.scale;
    kernels_.gemm(g);
  }
}

void Replica::gradWeights(const Linear &linear, const float *x, const float *dy, long tokens, const float *adapted) {
  const Weight &w = linear.weight;
  const long width = linear.adapterWidth();
  if (linear.grad != frozenOffset) {
    GemmArgs g;  // dW[out][in] += dy^T x
    g.M = w.out;
    g.N = w.in;
    g.K = tokens;
    g.a = dy;
    g.aRowStride = 1;
    g.aColumnStride = w.out;
    g.b = x;
    g.bRowStride = w.in;
    g.c = grads_.get() + linear.grad;
    g.cRowStride = w.in;
    g.accumulate = true;
    kernels_.gemm(g);
  }
  if (linear.adapters.empty()) return;
  GemmArgs a;  // dA[width][in] += adaptGrad^T x
  a.M = width;
  a.N = w.in;
  a.K = tokens;
  a.a = adaptGrad_;
  a.aRowStride = 1;
  a.aColumnStride = width;
  a.b = x;
  a.bRowStride = w.in;
  a.c = grads_.get() + linear.adapters[0].a;
  a.cRowStride = w.in;
  a.accumulate = true;
  kernels_.gemm(a);
  for (size_t i = 0; i < linear.adapters.size(); i++) {
    const Adapter &adapter = linear.adapters[i];
    GemmArgs b;  // dB[rows][rank] += scale * dy^T adapted
    b.M = adapter.rows;
    b.N = linear.rank;
    b.K = tokens;
    b.a = dy + adapter.firstRow;
    b.aRowStride = 1;
    b.aColumnStride = w.out;
    b.b = adapted + static_cast<long>(i) * linear.rank;
    b.bRowStride = width;
    b.c = grads_.get() + adapter.b;
    b.cRowStride = linear.rank;
    b.alpha = linear.scale;
    b.accumulate = true;
    kernels_.gemm(b);
  }
}

void Replica::gradInput(const Linear &linear, const float *dy, long tokens, float *dx, bool accumulate) const {
  const Weight &w = linear.weight;
  GemmArgs g;  // dx[T][in] (+)= dy W
  g.M = tokens;
  g.N = w.in;
  g.K = w.out;
  g.a = dy;
  g.aRowStride = w.out;
  setWeight(g, w, false);
  g.c = dx;
  g.cRowStride = w.in;
  g.accumulate = accumulate;
  kernels_.gemm(g);
  if (linear.adapters.empty()) return;
  GemmArgs a;  // dx += adaptGrad A
  a.M = tokens;
  a.N = w.in;
  a.K = linear.adapterWidth();
  a.a = adaptGrad_;
  a.aRowStride = linear.adapterWidth();
  a.b = model_.values().get() + linear.adapters[0].a;
  a.bRowStride = w.in;
  a.c = dx;
  a.cRowStride = w.in;
  a.accumulate = true;
  kernels_.gemm(a);
}

void Replica::embed(const Pack &pack, float *out) const {
  const Weight &w = model_.embedding();
  const auto *rows = static_cast<const char *>(w.rows);
  for (const int token : pack.tokens) {
    const char *row = rows + static_cast<long>(token) * w.rowBytes;
    if (w.toFloat)
      w.toFloat(row, out, w.in);
    else
      memcpy(out, row, static_cast<size_t>(w.rowBytes));
    out += w.in;
  }
}

// RoPE on queries and keys (their heads are adjacent), or its inverse on their gradients.
void Replica::rotate(const Pack &pack, float *qkv, float direction) const {
  const ModelShape &s = model_.shape();
  kernels_.rope(qkv, s.qkvWidth(), s.headCount + s.kvHeadCount, s.headSize, s.rotated,
                static_cast<long>(pack.tokens.size()), ropeTable_.data(), pack.positions.data(), direction);
}

AttentionArgs Replica::attentionArgs(const Pack &pack, const Activations &a) const {
  const ModelShape &s = model_.shape();
  AttentionArgs out;
  out.headSize = s.headSize;
  out.headCount = s.headCount;
  out.kvHeadCount = s.kvHeadCount;
  out.tokenCount = static_cast<long>(pack.tokens.size());
  out.segments = pack.segments.data();
  out.segmentCount = static_cast<int>(pack.segments.size());
  out.qkv = a.qkv;
  out.out = a.attention;
  out.logSumExp = a.logSumExp;
  return out;
}

// a.input -> out, saving what the backward pass needs; `out` may be the next layer's input. Null `out` leaves out the
// down projection.
void Replica::forwardLayer(const Layer &layer, const Pack &pack, Activations &a, float *out) {
  const ModelShape &s = model_.shape();
  const auto tokens = static_cast<long>(pack.tokens.size());
  const size_t streamBytes = static_cast<size_t>(tokens) * s.width * sizeof(float);
  kernels_.rmsNorm(a.input, layer.attentionNorm.weight, normed_, s.width, tokens, s.eps);
  apply(layer.qkv, normed_, tokens, a.qkv, false, a.adaptQkv);
  rotate(pack, a.qkv, 1);
  kernels_.attention(attentionArgs(pack, a));
  memcpy(a.middle, a.input, streamBytes);
  apply(layer.attentionOut, a.attention, tokens, a.middle, true, a.adaptOut);

  kernels_.rmsNorm(a.middle, layer.ffnNorm.weight, normed_, s.width, tokens, s.eps);
  apply(layer.gateUp, normed_, tokens, a.gateUp, false, a.adaptGateUp);
  kernels_.swiglu(a.gateUp, act_, s.ffnWidth, tokens);
  if (!out) {
    applyDown(layer.down, act_, tokens, a.adaptDown);
    return;
  }
  memcpy(out, a.middle, streamBytes);
  apply(layer.down, act_, tokens, out, true, a.adaptDown);
}

// streamGrad_ holds the gradient of the layer's output and is turned into the gradient of its input.
void Replica::backwardLayer(const Layer &layer, const Pack &pack, Activations &a, bool needsInputGrad) {
  const ModelShape &s = model_.shape();
  const auto tokens = static_cast<long>(pack.tokens.size());
  const auto normGrad = [&](const Norm &norm) {
    return norm.grad == frozenOffset ? nullptr : grads_.get() + norm.grad;
  };

  gradAdapters(layer.down, streamGrad_, tokens);
  gradInput(layer.down, streamGrad_, tokens, actGrad_, false);
  kernels_.swigluGrad(a.gateUp, actGrad_, act_, gateUpGrad_, s.ffnWidth, tokens);
  gradWeights(layer.down, act_, streamGrad_, tokens, a.adaptDown);

  kernels_.rmsNorm(a.middle, layer.ffnNorm.weight, normed_, s.width, tokens, s.eps);
  gradAdapters(layer.gateUp, gateUpGrad_, tokens);
  gradWeights(layer.gateUp, normed_, gateUpGrad_, tokens, a.adaptGateUp);
  gradInput(layer.gateUp, gateUpGrad_, tokens, normedGrad_, false);
  kernels_.rmsNormGrad(a.middle, layer.ffnNorm.weight, normedGrad_, streamGrad_, normGrad(layer.ffnNorm), true, s.width,
                       tokens, s.eps);

  gradAdapters(layer.attentionOut, streamGrad_, tokens);
  gradWeights(layer.attentionOut, a.attention, streamGrad_, tokens, a.adaptOut);
  gradInput(layer.attentionOut, streamGrad_, tokens, attentionGrad_, false);
  AttentionArgs attention = attentionArgs(pack, a);
  attention.outGrad = attentionGrad_;
  attention.qkvGrad = qkvGrad_;
  kernels_.attentionGrad(attention);
  rotate(pack, qkvGrad_, -1);

  kernels_.rmsNorm(a.input, layer.attentionNorm.weight, normed_, s.width, tokens, s.eps);
  gradAdapters(layer.qkv, qkvGrad_, tokens);
  gradWeights(layer.qkv, normed_, qkvGrad_, tokens, a.adaptQkv);
  if (!needsInputGrad) return;
  gradInput(layer.qkv, qkvGrad_, tokens, normedGrad_, false);
  kernels_.rmsNormGrad(a.input, layer.attentionNorm.weight, normedGrad_, streamGrad_, normGrad(layer.attentionNorm),
                       true, s.width, tokens, s.eps);
}

// Only the hidden states that predict something go through the final norm and the head, headChunk rows of logits at a
// time. When training, leaves the gradient of `hidden` in streamGrad_.
void Replica::head(const Pack &pack, const float *hidden, float gradScale, bool trains, std::vector<double> &rowLoss) {
  const ModelShape &s = model_.shape();
  const auto count = static_cast<long>(pack.predictors.size());
  const size_t rowBytes = static_cast<size_t>(s.width) * sizeof(float);
  for (long r = 0; r < count; r++)
    memcpy(chosen_ + r * s.width, hidden + static_cast<long>(pack.predictors[r]) * s.width, rowBytes);
  kernels_.rmsNorm(chosen_, model_.finalNorm().weight, chosenNormed_, s.width, count, s.eps);
  for (long begin = 0; begin < count; begin += headChunk) {
    const long rows = std::min<long>(headChunk, count - begin);
    const float *x = chosenNormed_ + begin * s.width;
    apply(model_.head(), x, rows, logits_, false, nullptr);
    for (long r = 0; r < rows; r++) {
      const auto at = static_cast<size_t>(begin + r);
      rowLoss[static_cast<size_t>(pack.rows[at])] += kernels_.crossEntropy(
          logits_ + r * s.vocabSize, s.vocabSize, pack.targets[at], pack.weights[at], pack.weights[at] * gradScale);
    }
    if (!trains) continue;
    gradWeights(model_.head(), x, logits_, rows, nullptr);
    gradInput(model_.head(), logits_, rows, chosenGrad_ + begin * s.width, false);
  }
  if (!trains) return;
  float *normGrad = model_.finalNorm().grad == frozenOffset ? nullptr : grads_.get() + model_.finalNorm().grad;
  kernels_.rmsNormGrad(chosen_, model_.finalNorm().weight, chosenGrad_, normedGrad_, normGrad, false, s.width, count,
                       s.eps);
  memset(streamGrad_, 0, pack.tokens.size() * rowBytes);
  for (long r = 0; r < count; r++)
    memcpy(streamGrad_ + static_cast<long>(pack.predictors[r]) * s.width, normedGrad_ + r * s.width, rowBytes);
}

void Replica::scatterEmbedding(const Pack &pack) {
  const long width = model_.shape().width;
  for (size_t t = 0; t < pack.tokens.size(); t++)
    kernels_.add(grads_.get() + model_.embeddingGrad() + pack.tokens[t] * width,
                 streamGrad_ + static_cast<long>(t) * width, width);
}

void Replica::evaluate(const Pack &pack, std::vector<double> &rowLoss) {
  embed(pack, layers_[0].input);
  for (const Layer &layer : model_.layers()) {
    forwardLayer(layer, pack, layers_[0], stream_);
    std::swap(stream_, layers_[0].input);
  }
  head(pack, layers_[0].input, 0, false, rowLoss);
}

void Replica::train(const Pack &pack, float lossScale, std::vector<double> &rowLoss) {
  const std::vector<Layer> &layers = model_.layers();
  embed(pack, layers_[0].input);
  for (size_t i = 0; i < layers.size(); i++)
    forwardLayer(layers[i], pack, layers_[i], i + 1 < layers.size() ? layers_[i + 1].input : stream_);
  head(pack, stream_, lossScale, true, rowLoss);
  const bool trainsEmbedding = model_.embeddingGrad() != frozenOffset;
  for (size_t i = layers.size(); i-- > 0;) {
    if (recompute_) forwardLayer(layers[i], pack, layers_[i], nullptr);
    backwardLayer(layers[i], pack, layers_[i], i > 0 || trainsEmbedding);
  }
  if (trainsEmbedding) scatterEmbedding(pack);
}

}  // namespace labdesk
