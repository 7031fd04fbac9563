// One graph of ggml under construction: nodes are appended in the order they run in, and memory is shared by lifetime.
// Only operations that CUDA, Vulkan, Metal and the CPU all have; shapes are in ggml's order, the fastest axis first.
// Rule: what writes into a view of a graph's own tensor returns a value that must be used, or the tensor is never
// freed.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "device_library.h"

namespace labdesk {

using Tensor = ggml_tensor *;

// A vector or matrix of the model on the device; `grad`, F32 and summed over passes, is null when it is frozen.
struct DeviceValue {
  Tensor value = nullptr, grad = nullptr;
  explicit operator bool() const { return value != nullptr; }
};

class Graph {
 public:
  enum class Use { running, measuring };  // a graph that is only measured needs no inputs
  Graph(const DeviceLibrary &ggml, size_t nodeLimit, Use use);
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  ggml_cgraph *nodes() const { return nodes_; }
  /** Null, or the first operation that `device` lacks. */
  Tensor unsupported(ggml_backend_dev_t device) const;

  // Inputs; their values are copied to the device by upload(), once the graph has its memory.
  Tensor integers(std::vector<int32_t> values);  // [count]
  /** [columns, rows]; `fill` gets them as zeros. */
  Tensor floats(long columns, long rows, const std::function<void(float *)> &fill);
  void upload() const;
  /** Marks a result that is read after the graph ran. */
  Tensor output(Tensor x);

  Tensor product(Tensor a, Tensor b);  // a [k, m], b [k, n] -> [m, n], over batches of b; a's are repeated
  Tensor add(Tensor a, Tensor b);
  Tensor addTo(Tensor sum, Tensor x) { return sum ? add(sum, x) : x; }
  void accumulate(Tensor grad, Tensor x);  // grad += x, in place
  Tensor subtract(Tensor a, Tensor b);
  Tensor multiply(Tensor a, Tensor b);
  Tensor divide(Tensor a, Tensor b);
  Tensor scale(Tensor x, float factor, float bias = 0);
  Tensor square(Tensor x);
  Tensor root(Tensor x);
  Tensor logarithm(Tensor x);
  Tensor tanh(Tensor x);
  Tensor softmax(Tensor x, Tensor mask, float factor);   // of factor * x + mask
  Tensor rowSums(Tensor x);                              // [n, ...] -> [1, ...]
  Tensor columnSums(Tensor x);                           // [n, rows] -> [n]
  Tensor transpose(Tensor x);                            // [m, n] -> [n, m]
  Tensor permute(Tensor x, int a, int b, int c, int d);  // axis i of x becomes axis a, b, c, d
  Tensor reshape(Tensor x, long ne0, long ne1);
  Tensor reshape(Tensor x, long ne0, long ne1, long ne2, long ne3 = 1);
  Tensor columns(Tensor x, long first, long count);  // rows of memory [first, first + count) of a matrix: a view
  Tensor slice(Tensor x, long first, long count);    // entries [first, first + count) of every row: a copy
  Tensor gather(Tensor x, Tensor index);             // rows of x, as F32 whatever its type
  Tensor scatter(Tensor into, Tensor rows, Tensor index);
  Tensor zerosLike(Tensor x);
  Tensor join(Tensor a, Tensor b, int axis);
  Tensor joinAll(std::vector<Tensor> parts, int axis);
  Tensor addAt(Tensor sum, Tensor x, long firstColumn);  // sum [n, columns] with x added from a column on

  Tensor norm(Tensor x, Tensor weight, float eps);  // x / rms(x) * weight, by rows of weight's length
  /** Adds to the weight's gradient; the gradient of x, or null when it is not wanted. */
  Tensor normGrad(Tensor x, const DeviceValue &weight, Tensor dy, float eps, bool wantsInput);
  // A gated activation and its two gradients, of [width, tokens].
  Tensor gated(Tensor gate, Tensor up, bool isGelu);
  void gatedGrad(Tensor gate, Tensor up, Tensor dAct, bool isGelu, Tensor &dGate, Tensor &dUp);

  /** For the few operations with many arguments: appends a node made with `ggml()` in `context()`. */
  Tensor append(Tensor node);
  ggml_context *context() const { return context_; }
  const DeviceLibrary &ggml() const { return ggml_; }

 private:
  struct Input {
    Tensor tensor;
    std::vector<int32_t> integers;  // one of the two
    std::vector<float> floats;
    const void *values() const { return integers.empty() ? static_cast<const void *>(floats.data()) : integers.data(); }
  };
  Tensor geluSlope(Tensor x, Tensor tanhs);
  Tensor geluTanh(Tensor x);

  const DeviceLibrary &ggml_;
  const size_t nodeLimit_;
  const Use use_;
  ggml_context *context_;
  ggml_cgraph *nodes_;
  std::vector<Input> inputs_;
};

}  // namespace labdesk
