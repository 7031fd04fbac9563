// A model in memory: its shape, its frozen weights in their own type, and the trainable values as one flat F32 array.
// Query/key/value and gate/up stand next to each other, so each group is one matrix product. Refuses, by name, any
// tensor or metadata that it would not compute exactly as llama.cpp does.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "architecture.h"
#include "buffer.h"
#include "ggml_library.h"
#include "gguf_file.h"
#include "kernels.h"

namespace labdesk {

enum class Mode { full, lora, frozen };

struct LoraPlan {
  int rank = 0;
  double alpha = 0;
  bool isRankStabilised = false;  // scale alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski 2023)
  double seed = 0;
  bool keepsToLeast = false;  // A is fixed to the input directions that the base weight uses least; only B trains
  std::vector<std::string> targets;  // attn_q, ffn_up...
  std::string continueFrom;          // adapter GGUF, or empty
  float scale() const;
};

struct LoadPlan {
  std::string modelPath;
  Mode mode = Mode::frozen;
  bool isRandom = false;
  double initSeed = 0;
  LoraPlan lora;
  int contextTokens = 0;        // longest row: chooses between the short and the long RoPE factors
  int frozenLayers = 0;         // the first layers do not train
  bool trainsEmbedding = true;  // full mode: embedding and head
  bool isOnlyMeasured = false;  // lay the model out without reading its weights
};

// One tensor of the optimiser: values[offset, offset + count).
struct Trainable {
  std::string name;
  std::vector<long> shape;  // ggml order
  size_t offset = 0, count = 0;
  bool decays = true;    // norms and biases do not
  bool isFixed = false;  // stays as it was started
};

constexpr ptrdiff_t frozenOffset = -1;

// A matrix [in, out] (out rows of in values), perhaps of a block type.
struct Weight {
  const void *rows = nullptr;
  ToFloat toFloat = nullptr;  // null: F32
  long rowBytes = 0;
  int type = 0;  // ggml_type of the rows
  int blockSize = 1, blockBytes = sizeof(float);
  int in = 0, out = 0;
};

// y[firstRow, firstRow + rows) += scale * B (A x); A: [in, rank], B: [rank, rows]
struct Adapter {
  int firstRow, rows;
  size_t a, b;  // offsets into the trainable values; the A's of one Linear are adjacent
};

// A vector of F32, frozen or trainable.
struct Vector {
  const float *values = nullptr;  // null: absent
  ptrdiff_t grad = frozenOffset;
  int count = 0;
};

// Rows [firstRow, firstRow + weight.out) of a Linear.
struct Piece {
  Weight weight;
  int firstRow = 0;
  int adapter = -1;  // index of the adapter on exactly these rows, or -1
};

// y = W x + bias, where W may be several tensors one above the other, of several types.
struct Linear {
  int in = 0, out = 0;
  std::vector<Piece> pieces;      // cut where the type or the adapter changes
  std::vector<Piece> runs;        // cut only where the type changes
  ptrdiff_t grad = frozenOffset;  // offset of W, [in, out] as a whole, in the trainable values
  Vector bias;                    // [out] or absent
  std::vector<Adapter> adapters;
  int rank = 0;
  float scale = 0;
  int adapterWidth() const { return rank * static_cast<int>(adapters.size()); }
  bool isPresent() const { return out > 0; }
  bool trains() const { return grad != frozenOffset || bias.grad != frozenOffset || !adapters.empty(); }
};

struct Expert {
  Linear gate, up, down;
};

struct Layer {
  int index = 0;
  bool trains = false;                                            // anything in it
  Vector attentionNorm, ffnNorm, postAttentionNorm, postFfnNorm;  // [width]
  Vector queryNorm, keyNorm;                                      // [headSize], or the whole row
  Linear qkv, attentionOut, gateUp, down;
  // Mixture of experts; then gateUp and down are the shared expert's, if there is one.
  Linear router;  // [width, experts], frozen
  std::vector<Expert> experts;
};

class Model {
 public:
  Model(const GgmlLibrary &ggml, const Kernels &kernels, const LoadPlan &plan);

  const ModelShape &shape() const { return shape_; }
  Mode mode() const { return mode_; }
  const LoraPlan &lora() const { return lora_; }
  const GgufFile &source() const { return *file_; }
  const std::vector<Layer> &layers() const { return layers_; }
  const Weight &embedding() const { return embedding_; }
  ptrdiff_t embeddingGrad() const { return embeddingGrad_; }
  const Linear &head() const { return head_; }
  const Vector &finalNorm() const { return finalNorm_; }
  /** Index of the first layer the gradient must reach; the layer count when only the head trains. */
  int firstTrainedLayer() const { return firstTrainedLayer_; }

  const std::vector<Trainable> &trainables() const { return trainables_; }
  Buffer<float> &values() { return values_; }
  const Buffer<float> &values() const { return values_; }
  /** Numbers in values(), known before they are there. */
  size_t valueCount() const { return valueCount_; }
  size_t weightBytes() const { return frozenBytes_ + valueCount_ * sizeof(float); }
  long parameterCount() const { return parameterCount_; }
  long trainableCount() const;

  /** The current F32 values of a base tensor, adapters merged in. */
  std::vector<float> readTensor(const GgufTensor &tensor) const;
  const Trainable *trainable(const std::string &name) const;

 private:
  friend class ModelBuilder;
  void startAdapters(const Kernels &kernels);
  void randomise(double seed);
  void continueAdapters(const std::string &path);
  void mergeAdapter(const std::string &name, std::vector<float> &values, long in) const;

  const GgmlLibrary &ggml_;
  Mode mode_;
  LoraPlan lora_;
  std::unique_ptr<GgufFile> file_;
  ModelShape shape_;
  size_t frozenBytes_ = 0, valueCount_ = 0;
  Buffer<char> frozen_;
  Buffer<float> values_;
  std::vector<Trainable> trainables_;
  std::vector<Layer> layers_;
  Weight embedding_;
  ptrdiff_t embeddingGrad_ = frozenOffset;
  Linear head_;
  Vector finalNorm_;
  int firstTrainedLayer_ = 0;
  long parameterCount_ = 0;
};

}  // namespace labdesk
