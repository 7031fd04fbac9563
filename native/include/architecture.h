// What each supported `general.architecture` computes, as data: one row of a table an architecture, and the numbers
// that its metadata adds. Source of every rule: the llama.cpp release that node-llama-cpp ships (src/models/*.cpp).
#pragma once
#include <string>
#include <vector>

#include "gguf_file.h"

namespace labdesk {

enum class RopePairs { adjacent, halves };  // (2i, 2i + 1) or (i, i + rotated / 2)
enum class Activation { silu, gelu };       // gelu: the tanh approximation
enum class HeadNorm { none, perHead, wholeRow };

struct Architecture {
  const char *name;
  RopePairs ropePairs;
  Activation activation = Activation::silu;
  HeadNorm headNorm = HeadNorm::none;
  bool hasPreNorms = true, hasPostNorms = false;
  bool scalesEmbedding = false;  // by sqrt(width)
  bool isGranite = false;        // embedding, residual, attention and logit scales in the metadata
  bool hasExperts = false;       // only mixtures of experts; the router stays frozen
  bool isHeadTied = false;       // never reads output.weight
  bool rotatesPartly = false;    // RoPE may turn only the first part of a head
  bool hasRopeFactors = false;   // rope_freqs, or long and short factors when the scaling's type is longrope
  bool hasLongRope = false;      // long and short factors whatever the type
  bool hasPlainQkv = false;      // three tensors without biases
  int windowPeriod = 0;          // every period-th layer sees everything, the others `window` tokens; 0: no windows
  int defaultWindow = 0;
  float defaultAttentionCap = 0, defaultLogitCap = 0;
};

/** Null when the architecture is not supported. */
const Architecture *findArchitecture(const std::string &name);
/** "llama, qwen2, ..." for messages. */
std::string architectureNames();

// The turn of a position p in dimension pair i: p * base^(-2i / rotated), scaled as llama.cpp scales it.
struct RopePlan {
  float base = 10000, scale = 1;       // scale: 1 / factor
  float extension = 0, attention = 1;  // YaRN's mix and the factor on sine and cosine
  float betaFast = 32, betaSlow = 1;
  float originalContext = 0;
  bool isLong = false;         // the scaling's type is longrope
  std::vector<float> factors;  // [rotated / 2] or empty: divides the frequency (llama3, longrope)
};

struct ModelShape {
  const Architecture *architecture = nullptr;
  int layerCount = 0, width = 0, headCount = 0, kvHeadCount = 0, headSize = 0, rotated = 0, ffnWidth = 0, vocabSize = 0;
  long contextLength = 0;
  float eps = 0;
  bool isTied = false;  // the head is the embedding
  float attentionScale = 0, embeddingScale = 1, residualScale = 1, logitScale = 1;
  float attentionCap = 0, logitCap = 0;  // cap * tanh(x / cap); 0: none
  int window = 0, windowPeriod = 0;
  RopePlan rope, windowRope;  // of layers that see everything, and of windowed ones
  int expertCount = 0, expertsUsed = 0, expertWidth = 0, sharedWidth = 0;

  int queryWidth() const { return headCount * headSize; }
  int kvWidth() const { return kvHeadCount * headSize; }
  int qkvWidth() const { return queryWidth() + 2 * kvWidth(); }
  /** Tokens a query of this layer sees, itself included; 0: all earlier ones. */
  int windowOf(int layer) const {
    return window > 0 && windowPeriod > 0 && layer % windowPeriod < windowPeriod - 1 ? window : 0;
  }
  const RopePlan &ropeOf(int layer) const { return windowOf(layer) > 0 ? windowRope : rope; }
};

/**
 * Reads everything but the rope factors, which are tensors. Throws `unsupported-architecture` or `bad-gguf` with the
 * metadata's name.
 */
ModelShape readShape(const GgufFile &file);

/** [positions][rotated]: cos, sin, cos, sin... as llama.cpp turns them. */
std::vector<float> ropeTable(const RopePlan &plan, int rotated, int positions);

}  // namespace labdesk
