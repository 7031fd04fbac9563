// See pass_buffers.h.
#include "pass_buffers.h"

#include <algorithm>

namespace labdesk {

namespace {

// Hands out consecutive 64-byte aligned pieces of one allocation; with a null base it only measures.
struct Carver {
  float *base;
  size_t used = 0;
  template <typename... Counts>
  float *take(Counts... counts) {
    const size_t count = (static_cast<size_t>(counts) * ...);
    if (count == 0) return nullptr;
    float *at = base ? base + used : nullptr;
    used += (count + 15) / 16 * 16;
    return at;
  }
};

void carveLayer(Carver &carver, const ModelShape &s, const Layer &layer, long tokens, Activations &a) {
  const bool hasHeadNorm = s.architecture->headNorm != HeadNorm::none, hasPostNorms = s.architecture->hasPostNorms;
  const long slots = tokens * s.expertsUsed;
  a.qkv = carver.take(tokens, s.qkvWidth());
  a.headsRaw = carver.take(hasHeadNorm, tokens, s.queryWidth() + s.kvWidth());
  a.attention = carver.take(tokens, s.queryWidth());
  a.logSumExp = carver.take(tokens, s.headCount);
  a.attentionRaw = carver.take(hasPostNorms, tokens, s.width);
  a.middle = carver.take(tokens, s.width);
  a.gateUp = carver.take(tokens, layer.gateUp.out);
  a.downRaw = carver.take(hasPostNorms, tokens, s.width);
  a.adaptQkv = carver.take(tokens, layer.qkv.adapterWidth());
  a.adaptOut = carver.take(tokens, layer.attentionOut.adapterWidth());
  a.adaptGateUp = carver.take(tokens, layer.gateUp.adapterWidth());
  a.adaptDown = carver.take(tokens, layer.down.adapterWidth());
  a.experts.chances = carver.take(tokens, s.expertCount);
  a.experts.weights = carver.take(slots);
  a.experts.gate = carver.take(slots, s.expertWidth);
  a.experts.up = carver.take(slots, s.expertWidth);
  a.experts.out = carver.take(slots, s.width);
}

// Layers below the first trained one keep nothing: they share one set. When layers are computed again, all share it but
// their inputs.
void carveLayers(Carver &carver, const Model &model, const PassPlan &plan, std::vector<Activations> &out) {
  const ModelShape &s = model.shape();
  const std::vector<Layer> &layers = model.layers();
  const int firstKept = model.mode() == Mode::frozen ? s.layerCount : model.firstTrainedLayer();
  const bool shares = plan.recompute || firstKept > 0;
  Activations shared{};
  if (shares) {
    // The last layer has all the adapters that any has.
    carveLayer(carver, s, layers.back(), plan.maxTokens, shared);
    shared.input = carver.take(plan.maxTokens, s.width);
  }
  for (int i = 0; i < s.layerCount; i++) {
    Activations a = shared;
    if (i >= firstKept) {
      a.input = carver.take(plan.maxTokens, s.width);
      if (!plan.recompute) carveLayer(carver, s, layers[static_cast<size_t>(i)], plan.maxTokens, a);
    }
    out.push_back(std::move(a));
  }
}

void carveForTraining(Carver &carver, const Model &model, const PassPlan &plan, PassBuffers &b) {
  const ModelShape &s = model.shape();
  const Layer &layer = model.layers().back();
  const long tokens = plan.maxTokens, slots = tokens * s.expertsUsed;
  int adapterWidth = 0, adaptedInput = 0;
  for (const Linear *l : {&layer.qkv, &layer.attentionOut, &layer.gateUp, &layer.down}) {
    adapterWidth = std::max(adapterWidth, l->adapterWidth());
    if (!l->adapters.empty()) adaptedInput = std::max(adaptedInput, l->in);
  }
  b.normedGrad = carver.take(tokens, s.width);
  b.streamGrad = carver.take(tokens, s.width);
  b.chosenGrad = carver.take(tokens, s.width);
  b.actGrad = carver.take(tokens, layer.down.in);
  b.gateUpGrad = carver.take(tokens, layer.gateUp.out);
  b.attentionGrad = carver.take(tokens, s.queryWidth());
  b.qkvGrad = carver.take(tokens, s.qkvWidth());
  b.sharedGrad = carver.take(s.headCount != s.kvHeadCount, 2 * tokens, s.queryWidth());
  b.adaptGrad = carver.take(tokens, adapterWidth);
  b.dropped = carver.take(plan.drops, tokens, adaptedInput);
  b.experts.dy = carver.take(slots, s.width);
  b.experts.actGrad = carver.take(slots, s.expertWidth);
  b.experts.gateGrad = carver.take(slots, s.expertWidth);
  b.experts.upGrad = carver.take(slots, s.expertWidth);
  b.experts.chanceGrad = carver.take(tokens, s.expertCount);
}

}  // namespace

PassBuffers carveBuffers(const Model &model, const PassPlan &plan, float *base, size_t &floats) {
  const ModelShape &s = model.shape();
  const long tokens = plan.maxTokens, slots = tokens * s.expertsUsed;
  Carver carver{base};
  PassBuffers b;
  carveLayers(carver, model, plan, b.layers);
  b.stream = carver.take(tokens, s.width);
  b.normed = carver.take(tokens, s.width);
  b.branch = carver.take(tokens, s.width);
  b.act = carver.take(tokens, model.layers().back().down.in);
  b.chosen = carver.take(tokens, s.width);
  b.chosenNormed = carver.take(tokens, s.width);
  b.logits = carver.take(std::min(headChunk, tokens), s.vocabSize);
  b.cappedLogits = carver.take(s.logitCap > 0 || plan.usesBase, std::min(headChunk, tokens), s.vocabSize);
  b.baseLogits = carver.take(plan.usesBase, std::min(headChunk, tokens), s.vocabSize);
  b.chosenBase = carver.take(plan.usesBase, tokens, s.width);
  b.experts.x = carver.take(slots, s.width);
  b.experts.act = carver.take(slots, s.expertWidth);
  if (model.mode() != Mode::frozen) carveForTraining(carver, model, plan, b);
  floats = carver.used;
  return b;
}

}  // namespace labdesk
