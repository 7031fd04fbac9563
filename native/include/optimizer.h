// AdamW over the flat trainable values, with clipping by the global gradient norm. A gradient that is not finite
// changes nothing.
#pragma once
#include "model.h"
#include "workers.h"

namespace labdesk {

struct OptimizerPlan {
  double beta1 = 0, beta2 = 0, eps = 0, weightDecay = 0, clipNorm = 0;
};

class Optimizer {
 public:
  Optimizer(const OptimizerPlan &plan, size_t count) : plan_(plan), mean_(count), variance_(count) {}

  /** One step from the summed gradient; returns its norm before clipping. Throws `not-finite` naming the tensor. */
  double step(Model &model, const Buffer<float> &grads, double learningRate, const Kernels &kernels, Workers &workers);

  long stepCount() const { return stepCount_; }
  void setStepCount(long count) { stepCount_ = count; }
  const OptimizerPlan &plan() const { return plan_; }
  Buffer<float> &mean() { return mean_; }
  Buffer<float> &variance() { return variance_; }

 private:
  OptimizerPlan plan_;
  Buffer<float> mean_, variance_;
  long stepCount_ = 0;
};

}  // namespace labdesk
