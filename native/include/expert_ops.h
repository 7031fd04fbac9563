// The feed-forward of a mixture of experts: a frozen router chooses the experts of each token; their outputs are added
// with the router's weights. The gradient passes through those weights to the token, not into the router's matrix.
#pragma once
#include <vector>

#include "linear_ops.h"
#include "model.h"
#include "products.h"

namespace labdesk {

// T tokens, k experts each. Slots are (token, choice) pairs sorted by expert.
struct ExpertActivations {
  float *chances = nullptr;  // [T][experts], softmax of the router
  float *weights = nullptr;  // [T][k], of the chosen
  float *gate = nullptr;     // [T * k][expertWidth]
  float *up = nullptr;       // [T * k][expertWidth]
  float *out = nullptr;      // [T * k][width]
  std::vector<int> slots;    // [T * k]: token * k + choice, sorted by expert
  std::vector<int> begins;   // [experts + 1], first slot of each expert
};

class ExpertOps {
 public:
  ExpertOps(const Model &model, const Products &products, LinearOps &linear)
      : model_(model), products_(products), linear_(linear) {}

  // [T * k][width], [T * k][width], [T * k][expertWidth] three times, [T][experts]
  struct Scratch {
    float *x = nullptr, *dy = nullptr, *act = nullptr, *actGrad = nullptr, *gateGrad = nullptr, *upGrad = nullptr,
          *chanceGrad = nullptr;
  };
  void useScratch(const Scratch &scratch) { scratch_ = scratch; }

  /** y[T][width] += sum of the chosen experts' outputs. */
  void forward(const Layer &layer, const float *x, long tokens, ExpertActivations &a, float *y);
  /** dx[T][width] += gradient; gradients of experts that train are added. */
  void backward(const Layer &layer, const float *x, const float *dy, long tokens, const ExpertActivations &a,
                float *dx);

 private:
  void route(const Layer &layer, const float *x, long tokens, ExpertActivations &a) const;
  void routeBack(const Layer &layer, const float *dy, long tokens, const ExpertActivations &a, float *dx);
  void gather(const float *from, const ExpertActivations &a, bool isWeighted, float *to) const;

  const Model &model_;
  const Products &products_;
  LinearOps &linear_;
  Scratch scratch_;
};

}  // namespace labdesk
