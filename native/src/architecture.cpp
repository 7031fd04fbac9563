// See architecture.h.
#include "architecture.h"

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *damaged = "Choose another model file, or download this one again.";

constexpr RopePairs adjacent = RopePairs::adjacent, halves = RopePairs::halves;

std::vector<Architecture> makeTable() {
  std::vector<Architecture> out;
  const auto add = [&](const char *name, RopePairs pairs) -> Architecture & {
    out.push_back({});
    out.back().name = name;
    out.back().ropePairs = pairs;
    return out.back();
  };
  add("llama", adjacent).hasRopeFactors = true;
  add("qwen2", halves);
  add("qwen3", halves).headNorm = HeadNorm::perHead;
  Architecture &gemma2 = add("gemma2", halves);
  gemma2.activation = Activation::gelu;
  gemma2.hasPostNorms = gemma2.scalesEmbedding = gemma2.isHeadTied = gemma2.rotatesPartly = true;
  gemma2.windowPeriod = 2;
  gemma2.defaultWindow = 4096;
  gemma2.defaultAttentionCap = 50;
  gemma2.defaultLogitCap = 30;
  Architecture &gemma3 = add("gemma3", halves);
  gemma3.activation = Activation::gelu;
  gemma3.headNorm = HeadNorm::perHead;
  gemma3.hasPostNorms = gemma3.scalesEmbedding = gemma3.rotatesPartly = true;
  gemma3.windowPeriod = 6;
  Architecture &phi3 = add("phi3", halves);
  phi3.hasLongRope = phi3.rotatesPartly = true;
  Architecture &granite = add("granite", adjacent);
  granite.isGranite = granite.hasRopeFactors = true;
  Architecture &olmo2 = add("olmo2", halves);
  olmo2.headNorm = HeadNorm::wholeRow;
  olmo2.hasPreNorms = false;
  olmo2.hasPostNorms = true;
  olmo2.hasPlainQkv = true;
  olmo2.windowPeriod = 4;
  Architecture &qwen3moe = add("qwen3moe", halves);
  qwen3moe.headNorm = HeadNorm::perHead;
  qwen3moe.hasExperts = true;
  Architecture &granitemoe = add("granitemoe", adjacent);
  granitemoe.isGranite = granitemoe.hasRopeFactors = granitemoe.hasExperts = true;
  return out;
}

const std::vector<Architecture> &table() {
  static const std::vector<Architecture> rows = makeTable();
  return rows;
}

// The metadata of one architecture, `<name>.<key>`.
struct Metadata {
  const GgufFile &file;
  std::string prefix;

  [[noreturn]] void refuse(const std::string &key, const std::string &what) const {
    throw Failure("bad-gguf", file.path() + ": the metadata '" + prefix + key + "' " + what, damaged);
  }
  bool has(const std::string &key) const { return file.has(prefix + key); }
  int whole(const std::string &key, long most) const {
    const double value = file.number(prefix + key);
    if (!(value >= 1 && value <= static_cast<double>(most) && value == std::floor(value)))
      refuse(key, "is not a usable number.");
    return static_cast<int>(value);
  }
  int whole(const std::string &key, long most, int fallback) const { return has(key) ? whole(key, most) : fallback; }
  float real(const std::string &key, float fallback) const {
    if (!has(key)) return fallback;
    const double value = file.number(prefix + key);
    if (!std::isfinite(value) || std::fabs(value) > 1e12) refuse(key, "is not a usable number.");
    return static_cast<float>(value);
  }
  bool flag(const std::string &key, bool fallback) const { return has(key) ? file.flag(prefix + key) : fallback; }
  float positive(const std::string &key, float fallback) const {
    const float value = real(key, fallback);
    if (!(value > 0)) refuse(key, "must be above 0.");
    return value;
  }
};

void readHeads(const Metadata &meta, ModelShape &shape) {
  shape.headCount = meta.whole("attention.head_count", 1 << 12);
  shape.kvHeadCount = meta.whole("attention.head_count_kv", 1 << 12, shape.headCount);
  if (shape.headCount % shape.kvHeadCount != 0)
    meta.refuse("attention.head_count_kv", "does not divide the head count.");
  const bool hasSize = meta.has("attention.key_length");
  if (!hasSize && shape.width % shape.headCount != 0) meta.refuse("attention.head_count", "does not divide the width.");
  shape.headSize = hasSize ? meta.whole("attention.key_length", 1 << 12) : shape.width / shape.headCount;
  const int valueSize = meta.whole("attention.value_length", 1 << 12, shape.width / shape.headCount);
  require(valueSize == shape.headSize, "unsupported-architecture",
          meta.file.path() + ": keys of " + std::to_string(shape.headSize) + " and values of " +
              std::to_string(valueSize) + " numbers cannot be trained.",
          "Choose a model whose keys and values have one size.");
  shape.rotated = meta.whole("rope.dimension_count", shape.headSize, shape.headSize);
  if (shape.rotated % 2 != 0) meta.refuse("rope.dimension_count", "is odd.");
  if (shape.rotated != shape.headSize && !shape.architecture->rotatesPartly)
    meta.refuse("rope.dimension_count", "differs from the size of a head.");
  // granite's switch for positions
  if (std::string(shape.architecture->name) == "granite" && !meta.flag("rope.scaling.finetuned", true))
    shape.rotated = 0;
}

// llama.cpp's llama_context: how `rope.scaling.*` becomes the parameters of its RoPE.
void readRope(const Metadata &meta, ModelShape &shape) {
  RopePlan &rope = shape.rope;
  rope.base = meta.positive("rope.freq_base", 10000);
  const std::string key = meta.prefix + "rope.scaling.type", type = meta.file.has(key) ? meta.file.text(key) : "linear";
  require(type == "none" || type == "linear" || type == "yarn" || type == "longrope", "unsupported-architecture",
          meta.file.path() + ": positions scaled by '" + type + "' cannot be trained.",
          "Choose a model with linear, yarn, longrope or no scaling of its positions.");
  const float factor =
      meta.has("rope.scaling.factor") ? meta.real("rope.scaling.factor", 0) : meta.real("rope.scale_linear", 0);
  if (factor < 0) meta.refuse("rope.scaling.factor", "is negative.");
  rope.scale = factor == 0 || type == "none" ? 1 : 1 / factor;
  rope.isLong = type == "longrope";
  rope.originalContext = static_cast<float>(
      meta.whole("rope.scaling.original_context_length", 1 << 30, static_cast<int>(shape.contextLength)));
  // llama.cpp multiplies YaRN's magnitude out of one factor and back into another: 1 in the end for these
  // architectures.
  rope.extension = type == "yarn" ? 1 : 0;
  rope.attention = rope.extension == 0
                       ? 1
                       : std::max(1.0f, 0.1f * std::log(1 / rope.scale) + 1) / (0.1f * std::log(1 / rope.scale) + 1);
  rope.attention *= meta.real("rope.scaling.attn_factor", 1);
}

void readWindows(const Metadata &meta, ModelShape &shape) {
  const Architecture &a = *shape.architecture;
  if (a.windowPeriod == 0) return;
  shape.window = static_cast<int>(meta.real("attention.sliding_window", static_cast<float>(a.defaultWindow)));
  if (shape.window <= 0) {
    shape.window = 0;
    return;
  }
  // llama.cpp reads a single number here and passes over a list.
  const bool isNumber = meta.file.isNumber(meta.prefix + "attention.sliding_window_pattern");
  shape.windowPeriod = isNumber ? meta.whole("attention.sliding_window_pattern", 1024) : a.windowPeriod;
  const std::string name = a.name;
  shape.windowRope = RopePlan{};
  shape.windowRope.originalContext = shape.rope.originalContext;
  if (name == "gemma3") {
    // Its windows keep the base 10,000 and no scaling; the mix of YaRN reaches them too.
    shape.windowRope.extension = shape.rope.extension;
    shape.windowRope.attention = shape.rope.attention;
    shape.windowRope.base = meta.positive("rope.freq_base_swa", 10000);
  } else if (name == "gemma2") {
    shape.windowRope = shape.rope;
    shape.windowRope.base = meta.positive("rope.freq_base_swa", shape.rope.base);
  } else {
    shape.windowRope.base = shape.rope.base;  // olmo2: neither scaling nor YaRN
  }
}

void readScales(const Metadata &meta, ModelShape &shape) {
  const Architecture &a = *shape.architecture;
  shape.attentionScale = 1 / std::sqrt(static_cast<float>(shape.headSize));
  if (a.scalesEmbedding) shape.embeddingScale = std::sqrt(static_cast<float>(shape.width));
  // The 27B of both generations scales by the width a head would have.
  const bool isLargest = (std::string(a.name) == "gemma2" && shape.layerCount == 46) ||
                         (std::string(a.name) == "gemma3" && shape.layerCount == 62);
  if (isLargest) shape.attentionScale = 1 / std::sqrt(static_cast<float>(shape.width / shape.headCount));
  if (a.isGranite) {
    const auto orElse = [](float value, float fallback) { return value == 0 ? fallback : value; };
    shape.attentionScale = orElse(meta.real("attention.scale", 0), shape.attentionScale);
    shape.embeddingScale = orElse(meta.real("embedding_scale", 0), 1);
    shape.residualScale = orElse(meta.real("residual_scale", 0), 1);
    shape.logitScale = 1 / meta.positive("logit_scale", 0);
  }
  shape.attentionCap = a.defaultAttentionCap > 0 ? meta.positive("attn_logit_softcapping", a.defaultAttentionCap) : 0;
  shape.logitCap = meta.real("final_logit_softcapping", a.defaultLogitCap);
  if (shape.logitCap != 0 && std::string(a.name).rfind("gemma", 0) != 0) shape.logitCap = 0;
  if (shape.logitCap < 0) meta.refuse("final_logit_softcapping", "is negative.");
}

void readExperts(const Metadata &meta, ModelShape &shape) {
  const double count = meta.has("expert_count") ? meta.file.number(meta.prefix + "expert_count") : 0;
  const bool hasExperts = count > 0;
  require(hasExperts == shape.architecture->hasExperts, "unsupported-architecture",
          meta.file.path() +
              (hasExperts ? ": mixture-of-experts models of the architecture '"
                          : ": models without experts of the architecture '") +
              shape.architecture->name + "' cannot be trained.",
          "Choose a dense model, or a mixture of experts of the architecture qwen3moe or granitemoe.");
  if (!hasExperts) return;
  shape.expertCount = meta.whole("expert_count", 1 << 12);
  shape.expertsUsed = meta.whole("expert_used_count", shape.expertCount);
  const bool isOwnWidth = std::string(shape.architecture->name) == "qwen3moe";
  shape.expertWidth = isOwnWidth && meta.has("expert_feed_forward_length")
                          ? meta.whole("expert_feed_forward_length", 1 << 20)
                      : isOwnWidth ? shape.ffnWidth / shape.expertsUsed
                                   : shape.ffnWidth;
  if (shape.architecture->isGranite)
    shape.sharedWidth = static_cast<int>(meta.real("expert_shared_feed_forward_length", 0));
  if (shape.sharedWidth < 0 || shape.sharedWidth > 1 << 20)
    meta.refuse("expert_shared_feed_forward_length", "is not usable.");
}

}  // namespace

const Architecture *findArchitecture(const std::string &name) {
  for (const Architecture &a : table())
    if (name == a.name) return &a;
  return nullptr;
}

std::string architectureNames() {
  std::string out;
  for (const Architecture &a : table()) out += (out.empty() ? "" : ", ") + std::string(a.name);
  return out;
}

namespace {

// Metadata that would change what llama.cpp computes and is not computed here.
void refuseOthers(const Metadata &meta) {
  for (const char *key : {"attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count_swa",
                          "deepstack_mapping", "nextn_predict_layers", "expert_group_count"})
    require(!meta.has(key) || (meta.file.isNumber(meta.prefix + key) && meta.file.number(meta.prefix + key) <= 1),
            "unsupported-architecture",
            meta.file.path() + ": a model with '" + meta.prefix + key + "' cannot be trained.",
            "Choose another model.");
  require(meta.flag("attention.causal", true), "unsupported-architecture",
          meta.file.path() + ": a model that looks ahead cannot be trained.", "Choose another model.");
}

}  // namespace

ModelShape readShape(const GgufFile &file) {
  ModelShape shape;
  const std::string name = file.text("general.architecture");
  shape.architecture = findArchitecture(name);
  require(shape.architecture != nullptr, "unsupported-architecture",
          file.path() + ": the architecture '" + name + "' cannot be trained.",
          "Choose a model of another architecture: " + architectureNames() + ".");
  const Metadata meta{file, name + "."};
  refuseOthers(meta);
  shape.layerCount = meta.whole("block_count", 1024);
  shape.width = meta.whole("embedding_length", 1 << 16);
  shape.ffnWidth = meta.whole("feed_forward_length", 1 << 20);
  shape.contextLength = meta.whole("context_length", 1 << 30);
  readHeads(meta, shape);
  shape.eps = meta.positive("attention.layer_norm_rms_epsilon", 0);
  if (shape.eps >= 1) meta.refuse("attention.layer_norm_rms_epsilon", "is not a usable number.");
  readRope(meta, shape);
  readWindows(meta, shape);
  readScales(meta, shape);
  readExperts(meta, shape);
  const GgufTensor *embedding = file.tensor("token_embd.weight");
  require(embedding && embedding->shape.size() == 2 && embedding->shape[1] < (1 << 24), "bad-gguf",
          file.path() + ": the tensor 'token_embd.weight' is missing or misshaped.", damaged);
  shape.vocabSize = static_cast<int>(embedding->shape[1]);
  shape.isTied = shape.architecture->isHeadTied || file.tensor("output.weight") == nullptr;
  return shape;
}

// ggml's rope_yarn: the frequency is mixed between its own and the scaled one, by where it lies between two
// corrections.
std::vector<float> ropeTable(const RopePlan &plan, int rotated, int positions) {
  const auto correction = [&](double turns) {
    return rotated * std::log(plan.originalContext / (turns * 2 * M_PI)) /
           (2 * std::log(static_cast<double>(plan.base)));
  };
  const double low = plan.extension == 0 ? 0 : std::max(0.0, std::floor(correction(plan.betaFast)));
  const double high = plan.extension == 0 ? 0 : std::min(rotated - 1.0, std::ceil(correction(plan.betaSlow)));
  const double magnitude = plan.attention * (plan.extension == 0 ? 1 : 1 + 0.1 * std::log(1.0 / plan.scale));
  std::vector<float> out(static_cast<size_t>(positions) * static_cast<size_t>(rotated));
  for (int i = 0; i < rotated; i += 2) {
    double frequency = std::pow(static_cast<double>(plan.base), -static_cast<double>(i) / rotated);
    if (!plan.factors.empty()) frequency /= plan.factors[static_cast<size_t>(i / 2)];
    double turn = frequency * plan.scale;
    if (plan.extension != 0) {
      const double y = (i / 2 - low) / std::max(0.001, high - low);
      const double mix = (1 - std::min(1.0, std::max(0.0, y))) * plan.extension;
      turn = turn * (1 - mix) + frequency * mix;
    }
    for (int p = 0; p < positions; p++) {
      const size_t at = static_cast<size_t>(p) * static_cast<size_t>(rotated) + static_cast<size_t>(i);
      out[at] = static_cast<float>(std::cos(p * turn) * magnitude);
      out[at + 1] = static_cast<float>(std::sin(p * turn) * magnitude);
    }
  }
  return out;
}

}  // namespace labdesk
