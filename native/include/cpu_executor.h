// Training on the processor. A model small enough for several passes beside each other gets lanes: each computes whole
// packs for itself, since its operators are too short to be worth sharing out. The packs' gradients are added in their
// order, so the bits depend neither on the number of threads nor on that of lanes.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "pass.h"

namespace labdesk {

class CpuExecutor final : public Executor {
 public:
  CpuExecutor(const Model &model, const Kernels &kernels, Workers &workers, const PassPlan &plan);

  Packing packing() const override;
  void evaluate(const std::vector<Pack> &packs, bool base, std::vector<double> &rowLoss) override;
  void train(const std::vector<Pack> &packs, float lossScale, const Regulariser &regulariser,
             std::vector<double> &rowLoss) override;
  void zeroGradients() override;
  float *gradients() override { return sumsApart_ ? sum_.get() : lanes_[0]->gradients(); }
  void valuesChanged() override {}

  /** Bytes it will take: activations, gradients and the threads' scratch. */
  static size_t plannedBytes(const Model &model, const PassPlan &plan, int threads);

 private:
  void overPacks(const std::vector<Pack> &packs, bool trains, const std::function<void(Pass &, const Pack &)> &compute);
  void collect(size_t laneCount);
  void clear(float *gradients) const;
  void overStrips(const std::function<void(size_t begin, size_t count)> &work) const;

  Workers &workers_;
  const Kernels &kernels_;
  const int maxTokens_;
  const size_t valueCount_;
  bool sumsApart_ = false, areLanesClear_ = true;
  std::vector<std::unique_ptr<Workers>> laneWorkers_;  // one for each lane; none for a single lane
  std::vector<std::unique_ptr<Pass>> lanes_;
  Buffer<float> sum_;  // of the packs' gradients, when they are summed apart
};

}  // namespace labdesk
