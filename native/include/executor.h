// Who computes: the CPU's own kernels or a device of ggml. An executor owns activations and gradients of one loaded
// model and reads the model, never writes it.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels.h"

namespace labdesk {

// Rows laid end to end; token i of a row predicts token i + 1.
struct Pack {
  std::vector<int> tokens, positions;  // [tokens]
  std::vector<Segment> segments;       // one a row
  std::vector<int> segmentRows;        // the step's row each segment is
  // One entry for each token whose prediction counts:
  std::vector<int> predictors;  // index of the token that predicts
  std::vector<int> targets;     // token id to predict
  std::vector<float> weights;   // may be negative (a rejected answer)
  std::vector<int> rows;        // the step's row it belongs to
};

struct Packing {
  int maxTokens = 0;
  int multiple = 1;  // the executor is quickest with a multiple of so many packs
};

// What a training pass adds to plain cross entropy. Noise depends on (seed, step, row, position) alone, so packing
// changes nothing.
struct Regulariser {
  float neftuneAlpha = 0;  // uniform noise of +-alpha / sqrt(row length * width) on the embeddings (Jain et al. 2023)
  float dropout = 0;       // share of an adapter's inputs set to zero (LoRA)
  float klWeight = 0;      // weight of KL(base || model) beside the cross entropy (LoRA)
  uint64_t seed = 0, step = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  /** How rows should be packed for it; the same whatever the number of threads. */
  virtual Packing packing() const = 0;
  /** Adds each row's weighted cross entropy to rowLoss. `base`: as if the adapters were not there. */
  virtual void evaluate(const std::vector<Pack> &packs, bool base, std::vector<double> &rowLoss) = 0;
  /** The same, and adds the gradient of sum(weight * cross entropy) * lossScale to the gradients. */
  virtual void train(const std::vector<Pack> &packs, float lossScale, const Regulariser &regulariser,
                     std::vector<double> &rowLoss) = 0;
  virtual void zeroGradients() = 0;
  /** The summed gradients, laid out like the model's trainable values; valid until the next call. */
  virtual float *gradients() = 0;
  /** The model's trainable values were changed. */
  virtual void valuesChanged() = 0;
};

}  // namespace labdesk
