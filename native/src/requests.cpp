// See requests.h.
#include "requests.h"

#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

double setting(const Json &request, const char *key, double most) {
  const double value = request.number(key);
  require(value >= 0 && value <= most, "bad-request", std::string("The setting '") + key + "' is outside its range.",
          reportRemedy);
  return value;
}

double optional(const Json &request, const char *key, double most) {
  return request.find(key) ? setting(request, key, most) : 0;
}

OptimizerPlan readOptimizer(const Json &request) {
  OptimizerPlan plan;
  plan.beta1 = setting(request, "beta1", 0.9999999);
  plan.beta2 = setting(request, "beta2", 0.9999999);
  plan.eps = setting(request, "eps", 1e12);
  plan.weightDecay = setting(request, "weightDecay", 100);
  plan.clipNorm = setting(request, "clipNorm", 1e30);
  plan.isEightBit = request.flag("eightBit");
  require(plan.eps > 0, "bad-request", "The optimiser's 'eps' must be above 0.", reportRemedy);
  return plan;
}

LoraPlan readLora(const Json &lora) {
  LoraPlan plan;
  plan.rank = static_cast<int>(lora.integer("rank", 1, 1024));
  plan.alpha = lora.number("alpha");
  plan.seed = lora.number("seed");
  plan.isRankStabilised = lora.flag("rankStabilised");
  plan.keepsToLeast = lora.flag("leastUsed");
  require(plan.alpha > 0, "bad-request", "The adapter's alpha must be above 0.", reportRemedy);
  static const char *known[] = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};
  for (const Json &target : lora.list("targets")) {
    bool isKnown = false;
    for (const char *name : known) isKnown = isKnown || target.asText() == name;
    require(isKnown, "bad-request", "The adapter target '" + target.asText() + "' is unknown.", reportRemedy);
    plan.targets.push_back(target.asText());
  }
  require(!plan.targets.empty(), "bad-request", "An adapter needs at least one target.", reportRemedy);
  if (lora.find("continueFrom")) plan.continueFrom = lora.text("continueFrom");
  return plan;
}

LoadPlan readModel(const Json &request) {
  LoadPlan plan;
  plan.modelPath = request.text("modelPath");
  const std::string mode = request.text("mode");
  require(mode == "full" || mode == "lora" || mode == "frozen", "bad-request", "The mode '" + mode + "' is unknown.",
          reportRemedy);
  plan.mode = mode == "full" ? Mode::full : mode == "lora" ? Mode::lora : Mode::frozen;
  if (const Json *init = request.find("init")) {
    require(init->text("kind") == "random" && plan.mode == Mode::full, "bad-request",
            "Random weights are only for full training.", reportRemedy);
    plan.isRandom = true;
    plan.initSeed = init->number("seed");
  }
  if (const Json *freeze = request.find("freeze")) {
    if (freeze->find("layers")) plan.frozenLayers = static_cast<int>(freeze->integer("layers", 0, 1024));
    plan.trainsEmbedding = !freeze->flag("embedding");
  }
  const bool isWhole = plan.frozenLayers == 0 && plan.trainsEmbedding;
  require(isWhole || !plan.isRandom, "bad-request", "Random weights cannot stay frozen.",
          "Freeze nothing, or start from a trained model.");
  if (plan.mode == Mode::lora) plan.lora = readLora(request.object("lora"));
  return plan;
}

Regulariser readRegulariser(const Json &request, Mode mode) {
  Regulariser out;
  out.neftuneAlpha = static_cast<float>(optional(request, "neftuneAlpha", 1000));
  out.dropout = static_cast<float>(optional(request, "dropout", 0.9));
  out.klWeight = static_cast<float>(optional(request, "klWeight", 1000));
  out.seed = static_cast<uint64_t>(static_cast<int64_t>(request.number("seed")));
  require(mode == Mode::lora || (out.dropout == 0 && out.klWeight == 0), "bad-request",
          "Dropout and the distance to the base need adapters on a frozen base.", "Choose LoRA, or leave them out.");
  return out;
}

}  // namespace

LoadRequest readLoadRequest(const Json &request) {
  LoadRequest out;
  out.model = readModel(request);
  out.optimizer = readOptimizer(request.object("optimizer"));
  if (request.find("regularise")) out.regulariser = readRegulariser(request.object("regularise"), out.model.mode);
  out.pass.maxTokens = static_cast<int>(request.integer("microbatchTokens", 1, 1 << 20));
  out.pass.recompute = request.flag("recompute");
  out.pass.usesBase = out.regulariser.klWeight > 0;
  out.pass.drops = out.regulariser.dropout > 0;
  out.model.contextTokens = out.pass.maxTokens;
  return out;
}

}  // namespace labdesk
