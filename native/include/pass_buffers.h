// Everything a forward and backward pass writes, carved out of one allocation. One plan serves the allocation and the
// estimate before it.
#pragma once
#include <cstddef>
#include <vector>

#include "expert_ops.h"
#include "model.h"

namespace labdesk {

struct PassPlan {
  int maxTokens = 0;
  bool recompute = false;  // keep only layer inputs, compute the rest again in the backward pass
  bool usesBase = false;   // KL to the base needs its logits too
  bool drops = false;      // dropout
};

constexpr long headChunk = 256;  // rows of logits held at once

// What the backward pass needs of one layer. T = tokens.
struct Activations {
  float *input = nullptr;         // [T][width]
  float *qkv = nullptr;           // [T][qkvWidth], normed and rotated
  float *headsRaw = nullptr;      // [T][queryWidth + kvWidth] before their norm; null without one
  float *attention = nullptr;     // [T][queryWidth]
  float *logSumExp = nullptr;     // [heads][T]
  float *attentionRaw = nullptr;  // [T][width] before the post norm; null without one
  float *middle = nullptr;        // [T][width], after attention
  float *gateUp = nullptr;        // [T][2 ffnWidth]
  float *downRaw = nullptr;       // [T][width] before the post norm; null without one
  float *adaptQkv = nullptr, *adaptOut = nullptr, *adaptGateUp = nullptr,
        *adaptDown = nullptr;  // [T][adapterWidth], scale * A x
  ExpertActivations experts;
};

struct PassBuffers {
  std::vector<Activations> layers;
  float *stream = nullptr;        // [T][width], the last layer's output
  float *normed = nullptr;        // [T][width]
  float *branch = nullptr;        // [T][width], a branch before it joins, or its gradient
  float *act = nullptr;           // [T][ffnWidth]
  float *chosen = nullptr;        // [T][width], hidden states that predict
  float *chosenNormed = nullptr;  // [T][width]
  float *chosenBase = nullptr;    // [T][width], normed, of the base
  float *logits = nullptr;        // [headChunk][vocab]
  float *cappedLogits = nullptr;  // [headChunk][vocab], with a cap or a base
  float *baseLogits = nullptr;    // [headChunk][vocab]
  // Training only:
  float *normedGrad = nullptr;     // [T][width]
  float *streamGrad = nullptr;     // [T][width]
  float *chosenGrad = nullptr;     // [T][width]
  float *actGrad = nullptr;        // [T][ffnWidth]
  float *gateUpGrad = nullptr;     // [T][2 ffnWidth]
  float *attentionGrad = nullptr;  // [T][queryWidth]
  float *qkvGrad = nullptr;        // [T][qkvWidth]
  float *sharedGrad = nullptr;     // [T][heads][2 headSize], null with one head a key head
  float *adaptGrad = nullptr;      // [T][widest adapter]
  float *dropped = nullptr;        // [T][widest adapted input], with dropout
  ExpertOps::Scratch experts;
};

/** The buffers inside `base`, which holds `floats` numbers; with a null base only `floats` is found. */
PassBuffers carveBuffers(const Model &model, const PassPlan &plan, float *base, size_t &floats);

}  // namespace labdesk
