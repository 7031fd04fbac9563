// Training and evaluation on a device of ggml: the model's weights, trainable values and gradients live there, and each
// pack becomes one graph. Only losses and summed gradients come back. A model that does not fit the device is refused
// before anything is copied.
#pragma once
#include <memory>
#include <string>

#include "device_weights.h"
#include "executor.h"

namespace labdesk {

struct DevicePlan {
  std::string device;  // its name in DeviceLibrary::devices()
  int maxTokens = 0;   // of a pack
  bool recompute = false;
  int threads = 1;  // of a device that is the processor itself
};

class DeviceExecutor final : public Executor {
 public:
  /** Throws `bad-request`, `out-of-memory`, `unsupported-architecture` or `device-untrusted`. */
  DeviceExecutor(const DeviceLibrary &ggml, const Model &model, const DevicePlan &plan);
  ~DeviceExecutor() override;

  Packing packing() const override { return {plan_.maxTokens}; }
  void evaluate(const std::vector<Pack> &packs, bool base, std::vector<double> &rowLoss) override;
  void train(const std::vector<Pack> &packs, float lossScale, const Regulariser &regulariser,
             std::vector<double> &rowLoss) override;
  void zeroGradients() override;
  float *gradients() override;
  void valuesChanged() override { weights_.uploadValues(); }

  /** Bytes of the device that are taken: weights, gradients and the largest graph so far. */
  size_t sizeBytes() const { return weightBytes_ + graphBytes_; }
  /**
   * Relative error of one tensor's gradient that the device's own rounding explains. Random models show 2e-3 to 8e-3
   * through F16 products; sharper attention shows more, a wrong kernel about 1.
   */
  double tolerance() const { return roundsToHalf_ ? 5e-2 : 1e-3; }

 private:
  struct Backend;
  struct RunOptions;
  void requireRoom(size_t neededBytes, const char *what) const;
  void planGraph();
  void allocate(const Graph &graph);
  void run(const Pack &pack, const RunOptions &options, std::vector<double> &rowLoss);

  const DeviceLibrary &ggml_;
  const Model &model_;
  const DevicePlan plan_;
  ggml_backend_dev_t device_;
  bool roundsToHalf_;
  // In this order: the weights' and the graph's memory goes before the backend.
  std::unique_ptr<Backend> backend_;
  DeviceWeights weights_;
  std::unique_ptr<ggml_gallocr, void (*)(ggml_gallocr_t)> allocator_;
  size_t weightBytes_ = 0, graphBytes_ = 0;
  Buffer<float> grads_;
  float firstScale_ = 0;  // lossScale of the first pack since the gradients were zero
};

/** Tokens that the comparison takes. */
constexpr int comparedTokens = 24;

/**
 * Runs two short random rows through both and returns the worst relative difference of any tensor's gradient, or of the
 * loss when nothing trains. Leaves both with zero gradients.
 */
double compareExecutors(Executor &cpu, Executor &device, const Model &model);

/** Throws `device-untrusted` when the device computes other gradients than the processor; else returns a sentence for
 * the log. */
std::string deviceSelfTest(Executor &cpu, DeviceExecutor &device, const Model &model, const std::string &name);

}  // namespace labdesk
