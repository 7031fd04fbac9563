// The nodes of one forward or training pass over one pack on a device. Refuses nothing: what a device cannot do is
// refused before.
#pragma once
#include <vector>

#include "device_attention.h"
#include "device_linear.h"

namespace labdesk {

struct DevicePassPlan {
  bool recompute = false;  // keep only layer inputs
  bool base = false;       // as if the adapters were not there
  float gradFactor = 1;    // of every gradient
  float klWeight = 0;
  std::vector<float> noise;  // [width, tokens] added to the embeddings (not to the base's), or empty
};

class DevicePass {
 public:
  /** `pack`: of any length; the graph's tokens are filled up to whole steps with rows of no consequence. */
  DevicePass(Graph &graph, const DeviceWeights &weights, const Pack &pack, const DevicePassPlan &plan);

  // Each appends a whole pass.
  void evaluate();
  void train();

  /** After the graph ran: log p(target) of every predictor, in the pack's order. */
  std::vector<float> readLogProbabilities() const;

  /** Nodes that suffice for a training pass over any pack of at most so many tokens. */
  static size_t nodeLimit(const Model &model, long tokens);

 private:
  // What the backward pass needs of one layer.
  struct Activations {
    Tensor input;                  // [width, tokens]
    Tensor queryRaw, keyRaw;       // before their norm
    DeviceAttention::Heads heads;  // normed and rotated
    Tensor attention;              // [queryWidth, tokens]
    Tensor attentionRaw;           // [width, tokens] before the post norm
    Tensor middle;                 // [width, tokens]
    Tensor gate, up;               // [ffnWidth, tokens]
    Tensor downRaw;                // [width, tokens] before the post norm
  };

  static Pack fillUp(const Pack &pack);
  Tensor norm(const DeviceValue &weight, Tensor x);
  Tensor normGrad(const DeviceValue &weight, Tensor x, Tensor dy, bool wantsInput = true);
  Tensor rotate(int layer, Tensor x, bool isBack);
  Tensor embed(bool isNoisy);
  void embeddingGrad(Tensor dx);
  Tensor forwardLayer(int layer, Activations &a, bool bare, bool wantsOutput);
  Tensor forwardAll(std::vector<Activations> *kept, bool bare);
  Tensor backwardFeedForward(int layer, const Activations &a, Tensor dy);
  Tensor backwardAttention(int layer, const Activations &a, Tensor dMiddle, bool wantsInput);

  // One chunk of predictors' logits, [vocab, rows], as they come out of the head and after scale and cap.
  struct Logits {
    Tensor tanhs;          // null without a cap
    Tensor probabilities;  // softmax
  };
  Logits logitsOf(Tensor normed, bool bare);
  Tensor logitGrad(const Logits &logits, long first, long rows, Tensor atTarget, Tensor targetIndex, Tensor base);
  /** The gradient of the chosen rows' hidden states, or null when not training. */
  Tensor head(Tensor chosen, Tensor base, bool trains);

  Graph &graph_;
  const DeviceWeights &weights_;
  const ModelShape &shape_;
  const Pack pack_;
  const DevicePassPlan plan_;
  DeviceAttention attention_;
  DeviceProducts products_;
  Tensor positions_, predictors_;
  std::vector<Tensor> logProbabilities_;  // [1, rows] each
};

}  // namespace labdesk
