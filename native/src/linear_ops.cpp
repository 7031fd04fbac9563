// See linear_ops.h.
#include "linear_ops.h"

#include <algorithm>
#include <cstring>

#include "regulariser.h"

namespace labdesk {

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

const float *LinearOps::dropInput(const Linear &linear, uint64_t site, const float *x, long tokens) const {
  if (dropping_.share == 0) return x;
  products_.overRows(tokens, [&](long first, long count) {
    dropInputs(dropping_.seeds + first, dropping_.share, site, {x + first * linear.in, linear.in},
               {dropped_ + first * linear.in, linear.in}, linear.in, count);
  });
  return dropped_;
}

void LinearOps::applyDown(const Linear &linear, uint64_t site, const float *x, long tokens, float *adapted) const {
  if (!isAdapted(linear)) return;
  GemmArgs g;  // adapted[T][width] = scale * x A^T
  g.M = tokens;
  g.N = linear.adapterWidth();
  g.K = linear.in;
  g.a = dropInput(linear, site, x, tokens);
  g.aRowStride = linear.in;
  g.b = model_.values().get() + linear.adapters[0].a;
  g.bRowStride = 1;
  g.bColumnStride = linear.in;
  g.c = adapted;
  g.cRowStride = linear.adapterWidth();
  g.alpha = linear.scale;
  products_.multiply(g);
}

// y = from + bias
void LinearOps::addBias(const Linear &linear, long tokens, float *y, const float *from) const {
  const long width = linear.out;
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++) {
      if (y != from)
        memcpy(y + t * width, from ? from + t * width : linear.bias.values, static_cast<size_t>(width) * sizeof(float));
      if (from) products_.kernels().add(y + t * width, linear.bias.values, width);
    }
  });
}

void LinearOps::apply(const Linear &linear, uint64_t site, const float *x, long tokens, float *y, const float *from,
                      float *adapted) const {
  applyDown(linear, site, x, tokens, adapted);
  if (linear.bias.values) {
    addBias(linear, tokens, y, from);
    from = y;
  }
  const long width = linear.adapterWidth();
  std::vector<GemmArgs> parts;
  const std::vector<Piece> &pieces = isAdapted(linear) ? linear.pieces : linear.runs;
  for (const Piece &piece : pieces) {
    GemmArgs g;  // y[T][rows] (+)= x W^T + adapted B^T
    g.M = tokens;
    g.N = piece.weight.out;
    g.K = linear.in;
    g.a = x;
    g.aRowStride = linear.in;
    setWeight(g, piece.weight, true);
    g.c = y + piece.firstRow;
    g.cRowStride = linear.out;
    g.accumulate = from != nullptr;
    g.from = from ? from + piece.firstRow : nullptr;
    if (piece.adapter >= 0) {
      g.K2 = linear.rank;
      g.a2 = adapted + static_cast<long>(piece.adapter) * linear.rank;
      g.a2RowStride = width;
      g.b2 = model_.values().get() + linear.adapters[static_cast<size_t>(piece.adapter)].b;
      g.b2RowStride = 1;
      g.b2ColumnStride = linear.rank;
    }
    parts.push_back(g);
  }
  products_.multiplyAll(parts);
}

void LinearOps::gradAdapters(const Linear &linear, const float *dy, long tokens) {
  if (!isAdapted(linear)) return;
  std::vector<GemmArgs> parts;
  for (size_t i = 0; i < linear.adapters.size(); i++) {
    const Adapter &adapter = linear.adapters[i];
    GemmArgs g;  // adaptGrad[T][rank] = scale * dy B
    g.M = tokens;
    g.N = linear.rank;
    g.K = adapter.rows;
    g.a = dy + adapter.firstRow;
    g.aRowStride = linear.out;
    g.b = model_.values().get() + adapter.b;
    g.bRowStride = linear.rank;
    g.c = adaptGrad_ + static_cast<long>(i) * linear.rank;
    g.cRowStride = linear.adapterWidth();
    g.alpha = linear.scale;
    parts.push_back(g);
  }
  products_.multiplyAll(parts);
}

// Sums down the columns, a strip of them a piece.
void LinearOps::gradBias(const Vector &bias, const float *dy, long tokens) {
  constexpr long strip = 64;
  float *into = grads_ + bias.grad;
  const long count = bias.count;
  products_.workers().share((count + strip - 1) / strip, [&](long i) {
    const long begin = i * strip, width = std::min(strip, count - begin);
    for (long t = 0; t < tokens; t++) products_.kernels().add(into + begin, dy + t * count + begin, width);
  });
}

void LinearOps::gradWeights(const Linear &linear, uint64_t site, const float *x, const float *dy, long tokens,
                            const float *adapted) {
  if (linear.bias.grad != frozenOffset) gradBias(linear.bias, dy, tokens);
  std::vector<GemmArgs> parts;
  if (linear.grad != frozenOffset) {
    GemmArgs g;  // dW[out][in] += dy^T x
    g.M = linear.out;
    g.N = linear.in;
    g.K = tokens;
    g.a = dy;
    g.aRowStride = 1;
    g.aColumnStride = linear.out;
    g.b = x;
    g.bRowStride = linear.in;
    g.c = grads_ + linear.grad;
    g.cRowStride = linear.in;
    g.accumulate = true;
    parts.push_back(g);
  }
  if (isAdapted(linear)) {
    const long width = linear.adapterWidth();
    GemmArgs a;  // dA[width][in] += adaptGrad^T x
    a.M = width;
    a.N = linear.in;
    a.K = tokens;
    a.a = adaptGrad_;
    a.aRowStride = 1;
    a.aColumnStride = width;
    a.b = dropInput(linear, site, x, tokens);
    a.bRowStride = linear.in;
    a.c = grads_ + linear.adapters[0].a;
    a.cRowStride = linear.in;
    a.accumulate = true;
    if (!model_.lora().keepsToLeast) parts.push_back(a);
    for (size_t i = 0; i < linear.adapters.size(); i++) {
      const Adapter &adapter = linear.adapters[i];
      GemmArgs b;  // dB[rows][rank] += dy^T adapted
      b.M = adapter.rows;
      b.N = linear.rank;
      b.K = tokens;
      b.a = dy + adapter.firstRow;
      b.aRowStride = 1;
      b.aColumnStride = linear.out;
      b.b = adapted + static_cast<long>(i) * linear.rank;
      b.bRowStride = width;
      b.c = grads_ + adapter.b;
      b.cRowStride = linear.rank;
      b.accumulate = true;
      parts.push_back(b);
    }
  }
  products_.multiplyAll(parts);
}

void LinearOps::gradInput(const Linear &linear, uint64_t site, const float *dy, long tokens, float *dx,
                          bool accumulate) const {
  const long width = linear.adapterWidth();
  const bool isDropping = dropping_.share > 0;
  for (size_t i = 0; i < linear.runs.size(); i++) {
    const Piece &run = linear.runs[i];
    GemmArgs g;  // dx[T][in] (+)= dy W + adaptGrad A
    g.M = tokens;
    g.N = linear.in;
    g.K = run.weight.out;
    g.a = dy + run.firstRow;
    g.aRowStride = linear.out;
    setWeight(g, run.weight, false);
    g.c = dx;
    g.cRowStride = linear.in;
    g.accumulate = accumulate || i > 0;
    if (i + 1 == linear.runs.size() && isAdapted(linear) && !isDropping) {
      g.K2 = width;
      g.a2 = adaptGrad_;
      g.a2RowStride = width;
      g.b2 = model_.values().get() + linear.adapters[0].a;
      g.b2RowStride = linear.in;
    }
    products_.multiply(g);
  }
  if (!isAdapted(linear) || !isDropping) return;
  GemmArgs g;  // what reaches the dropped input goes back through the same mask
  g.M = tokens;
  g.N = linear.in;
  g.K = width;
  g.a = adaptGrad_;
  g.aRowStride = width;
  g.b = model_.values().get() + linear.adapters[0].a;
  g.bRowStride = linear.in;
  g.c = dropped_;
  g.cRowStride = linear.in;
  products_.multiply(g);
  products_.overRows(tokens, [&](long first, long count) {
    addDropped(dropping_.seeds + first, dropping_.share, site, {dropped_ + first * linear.in, linear.in},
               {dx + first * linear.in, linear.in}, linear.in, count);
  });
}

}  // namespace labdesk
