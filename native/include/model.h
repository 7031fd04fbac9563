// A llama model in memory: its shape, its frozen weights in their own type, and the trainable values as one flat F32
// array. Query/key/value and gate/up stand next to each other, so each group is one matrix product. Refuses, by name,
// any tensor or metadata that it would not compute exactly as llama.cpp does.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "buffer.h"
#include "ggml_library.h"
#include "gguf_file.h"
#include "kernels.h"

namespace labdesk {

enum class Mode { full, lora, frozen };

struct ModelShape {
  int layerCount = 0, width = 0, headCount = 0, kvHeadCount = 0, headSize = 0, rotated = 0, ffnWidth = 0, vocabSize = 0;
  long contextLength = 0;
  float eps = 0, ropeBase = 0;
  bool isTied = false;  // the head is the embedding
  int queryWidth() const { return headCount * headSize; }
  int kvWidth() const { return kvHeadCount * headSize; }
  int qkvWidth() const { return queryWidth() + 2 * kvWidth(); }
};

struct LoraPlan {
  int rank = 0;
  double alpha = 0;
  double seed = 0;
  std::vector<std::string> targets;  // attn_q, ffn_up...
  std::string continueFrom;          // adapter GGUF, or empty
};

struct LoadPlan {
  std::string modelPath;
  Mode mode = Mode::frozen;
  bool isRandom = false;
  double initSeed = 0;
  LoraPlan lora;
};

// One tensor of the optimiser: values[offset, offset + count).
struct Trainable {
  std::string name;
  std::vector<long> shape;  // ggml order
  size_t offset = 0, count = 0;
  bool decays = true;  // norms do not
};

constexpr ptrdiff_t frozenOffset = -1;

// A matrix [in, out] (out rows of in values), perhaps of a block type.
struct Weight {
  const void *rows = nullptr;
  ToFloat toFloat = nullptr;  // null: F32
  long rowBytes = 0;
  int blockSize = 1, blockBytes = sizeof(float);
  int in = 0, out = 0;
};

// y[firstRow, firstRow + rows) += scale * B (A x); A: [in, rank], B: [rank, rows]
struct Adapter {
  int firstRow, rows;
  size_t a, b;  // offsets into the trainable values; the A's of one Linear are adjacent
};

struct Linear {
  Weight weight;
  ptrdiff_t grad = frozenOffset;  // offset of the weight in the trainable values
  std::vector<Adapter> adapters;
  int rank = 0;
  float scale = 0;  // alpha / rank
  int adapterWidth() const { return rank * static_cast<int>(adapters.size()); }
};

struct Norm {
  const float *weight = nullptr;  // [width]
  ptrdiff_t grad = frozenOffset;
};

struct Layer {
  Norm attentionNorm, ffnNorm;
  Linear qkv, attentionOut, gateUp, down;
};

class Model {
 public:
  Model(const GgmlLibrary &ggml, const LoadPlan &plan);

  const ModelShape &shape() const { return shape_; }
  Mode mode() const { return mode_; }
  const LoraPlan &lora() const { return lora_; }
  const GgufFile &source() const { return *file_; }
  const std::vector<Layer> &layers() const { return layers_; }
  const Weight &embedding() const { return embedding_; }
  ptrdiff_t embeddingGrad() const { return embeddingGrad_; }
  const Linear &head() const { return head_; }
  const Norm &finalNorm() const { return finalNorm_; }
  const std::vector<float> &ropeFactors() const { return ropeFactors_; }  // [rotated / 2], or empty

  const std::vector<Trainable> &trainables() const { return trainables_; }
  Buffer<float> &values() { return values_; }
  const Buffer<float> &values() const { return values_; }
  size_t weightBytes() const { return frozen_.sizeBytes() + values_.sizeBytes(); }
  long parameterCount() const { return parameterCount_; }
  long trainableCount() const;

  /** The current F32 values of a base tensor, adapters merged in. */
  std::vector<float> readTensor(const GgufTensor &tensor) const;
  const Trainable *trainable(const std::string &name) const;

 private:
  struct Group;
  struct Builder;
  struct Places;
  void readShape();
  void readRopeFactors();
  Places placeTensors(Builder &builder) const;
  void placeAdapters(Builder &builder, const Places &places);
  void pointAt(const Builder &builder, const Places &places);
  void checkTensors() const;
  void addTrainable(const std::string &name, const std::vector<long> &shape, size_t &offset);
  void randomise(double seed);
  void startAdapters();
  void continueAdapters(const std::string &path);
  void mergeAdapter(const std::string &name, std::vector<float> &values, long in) const;

  const GgmlLibrary &ggml_;
  Mode mode_;
  LoraPlan lora_;
  std::unique_ptr<GgufFile> file_;
  ModelShape shape_;
  Buffer<char> frozen_;
  Buffer<float> values_;
  std::vector<Trainable> trainables_;
  std::vector<Layer> layers_;
  Weight embedding_;
  ptrdiff_t embeddingGrad_ = frozenOffset;
  Linear head_;
  Norm finalNorm_;
  std::vector<float> ropeFactors_;
  long parameterCount_ = 0;
};

/** Name of a ggml type for messages, also of unknown numbers. */
std::string typeName(const GgmlLibrary &ggml, uint32_t type);

/** Reads a tensor as F32, checking type, size and that every value is finite. */
void readValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor, float *out);

}  // namespace labdesk
