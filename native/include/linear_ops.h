// y = W x + bias + scale * B (A x), and its gradients, on the CPU's kernels. Owns nothing of the model; its scratch and
// the summed gradients are the pass's.
#pragma once
#include <cstdint>
#include <vector>

#include "model.h"
#include "products.h"

namespace labdesk {

// Dropout in front of the adapters of one forward and backward pass; share 0: none.
struct Dropping {
  float share = 0;
  const uint64_t *seeds = nullptr;  // [tokens]
};

class LinearOps {
 public:
  LinearOps(const Model &model, const Products &products, float *grads)
      : model_(model), products_(products), grads_(grads) {}

  // [tokens][widest input], [tokens][widest adapter]; dropped may be null when nothing is dropped
  void useScratch(float *adaptGrad, float *dropped) {
    adaptGrad_ = adaptGrad;
    dropped_ = dropped;
  }
  void setDropping(Dropping dropping) { dropping_ = dropping; }
  /** Whether adapters take part; without them the model is its base. */
  void setAdapters(bool areOn) { areAdaptersOn_ = areOn; }

  /** y = from + W x + bias + adapters, `from` like y or null; `adapted` keeps scale * A x, [tokens][adapterWidth]. */
  void apply(const Linear &linear, uint64_t site, const float *x, long tokens, float *y, const float *from,
             float *adapted) const;
  /** The adapters' A alone, as when a layer is computed again and its output is not needed. */
  void applyDown(const Linear &linear, uint64_t site, const float *x, long tokens, float *adapted) const;
  /** scale * B^T dy, needed by the two below; kept until the next call. */
  void gradAdapters(const Linear &linear, const float *dy, long tokens);
  void gradWeights(const Linear &linear, uint64_t site, const float *x, const float *dy, long tokens,
                   const float *adapted);
  void gradInput(const Linear &linear, uint64_t site, const float *dy, long tokens, float *dx, bool accumulate) const;

 private:
  bool isAdapted(const Linear &linear) const { return areAdaptersOn_ && !linear.adapters.empty(); }
  void addBias(const Linear &linear, long tokens, float *y, const float *from) const;
  void gradBias(const Vector &bias, const float *dy, long tokens);
  const float *dropInput(const Linear &linear, uint64_t site, const float *x, long tokens) const;

  const Model &model_;
  const Products &products_;
  float *grads_;
  float *adaptGrad_ = nullptr, *dropped_ = nullptr;
  Dropping dropping_;
  bool areAdaptersOn_ = true;
};

}  // namespace labdesk
