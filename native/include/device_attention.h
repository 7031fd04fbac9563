// Attention of packed rows on a device: a block of queries at a time against the keys that any of them sees, with a
// mask made on the host. The probabilities are computed again in the backward pass, so that one block's are alive at a
// time.
#pragma once
#include <vector>

#include "device_graph.h"
#include "executor.h"
#include "model.h"

namespace labdesk {

// Packs are filled up to a multiple of this, and blocks begin and end at one: odd sizes take slower kernels.
constexpr long tokenStep = 32;

class DeviceAttention {
 public:
  /** `pack`: whole steps long. */
  DeviceAttention(Graph &graph, const Model &model, const Pack &pack);

  // All after the rotation: query [queryWidth, tokens], key and value [kvWidth, tokens].
  struct Heads {
    Tensor query, key, value;
  };
  Tensor apply(int layer, const Heads &heads);                  // [queryWidth, tokens]
  Heads applyGrad(int layer, const Heads &heads, Tensor dOut);  // the three gradients

  /** Queries in a block. */
  static long blockTokens(const ModelShape &shape, long tokens);

 private:
  struct Block {
    long first, count;    // queries
    long firstKey, keys;  // keys
    Tensor mask;          // [keys, count], 0 or -infinity
  };
  struct Scores {
    Tensor probabilities;  // [keys, count, heads]
    Tensor tanhs;          // the same, before the softmax; null without a cap
  };
  std::vector<Block> cut(const Pack &pack, int window);
  const std::vector<Block> &blocksOf(int layer) const { return shape_.windowOf(layer) > 0 ? windowed_ : global_; }
  Tensor tokens(Tensor x, long heads, long first, long count);  // [headSize, heads, count], a view
  Tensor byHead(Tensor x);                                      // [headSize, heads, count] -> [headSize, count, heads]
  Tensor byToken(Tensor x);                                     // [headSize, count, heads] -> [headSize * heads, count]
  Scores score(const Block &block, Tensor query, Tensor key);
  Heads blockGrad(const Block &block, const Heads &heads, Tensor dOut);
  // Sums over queries and over the heads that share a key: left [headSize, heads, count], right [keys, count, heads]
  Tensor sumOverQueries(const Block &block, Tensor left, Tensor right);

  Graph &graph_;
  const ModelShape &shape_;
  long tokenCount_;
  std::vector<Block> global_, windowed_;
};

}  // namespace labdesk
