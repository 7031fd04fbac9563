// See pass.h. The head stands in pass_head.cpp.
#include "pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "regulariser.h"

namespace labdesk {

namespace {

constexpr long normGradRows = 64;  // rows whose share of a norm's gradient is summed apart

size_t bufferFloats(const Model &model, const PassPlan &plan) {
  size_t floats = 0;
  carveBuffers(model, plan, nullptr, floats);
  return floats;
}

}  // namespace

size_t Pass::plannedBytes(const Model &model, const PassPlan &plan) {
  const ModelShape &s = model.shape();
  const size_t tables = static_cast<size_t>(plan.maxTokens) * static_cast<size_t>(s.rotated) * (s.window > 0 ? 2 : 1);
  return (bufferFloats(model, plan) + tables + model.valueCount()) * sizeof(float);
}

// Packed panels, two blocks of attention scores, a row of dequantised weights for each panel column.
size_t Pass::scratchBytes(const Model &model, const PassPlan &plan) {
  const size_t scores = 2 * static_cast<size_t>(attentionQueries) * static_cast<size_t>(plan.maxTokens);
  return (200 * 1024 + scores + 32 * static_cast<size_t>(model.shape().width)) * sizeof(float);
}

Pass::Pass(const Model &model, const Kernels &kernels, Workers &workers, const PassPlan &plan)
    : model_(model),
      plan_(plan),
      products_(kernels, workers),
      kernels_(kernels),
      memory_(bufferFloats(model, plan)),
      grads_(model.valueCount()),
      linear_(model, products_, grads_.get()),
      experts_(model, products_, linear_) {
  size_t floats = 0;
  b_ = carveBuffers(model, plan, memory_.get(), floats);
  linear_.useScratch(b_.adaptGrad, b_.dropped);
  experts_.useScratch(b_.experts);
  const ModelShape &s = model.shape();
  ropeTable_ = ropeTable(s.rope, s.rotated, plan.maxTokens);
  if (s.window > 0) windowRopeTable_ = ropeTable(s.windowRope, s.rotated, plan.maxTokens);
}

void Pass::embed(const Pack &pack, float *out) const {
  const Weight &w = model_.embedding();
  const float scale = model_.shape().embeddingScale;
  for (const int token : pack.tokens) {
    const char *row = static_cast<const char *>(w.rows) + static_cast<long>(token) * w.rowBytes;
    if (w.toFloat)
      w.toFloat(row, out, w.in);
    else
      memcpy(out, row, static_cast<size_t>(w.rowBytes));
    for (int i = 0; scale != 1 && i < w.in; i++) out[i] *= scale;
    out += w.in;
  }
}

// x itself where there is no norm.
const float *Pass::norm(const Vector &weight, const float *x, long rows) {
  if (!weight.values) return x;
  const int width = weight.count;
  products_.overRows(rows, [&](long first, long count) {
    const long at = first * width;
    kernels_.rmsNorm({x + at, width}, weight.values, {b_.normed + at, width}, width, count, model_.shape().eps);
  });
  return b_.normed;
}

void Pass::normGrad(const Vector &weight, const float *x, const float *dy, float *dx, bool accumulate, long rows) {
  const int width = weight.count;
  normWeightGrad(weight, {x, width}, {dy, width}, width, rows);
  products_.overRows(rows, [&](long first, long count) {
    const long at = first * width;
    kernels_.rmsNormGrad({x + at, width}, weight.values, {dy + at, width}, {dx + at, width}, accumulate, width, count,
                         model_.shape().eps);
  });
}

// Shares of normGradRows rows are summed apart and then added in their order.
void Pass::normWeightGrad(const Vector &weight, RowsIn x, RowsIn dy, int width, long rows) {
  if (weight.grad == frozenOffset) return;
  const long shares = (rows + normGradRows - 1) / normGradRows;
  std::vector<float> sums(static_cast<size_t>(shares * width));
  products_.workers().share(shares, [&](long i) {
    const long first = i * normGradRows;
    kernels_.rmsNormWeightGrad({x.at + first * x.stride, x.stride}, {dy.at + first * dy.stride, dy.stride},
                               sums.data() + i * width, width, std::min(normGradRows, rows - first),
                               model_.shape().eps);
  });
  for (long i = 0; i < shares; i++) kernels_.add(grads_.get() + weight.grad, sums.data() + i * width, width);
}

// Queries and keys are normed in place, head by head or as whole rows; what they were is kept in headsRaw.
void Pass::normHeads(const Layer &layer, Activations &a, long tokens) {
  if (!layer.queryNorm.values) return;
  const ModelShape &s = model_.shape();
  const int q = s.queryWidth(), kv = s.kvWidth(), stride = s.qkvWidth(), rawStride = q + kv;
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++) {
      float *raw = a.headsRaw + t * rawStride, *out = a.qkv + t * stride;
      memcpy(raw, out, static_cast<size_t>(rawStride) * sizeof(float));
      const Vector &qn = layer.queryNorm, &kn = layer.keyNorm;
      kernels_.rmsNorm({raw, qn.count}, qn.values, {out, qn.count}, qn.count, q / qn.count, s.eps);
      kernels_.rmsNorm({raw + q, kn.count}, kn.values, {out + q, kn.count}, kn.count, kv / kn.count, s.eps);
    }
  });
}

// Turns the gradient of the normed queries and keys, in qkvGrad, into that of the raw ones.
void Pass::normHeadsGrad(const Layer &layer, const Activations &a, long tokens) {
  if (!layer.queryNorm.values) return;
  const ModelShape &s = model_.shape();
  const int q = s.queryWidth(), kv = s.kvWidth(), stride = s.qkvWidth(), rawStride = q + kv;
  const auto weightGrads = [&](const Vector &n, int offset, int width) {
    for (int h = 0; h < width / n.count; h++) {
      const int at = offset + h * n.count;
      normWeightGrad(n, {a.headsRaw + at, rawStride}, {b_.qkvGrad + at, stride}, n.count, tokens);
    }
  };
  weightGrads(layer.queryNorm, 0, q);
  weightGrads(layer.keyNorm, q, kv);
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++) {
      const float *raw = a.headsRaw + t * rawStride;
      float *grad = b_.qkvGrad + t * stride;
      const Vector &qn = layer.queryNorm, &kn = layer.keyNorm;
      kernels_.rmsNormGrad({raw, qn.count}, qn.values, {grad, qn.count}, {grad, qn.count}, false, qn.count,
                           q / qn.count, s.eps);
      kernels_.rmsNormGrad({raw + q, kn.count}, kn.values, {grad + q, kn.count}, {grad + q, kn.count}, false, kn.count,
                           kv / kn.count, s.eps);
    }
  });
}

// RoPE on queries and keys (their heads are adjacent), or its inverse on their gradients.
void Pass::rotate(const Pack &pack, const Layer &layer, float *qkv, float direction) const {
  const ModelShape &s = model_.shape();
  const std::vector<float> &table = s.windowOf(layer.index) > 0 ? windowRopeTable_ : ropeTable_;
  products_.overRows(static_cast<long>(pack.tokens.size()), [&](long first, long count) {
    kernels_.rope({qkv + first * s.qkvWidth(), s.qkvWidth()}, s.headCount + s.kvHeadCount, s.headSize, s.rotated,
                  s.architecture->ropePairs == RopePairs::halves, count, table.data(), pack.positions.data() + first,
                  direction);
  });
}

AttentionArgs Pass::attentionArgs(const Pack &pack, const Layer &layer, const Activations &a) const {
  const ModelShape &s = model_.shape();
  AttentionArgs out;
  out.headSize = s.headSize;
  out.headCount = s.headCount;
  out.kvHeadCount = s.kvHeadCount;
  out.scale = s.attentionScale;
  out.cap = s.attentionCap;
  out.window = s.windowOf(layer.index);
  out.tokenCount = static_cast<long>(pack.tokens.size());
  out.qkv = a.qkv;
  out.out = a.attention;
  out.logSumExp = a.logSumExp;
  return out;
}

void Pass::attend(const Pack &pack, const AttentionArgs &args) const {
  struct Piece {
    Segment segment;
    int head, firstQuery;
  };
  std::vector<Piece> pieces;
  for (const Segment &segment : pack.segments)
    for (int q = segment.begin; q < segment.end; q += attentionQueries)
      for (int h = 0; h < args.headCount; h++) pieces.push_back({segment, h, q});
  // The longest first: later queries see more keys.
  products_.workers().share(static_cast<long>(pieces.size()), [&](long i) {
    const Piece &p = pieces[pieces.size() - 1 - static_cast<size_t>(i)];
    kernels_.attention(args, p.segment, p.head, p.firstQuery);
  });
}

// Heads that share keys and values write their shares apart; they are added in the order of the heads.
void Pass::attendBack(const Pack &pack, AttentionArgs args) {
  const ModelShape &s = model_.shape();
  const long tokens = args.tokenCount, size = s.headSize, heads = s.headCount, stride = s.qkvWidth();
  args.sharedGrad = b_.sharedGrad;
  float *zeroed = args.sharedGrad ? args.sharedGrad : args.qkvGrad;
  const long row = args.sharedGrad ? 2 * heads * size : stride;
  products_.overRows(tokens, [&](long first, long count) {
    memset(zeroed + first * row, 0, static_cast<size_t>(count * row) * sizeof(float));
  });
  const long segments = static_cast<long>(pack.segments.size());
  products_.workers().share(segments * heads, [&](long i) {
    kernels_.attentionGrad(args, pack.segments[static_cast<size_t>(i / heads)], static_cast<int>(i % heads));
  });
  if (!args.sharedGrad) return;
  const long kvHeads = s.kvHeadCount, group = heads / kvHeads;
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++) {
      const float *shared = args.sharedGrad + t * 2 * heads * size;
      float *keys = args.qkvGrad + t * stride + heads * size, *values = keys + kvHeads * size;
      memset(keys, 0, static_cast<size_t>(2 * kvHeads * size) * sizeof(float));
      for (long h = 0; h < heads; h++) {
        kernels_.add(keys + h / group * size, shared + 2 * h * size, size);
        kernels_.add(values + h / group * size, shared + (2 * h + 1) * size, size);
      }
    }
  });
}

// Without a post norm or a scale a branch is added by the product itself.
bool Pass::joinsPlainly() const {
  return !model_.shape().architecture->hasPostNorms && model_.shape().residualScale == 1;
}

// into = from + residualScale * norm(raw)
void Pass::join(const Vector &postNorm, const float *from, const float *raw, long tokens, float *into) {
  const float *branch = norm(postNorm, raw, tokens);
  const long width = model_.shape().width;
  const float scale = model_.shape().residualScale;
  products_.overRows(tokens, [&](long first, long count) {
    memcpy(into + first * width, from + first * width, static_cast<size_t>(count * width) * sizeof(float));
    kernels_.addScaled(into + first * width, branch + first * width, scale, count * width);
  });
}

void Pass::forwardAttention(const Layer &layer, const Pack &pack, Activations &a) {
  const auto tokens = static_cast<long>(pack.tokens.size());
  const float *x = norm(layer.attentionNorm, a.input, tokens);
  linear_.apply(layer.qkv, siteOf(layer, siteQkv), x, tokens, a.qkv, nullptr, a.adaptQkv);
  normHeads(layer, a, tokens);
  rotate(pack, layer, a.qkv, 1);
  attend(pack, attentionArgs(pack, layer, a));
  if (joinsPlainly()) {
    linear_.apply(layer.attentionOut, siteOf(layer, siteOut), a.attention, tokens, a.middle, a.input, a.adaptOut);
    return;
  }
  float *raw = a.attentionRaw ? a.attentionRaw : b_.branch;
  linear_.apply(layer.attentionOut, siteOf(layer, siteOut), a.attention, tokens, raw, nullptr, a.adaptOut);
  join(layer.postAttentionNorm, a.input, raw, tokens, a.middle);
}

// a.middle -> out; `out` may be the next layer's input. Null when a layer is computed again for its activations alone.
void Pass::forwardFeedForward(const Layer &layer, long tokens, Activations &a, float *out) {
  const ModelShape &s = model_.shape();
  const float *x = norm(layer.ffnNorm, a.middle, tokens);
  const bool isPlain = joinsPlainly() && out;
  float *raw = isPlain ? out : a.downRaw ? a.downRaw : b_.branch;
  const float *from = isPlain ? a.middle : nullptr;
  if (!layer.experts.empty()) {
    const size_t bytes = static_cast<size_t>(tokens) * static_cast<size_t>(s.width) * sizeof(float);
    if (from)
      memcpy(raw, from, bytes);
    else
      memset(raw, 0, bytes);
    experts_.forward(layer, x, tokens, a.experts, raw);
    from = raw;
  }
  if (layer.gateUp.isPresent()) {
    const long f = layer.down.in;
    linear_.apply(layer.gateUp, siteOf(layer, siteGateUp), x, tokens, a.gateUp, nullptr, a.adaptGateUp);
    products_.overRows(tokens, [&](long first, long count) {
      const float *gate = a.gateUp + first * 2 * f;
      kernels_.glu({gate, 2 * f}, {gate + f, 2 * f}, {b_.act + first * f, f},
                   s.architecture->activation == Activation::gelu, static_cast<int>(f), count);
    });
    if (out || a.downRaw)
      linear_.apply(layer.down, siteOf(layer, siteDown), b_.act, tokens, raw, from, a.adaptDown);
    else
      linear_.applyDown(layer.down, siteOf(layer, siteDown), b_.act, tokens, a.adaptDown);
  }
  if (out && !isPlain) join(layer.postFfnNorm, a.middle, raw, tokens, out);
}

// The gradient of a branch's raw output, from that of the stream it joined.
const float *Pass::branchGrad(const Vector &postNorm, const float *raw, long tokens) {
  if (joinsPlainly()) return b_.streamGrad;
  const long width = model_.shape().width;
  const float scale = model_.shape().residualScale;
  products_.overRows(tokens, [&](long first, long count) {
    for (long i = first * width; i < (first + count) * width; i++) b_.branch[i] = scale * b_.streamGrad[i];
  });
  if (postNorm.values) normGrad(postNorm, raw, b_.branch, b_.branch, false, tokens);
  return b_.branch;
}

// Adds the gradient of a branch's input, in normedGrad, to the stream's.
void Pass::enterStream(const Vector &preNorm, const float *x, long tokens) {
  if (preNorm.values) {
    normGrad(preNorm, x, b_.normedGrad, b_.streamGrad, true, tokens);
    return;
  }
  const long width = model_.shape().width;
  products_.overRows(tokens, [&](long first, long count) {
    kernels_.add(b_.streamGrad + first * width, b_.normedGrad + first * width, count * width);
  });
}

// streamGrad holds the gradient of the layer's output and is turned into that of `middle`.
void Pass::backwardFeedForward(const Layer &layer, long tokens, Activations &a) {
  const ModelShape &s = model_.shape();
  const float *dy = branchGrad(layer.postFfnNorm, a.downRaw, tokens);
  const float *x = norm(layer.ffnNorm, a.middle, tokens);
  if (layer.gateUp.isPresent()) {
    const long f = layer.down.in;
    linear_.gradAdapters(layer.down, dy, tokens);
    linear_.gradInput(layer.down, siteOf(layer, siteDown), dy, tokens, b_.actGrad, false);
    products_.overRows(tokens, [&](long first, long count) {
      const float *gate = a.gateUp + first * 2 * f;
      float *grad = b_.gateUpGrad + first * 2 * f;
      kernels_.gluGrad({gate, 2 * f}, {gate + f, 2 * f}, {b_.actGrad + first * f, f}, {b_.act + first * f, f},
                       {grad, 2 * f}, {grad + f, 2 * f}, s.architecture->activation == Activation::gelu,
                       static_cast<int>(f), count);
    });
    linear_.gradWeights(layer.down, siteOf(layer, siteDown), b_.act, dy, tokens, a.adaptDown);
    linear_.gradAdapters(layer.gateUp, b_.gateUpGrad, tokens);
    linear_.gradWeights(layer.gateUp, siteOf(layer, siteGateUp), x, b_.gateUpGrad, tokens, a.adaptGateUp);
    linear_.gradInput(layer.gateUp, siteOf(layer, siteGateUp), b_.gateUpGrad, tokens, b_.normedGrad, false);
  } else {
    memset(b_.normedGrad, 0, static_cast<size_t>(tokens) * static_cast<size_t>(s.width) * sizeof(float));
  }
  if (!layer.experts.empty()) experts_.backward(layer, x, dy, tokens, a.experts, b_.normedGrad);
  enterStream(layer.ffnNorm, a.middle, tokens);
}

// streamGrad: of `middle` -> of the layer's input.
void Pass::backwardAttention(const Layer &layer, const Pack &pack, Activations &a, bool needsInputGrad) {
  const auto tokens = static_cast<long>(pack.tokens.size());
  const float *dy = branchGrad(layer.postAttentionNorm, a.attentionRaw, tokens);
  linear_.gradAdapters(layer.attentionOut, dy, tokens);
  linear_.gradWeights(layer.attentionOut, siteOf(layer, siteOut), a.attention, dy, tokens, a.adaptOut);
  const bool trainsInside =
      layer.qkv.trains() || layer.queryNorm.grad != frozenOffset || layer.attentionNorm.grad != frozenOffset;
  if (!needsInputGrad && !trainsInside) return;
  linear_.gradInput(layer.attentionOut, siteOf(layer, siteOut), dy, tokens, b_.attentionGrad, false);
  AttentionArgs attention = attentionArgs(pack, layer, a);
  attention.outGrad = b_.attentionGrad;
  attention.qkvGrad = b_.qkvGrad;
  attendBack(pack, attention);
  rotate(pack, layer, b_.qkvGrad, -1);
  normHeadsGrad(layer, a, tokens);

  const float *x = norm(layer.attentionNorm, a.input, tokens);
  linear_.gradAdapters(layer.qkv, b_.qkvGrad, tokens);
  linear_.gradWeights(layer.qkv, siteOf(layer, siteQkv), x, b_.qkvGrad, tokens, a.adaptQkv);
  if (!needsInputGrad && layer.attentionNorm.grad == frozenOffset) return;
  linear_.gradInput(layer.qkv, siteOf(layer, siteQkv), b_.qkvGrad, tokens, b_.normedGrad, false);
  enterStream(layer.attentionNorm, a.input, tokens);
}

// Ends with the hidden states in `stream`. Layers that keep nothing hand their output on through it.
void Pass::forwardAll(const Pack &pack, const Regulariser *regulariser) {
  const auto tokens = static_cast<long>(pack.tokens.size());
  const ModelShape &s = model_.shape();
  const size_t bytes = static_cast<size_t>(tokens) * static_cast<size_t>(s.width) * sizeof(float);
  embed(pack, b_.layers[0].input);
  if (regulariser && regulariser->neftuneAlpha > 0) addNeftune(pack, *regulariser, s.width, b_.layers[0].input);
  for (size_t i = 0; i < b_.layers.size(); i++) {
    const Layer &layer = model_.layers()[i];
    Activations &a = b_.layers[i];
    forwardAttention(layer, pack, a);
    const bool isLast = i + 1 == b_.layers.size();
    const bool isSame = !isLast && b_.layers[i + 1].input == a.input;
    float *out = isLast || isSame ? b_.stream : b_.layers[i + 1].input;
    forwardFeedForward(layer, tokens, a, out);
    if (isSame) memcpy(a.input, out, bytes);
  }
}

void Pass::backwardAll(const Pack &pack) {
  const auto tokens = static_cast<long>(pack.tokens.size());
  const bool trainsEmbedding = model_.embeddingGrad() != frozenOffset;
  const int first = model_.firstTrainedLayer();
  for (int i = model_.shape().layerCount; i-- > first;) {
    const Layer &layer = model_.layers()[static_cast<size_t>(i)];
    Activations &a = b_.layers[static_cast<size_t>(i)];
    if (plan_.recompute) {
      forwardAttention(layer, pack, a);
      forwardFeedForward(layer, tokens, a, nullptr);
    }
    backwardFeedForward(layer, tokens, a);
    backwardAttention(layer, pack, a, i > first || trainsEmbedding);
  }
  if (trainsEmbedding) scatterEmbedding(pack);
}

void Pass::scatterEmbedding(const Pack &pack) {
  const long width = model_.shape().width;
  for (size_t t = 0; t < pack.tokens.size(); t++)
    kernels_.addScaled(grads_.get() + model_.embeddingGrad() + pack.tokens[t] * width,
                       b_.streamGrad + static_cast<long>(t) * width, model_.shape().embeddingScale, width);
}

void Pass::evaluate(const Pack &pack, bool base, std::vector<double> &rowLoss) {
  linear_.setAdapters(!base);
  linear_.setDropping({});
  forwardAll(pack, nullptr);
  head(pack, 0, 0, false, rowLoss);
  linear_.setAdapters(true);
}

void Pass::train(const Pack &pack, float lossScale, const Regulariser &regulariser, std::vector<double> &rowLoss) {
  if (regulariser.klWeight > 0) rememberBase(pack);
  if (regulariser.dropout > 0) {
    seeds_ = tokenSeeds(pack, regulariser);
    linear_.setDropping({regulariser.dropout, seeds_.data()});
  }
  forwardAll(pack, &regulariser);
  head(pack, lossScale, regulariser.klWeight, true, rowLoss);
  backwardAll(pack);
  linear_.setDropping({});
}

// The base's hidden states of the predicting tokens, normed.
void Pass::rememberBase(const Pack &pack) {
  linear_.setAdapters(false);
  linear_.setDropping({});
  forwardAll(pack, nullptr);
  chooseRows(pack, b_.chosenBase);
  linear_.setAdapters(true);
}

}  // namespace labdesk
