// AdamW over the flat trainable values, with clipping by the global gradient norm. A gradient that is not finite
// changes nothing.
#pragma once
#include <cstdint>

#include "model.h"
#include "workers.h"

namespace labdesk {

struct OptimizerPlan {
  double beta1 = 0, beta2 = 0, eps = 0, weightDecay = 0, clipNorm = 0;
  bool isEightBit = false;  // moments as one byte each (Dettmers et al. 2022), see optimizer.cpp
};

class Optimizer {
 public:
  Optimizer(const OptimizerPlan &plan, const Model &model);

  /** One step from the summed gradient; returns its norm before clipping. Throws `not-finite` naming the tensor. */
  double step(Model &model, const float *grads, double learningRate, const Kernels &kernels, Workers &workers);

  long stepCount() const { return stepCount_; }
  void setStepCount(long count) { stepCount_ = count; }
  const OptimizerPlan &plan() const { return plan_; }

  // The moments as bytes, for checkpoints: F32, or one byte a value with one F32 scale a block.
  struct Part {
    const char *name;
    char *bytes;
    size_t sizeBytes;
  };
  std::vector<Part> parts();
  static size_t stateBytes(const OptimizerPlan &plan, const Model &model);

 private:
  struct Span;
  void update(float *values, const float *grads, const Span &span, const Kernels &kernels, const AdamArgs &args);

  OptimizerPlan plan_;
  Buffer<float> mean_, variance_;
  Buffer<int8_t> smallMean_;
  Buffer<uint8_t> smallVariance_;
  Buffer<float> meanScale_, varianceScale_;  // one a block
  long stepCount_ = 0;
};

}  // namespace labdesk
