// The model's weights, trainable values and their gradients on a device. Query, key, value, gate and up are matrices of
// their own here: their results are then whole tensors, which every backend takes. Frozen weights keep their stored
// type.
#pragma once
#include <map>
#include <tuple>
#include <vector>

#include "device_graph.h"
#include "model.h"

namespace labdesk {

// y = W x + bias + scale * B (A x)
struct DeviceLinear {
  DeviceValue weight;  // [in, out]
  DeviceValue bias;    // [out] or absent
  DeviceValue a, b;    // [in, rank], [rank, out] or absent; A may be shared with another one
  float scale = 0;
  explicit operator bool() const { return static_cast<bool>(weight); }
  bool trains() const { return weight.grad || bias.grad || a.grad; }
};

struct DeviceLayer {
  DeviceValue attentionNorm, ffnNorm, postAttentionNorm, postFfnNorm, queryNorm, keyNorm;
  DeviceLinear query, key, value, attentionOut, gate, up, down;
};

class DeviceWeights {
 public:
  /** Describes the tensors; allocates nothing. Throws `unsupported-architecture` for mixtures of experts. */
  DeviceWeights(const DeviceLibrary &ggml, const Model &model);
  ~DeviceWeights();
  DeviceWeights(const DeviceWeights &) = delete;
  DeviceWeights &operator=(const DeviceWeights &) = delete;

  size_t plannedBytes(ggml_backend_buffer_type_t memory) const;
  /** False when the device has not enough memory. */
  bool allocate(ggml_backend_buffer_type_t memory);
  void uploadFrozen();
  void uploadValues();
  void zeroGradients();
  /** out[i] = gradient i * factor, for the model's trainable values. */
  void downloadGradients(float *out, float factor) const;

  const Model &model() const { return model_; }
  const std::vector<DeviceLayer> &layers() const { return layers_; }
  const DeviceValue &embedding() const { return embedding_; }  // [width, vocab]
  const DeviceLinear &head() const { return head_; }
  const DeviceValue &finalNorm() const { return finalNorm_; }
  /** Divides the frequencies of the rotation, [rotated / 2], or null. */
  Tensor ropeFactors(int layer) const { return model_.shape().windowOf(layer) > 0 ? windowFactors_ : factors_; }
  Tensor identity() const { return identity_; }  // 0, 1, 2... up to the longest matrix

 private:
  struct Frozen {
    Tensor tensor;
    const void *bytes;
  };
  struct Trained {
    DeviceValue at;
    size_t offset;
  };
  // Tensors at one address, or at one place of the trainable values, are one tensor: the tied head, an adapter's A.
  using Key = std::tuple<const void *, long, long>;

  DeviceValue matrix(const void *rows, int type, long in, long out, ptrdiff_t grad);
  DeviceValue vector(const Vector &vector, int first, int count);
  DeviceValue vector(const Vector &whole) { return vector(whole, 0, whole.count); }
  DeviceLinear linear(const Linear &linear, int firstRow, int rows);
  void addLayer(const Layer &layer);
  Tensor floats(const std::vector<float> &values);
  size_t tensorLimit() const;

  const DeviceLibrary &ggml_;
  const Model &model_;
  ggml_context *frozenContext_, *trainedContext_, *gradContext_;
  ggml_backend_buffer_t frozenBuffer_ = nullptr, trainedBuffer_ = nullptr, gradBuffer_ = nullptr;
  std::map<Key, DeviceValue> known_;
  std::vector<Frozen> frozen_;
  std::vector<Trained> trained_;
  std::vector<int32_t> order_;  // identity's values
  std::vector<DeviceLayer> layers_;
  DeviceValue embedding_, finalNorm_;
  DeviceLinear head_;
  Tensor factors_ = nullptr, windowFactors_ = nullptr, identity_ = nullptr;
  long longest_ = 0;
};

}  // namespace labdesk
