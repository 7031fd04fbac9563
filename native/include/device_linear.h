// Matrix products with the model's weights, forward and backward. A weight that is not F32 is made F32 first, some rows
// at a time (a gather with the identity index, the one way that every backend has for every type): ggml's own products
// of such weights round the other factor to 8 or 16 bits, and then the gradient is not that of the loss.
#pragma once
#include "device_weights.h"

namespace labdesk {

class DeviceProducts {
 public:
  DeviceProducts(Graph &graph, const DeviceWeights &weights) : graph_(graph), weights_(weights) {}

  /** [in, tokens] -> [out, tokens]; `bare`: without its adapter. */
  Tensor apply(const DeviceLinear &linear, Tensor x, bool bare = false);

  // What several matrices share: their input and, once one of them needs it, its transpose.
  struct Input {
    Tensor x;                     // [in, tokens]
    Tensor transposed = nullptr;  // [tokens, in]
  };
  /** Adds to the gradients of the linear; the gradient of x, or null when it is not wanted. */
  Tensor applyGrad(const DeviceLinear &linear, Input &input, Tensor dy, bool wantsInput);

 private:
  Tensor rowsAsFloat(Tensor weight, long first, long count);
  long blockRows(Tensor weight) const;
  Tensor transposed(Input &input);

  Graph &graph_;
  const DeviceWeights &weights_;
};

}  // namespace labdesk
