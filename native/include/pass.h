// Forward and backward pass of one pack at a time on the CPU's kernels, written out operation by operation. Owns
// activations and gradients; all workers share them, each making its own numbers.
#pragma once
#include <vector>

#include "buffer.h"
#include "executor.h"
#include "pass_buffers.h"

namespace labdesk {

class Pass {
 public:
  Pass(const Model &model, const Kernels &kernels, Workers &workers, const PassPlan &plan);

  /** Whom the operators of the next packs are shared out to. */
  void useWorkers(Workers &workers) { products_.useWorkers(workers); }
  void evaluate(const Pack &pack, bool base, std::vector<double> &rowLoss);
  /** Adds to the gradients. */
  void train(const Pack &pack, float lossScale, const Regulariser &regulariser, std::vector<double> &rowLoss);
  float *gradients() { return grads_.get(); }

  /** Bytes of activations and gradients. */
  static size_t plannedBytes(const Model &model, const PassPlan &plan);
  /** Bytes each thread takes beside them. */
  static size_t scratchBytes(const Model &model, const PassPlan &plan);

 private:
  // The linears of a layer, told apart for dropout.
  enum Site : uint64_t { siteQkv, siteOut, siteGateUp, siteDown, sites };
  static uint64_t siteOf(const Layer &layer, Site site) { return static_cast<uint64_t>(layer.index) * sites + site; }

  void embed(const Pack &pack, float *out) const;
  const float *norm(const Vector &weight, const float *x, long rows);
  void normGrad(const Vector &weight, const float *x, const float *dy, float *dx, bool accumulate, long rows);
  void normWeightGrad(const Vector &weight, RowsIn x, RowsIn dy, int width, long rows);
  void normHeads(const Layer &layer, Activations &a, long tokens);
  void normHeadsGrad(const Layer &layer, const Activations &a, long tokens);
  void rotate(const Pack &pack, const Layer &layer, float *qkv, float direction) const;
  AttentionArgs attentionArgs(const Pack &pack, const Layer &layer, const Activations &a) const;
  void attend(const Pack &pack, const AttentionArgs &args) const;
  void attendBack(const Pack &pack, AttentionArgs args);
  void join(const Vector &postNorm, const float *from, const float *raw, long tokens, float *into);
  bool joinsPlainly() const;
  void forwardAttention(const Layer &layer, const Pack &pack, Activations &a);
  void forwardFeedForward(const Layer &layer, long tokens, Activations &a, float *out);
  const float *branchGrad(const Vector &postNorm, const float *raw, long tokens);
  void backwardFeedForward(const Layer &layer, long tokens, Activations &a);
  void backwardAttention(const Layer &layer, const Pack &pack, Activations &a, bool needsInputGrad);
  void enterStream(const Vector &preNorm, const float *x, long tokens);
  void forwardAll(const Pack &pack, const Regulariser *regulariser);
  void backwardAll(const Pack &pack);

  void chooseRows(const Pack &pack, float *normed);
  void rememberBase(const Pack &pack);
  void head(const Pack &pack, float gradScale, float klWeight, bool trains, std::vector<double> &rowLoss);
  void headRow(const Pack &pack, long row, long inChunk, float gradScale, float klWeight, double *loss);
  void headLogits(const float *normed, long rows, float *logits);
  void headGrad(const Pack &pack);
  void scatterEmbedding(const Pack &pack);

  const Model &model_;
  const PassPlan plan_;
  Products products_;
  const Kernels &kernels_;
  Buffer<float> memory_, grads_;
  PassBuffers b_;
  LinearOps linear_;
  ExpertOps experts_;
  std::vector<float> ropeTable_, windowRopeTable_;  // [position][rotated]
  std::vector<uint64_t> seeds_;                     // [T], for dropout
};

}  // namespace labdesk
