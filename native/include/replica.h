// One worker's copy of everything a forward and backward pass writes: activations and gradients. Reads the shared
// model, never writes it.
#pragma once
#include <vector>

#include "buffer.h"
#include "model.h"

namespace labdesk {

// Rows laid end to end; token i of a row predicts token i + 1.
struct Pack {
  std::vector<int> tokens, positions;  // [tokens]
  std::vector<Segment> segments;       // one a row
  // One entry for each token whose prediction counts:
  std::vector<int> predictors;  // index of the token that predicts
  std::vector<int> targets;     // token id to predict
  std::vector<float> weights;
  std::vector<int> rows;  // the step's row it belongs to
};

class Replica {
 public:
  Replica(const Model &model, const Kernels &kernels, int maxTokens, bool recompute);

  /** Adds each row's weighted cross entropy to rowLoss. */
  void evaluate(const Pack &pack, std::vector<double> &rowLoss);
  /** The same, and adds the gradient of sum(weight * cross entropy) * lossScale to grads(). */
  void train(const Pack &pack, float lossScale, std::vector<double> &rowLoss);

  Buffer<float> &grads() { return grads_; }
  size_t sizeBytes() const;
  static size_t plannedBytes(const Model &model, int maxTokens, bool recompute);

 private:
  // What the backward pass needs of one layer. T = tokens.
  struct Activations {
    float *input;                                          // [T][width]
    float *qkv;                                            // [T][qkvWidth], rotated
    float *attention;                                      // [T][queryWidth]
    float *logSumExp;                                      // [heads][T]
    float *middle;                                         // [T][width], after attention
    float *gateUp;                                         // [T][2 ffnWidth]
    float *adaptQkv, *adaptOut, *adaptGateUp, *adaptDown;  // [T][rank * targets], A x
  };

  void placeBuffers(int maxTokens, bool recompute);
  void embed(const Pack &pack, float *out) const;
  void forwardLayer(const Layer &layer, const Pack &pack, Activations &a, float *out);
  void backwardLayer(const Layer &layer, const Pack &pack, Activations &a, bool needsInputGrad);
  void head(const Pack &pack, const float *hidden, float gradScale, bool trains, std::vector<double> &rowLoss);
  void scatterEmbedding(const Pack &pack);
  AttentionArgs attentionArgs(const Pack &pack, const Activations &a) const;
  void rotate(const Pack &pack, float *qkv, float direction) const;

  // y (+)= W x + adapters; `adapted` keeps A x
  void apply(const Linear &linear, const float *x, long tokens, float *y, bool accumulate, float *adapted) const;
  void applyDown(const Linear &linear, const float *x, long tokens, float *adapted) const;
  // adaptGrad_ = scale * B^T dy, needed by the two below
  void gradAdapters(const Linear &linear, const float *dy, long tokens);
  void gradWeights(const Linear &linear, const float *x, const float *dy, long tokens, const float *adapted);
  void gradInput(const Linear &linear, const float *dy, long tokens, float *dx, bool accumulate) const;

  const Model &model_;
  const Kernels &kernels_;
  bool recompute_;
  Buffer<float> memory_, grads_;
  std::vector<float> ropeTable_;  // [position][rotated]: cos, sin, cos, sin...
  std::vector<Activations> layers_;
  float *stream_ = nullptr;                                // [T][width]
  float *normed_ = nullptr;                                // [T][width]
  float *normedGrad_ = nullptr;                            // [T][width]
  float *streamGrad_ = nullptr;                            // [T][width]
  float *act_ = nullptr;                                   // [T][ffnWidth]
  float *actGrad_ = nullptr;                               // [T][ffnWidth]
  float *gateUpGrad_ = nullptr;                            // [T][2 ffnWidth]
  float *attentionGrad_ = nullptr;                         // [T][queryWidth]
  float *qkvGrad_ = nullptr;                               // [T][qkvWidth]
  float *adaptGrad_ = nullptr;                             // [T][rank * targets]
  float *chosen_ = nullptr;                                // [T][width] hidden states that predict
  float *chosenNormed_ = nullptr, *chosenGrad_ = nullptr;  // [T][width]
  float *logits_ = nullptr;                                // [headChunk][vocab]
};

}  // namespace labdesk
