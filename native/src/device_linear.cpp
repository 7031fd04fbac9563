// See device_linear.h.
#include "device_linear.h"

#include <algorithm>

namespace labdesk {

namespace {

// Memory that one weight made F32 may take at a time.
constexpr long blockBytes = 256L << 20;
constexpr long leastRows = 256;

}  // namespace

// A power of two, so that the blocks begin where every backend's alignment allows.
long DeviceProducts::blockRows(Tensor weight) const {
  long rows = leastRows;
  while (2 * rows * weight->ne[0] * static_cast<long>(sizeof(float)) <= blockBytes) rows *= 2;
  return std::min<long>(rows, weight->ne[1]);
}

// Rows [first, first + count) of a weight, [in, count].
Tensor DeviceProducts::rowsAsFloat(Tensor weight, long first, long count) {
  if (weight->type == GGML_TYPE_F32) return graph_.columns(weight, first, count);
  const Tensor index = graph_.ggml().ggml_view_1d(graph_.context(), weights_.identity(), count,
                                                  static_cast<size_t>(first) * sizeof(int32_t));
  return graph_.gather(weight, index);
}

Tensor DeviceProducts::apply(const DeviceLinear &linear, Tensor x, bool bare) {
  const Tensor weight = linear.weight.value;
  const long rows = weight->ne[1], step = weight->type == GGML_TYPE_F32 ? rows : blockRows(weight);
  std::vector<Tensor> parts;
  for (long first = 0; first < rows; first += step)
    parts.push_back(graph_.product(rowsAsFloat(weight, first, std::min(step, rows - first)), x));
  Tensor y = graph_.joinAll(std::move(parts), 0);
  if (linear.bias) y = graph_.add(y, linear.bias.value);
  if (!linear.a || bare) return y;
  const Tensor narrow = graph_.product(linear.a.value, x);  // [rank, tokens]
  return graph_.add(y, graph_.scale(graph_.product(linear.b.value, narrow), linear.scale));
}

Tensor DeviceProducts::transposed(Input &input) {
  if (!input.transposed) input.transposed = graph_.transpose(input.x);
  return input.transposed;
}

// dW = x dy^T, dx = W^T dy; and with t = A x, dt = scale * B^T dy: dB = scale * t dy^T, dA = x dt^T, dx += A^T dt
Tensor DeviceProducts::applyGrad(const DeviceLinear &linear, Input &input, Tensor dy, bool wantsInput) {
  const Tensor weight = linear.weight.value;
  const long rows = weight->ne[1], step = blockRows(weight);
  if (linear.bias.grad) graph_.accumulate(linear.bias.grad, graph_.columnSums(dy));
  Tensor dx = nullptr;
  for (long first = 0; first < rows && (wantsInput || linear.weight.grad); first += step) {
    const long count = std::min(step, rows - first);
    const Tensor part = graph_.slice(dy, first, count);  // [count, tokens]
    if (linear.weight.grad)
      graph_.accumulate(graph_.columns(linear.weight.grad, first, count),
                        graph_.product(transposed(input), graph_.transpose(part)));
    if (wantsInput) dx = graph_.addTo(dx, graph_.product(graph_.transpose(rowsAsFloat(weight, first, count)), part));
  }
  if (!linear.a) return dx;
  const Tensor narrow = graph_.product(linear.a.value, input.x);  // [rank, tokens]
  graph_.accumulate(linear.b.grad,
                    graph_.scale(graph_.product(graph_.transpose(narrow), graph_.transpose(dy)), linear.scale));
  const Tensor narrowGrad = graph_.scale(graph_.product(graph_.transpose(linear.b.value), dy), linear.scale);
  graph_.accumulate(linear.a.grad, graph_.product(transposed(input), graph_.transpose(narrowGrad)));
  if (wantsInput) dx = graph_.add(dx, graph_.product(graph_.transpose(linear.a.value), narrowGrad));
  return dx;
}

}  // namespace labdesk
