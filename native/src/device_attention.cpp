// See device_attention.h.
#include "device_attention.h"

#include <algorithm>
#include <cmath>

namespace labdesk {

namespace {

// Memory that the scores of one block may take; several of this size are alive at once.
constexpr long scoreBytes = 64L << 20;

// Where the row of each token begins.
std::vector<long> rowBegins(const Pack &pack) {
  std::vector<long> out(pack.tokens.size());
  for (const Segment &segment : pack.segments)
    std::fill(out.begin() + segment.begin, out.begin() + segment.end, segment.begin);
  return out;
}

}  // namespace

DeviceAttention::DeviceAttention(Graph &graph, const Model &model, const Pack &pack)
    : graph_(graph), shape_(model.shape()), tokenCount_(static_cast<long>(pack.tokens.size())) {
  bool hasWindows = false, hasGlobal = false;
  for (int layer = 0; layer < shape_.layerCount; layer++) (shape_.windowOf(layer) > 0 ? hasWindows : hasGlobal) = true;
  if (hasGlobal) global_ = cut(pack, 0);
  if (hasWindows) windowed_ = cut(pack, shape_.window);
}

long DeviceAttention::blockTokens(const ModelShape &shape, long tokens) {
  const long affordable = scoreBytes / (static_cast<long>(sizeof(float)) * shape.headCount * tokens);
  return std::max(tokenStep, affordable / tokenStep * tokenStep);
}

std::vector<DeviceAttention::Block> DeviceAttention::cut(const Pack &pack, int window) {
  const std::vector<long> begins = rowBegins(pack);
  const long step = blockTokens(shape_, tokenCount_);
  std::vector<Block> out;
  for (long first = 0; first < tokenCount_; first += step) {
    Block block{first, std::min(step, tokenCount_ - first), begins[static_cast<size_t>(first)], 0, nullptr};
    if (window > 0) block.firstKey = std::max(block.firstKey, first - window + 1);
    block.firstKey -= block.firstKey % tokenStep;
    block.keys = first + block.count - block.firstKey;
    block.mask = graph_.floats(block.keys, block.count, [&](float *mask) {
      std::fill(mask, mask + block.keys * block.count, -INFINITY);
      for (long i = 0; i < block.count; i++) {
        const long query = first + i, begin = begins[static_cast<size_t>(query)];
        const long seen = window > 0 ? std::max(begin, query - window + 1) : begin;
        float *row = mask + i * block.keys;
        std::fill(row + (seen - block.firstKey), row + (query + 1 - block.firstKey), 0.0f);
      }
    });
    out.push_back(block);
  }
  return out;
}

Tensor DeviceAttention::tokens(Tensor x, long heads, long first, long count) {
  return graph_.reshape(graph_.columns(x, first, count), shape_.headSize, heads, count);
}
Tensor DeviceAttention::byHead(Tensor x) { return graph_.permute(x, 0, 2, 1, 3); }
Tensor DeviceAttention::byToken(Tensor x) {
  return graph_.reshape(graph_.permute(x, 0, 2, 1, 3), x->ne[0] * x->ne[2], x->ne[1]);
}

// softmax(scale * q . k + mask), or with a cap softmax(cap * tanh(scale * q . k / cap) + mask)
DeviceAttention::Scores DeviceAttention::score(const Block &block, Tensor query, Tensor key) {
  const Tensor products = graph_.product(key, query);  // [keys, count, heads]
  const float cap = shape_.attentionCap;
  if (cap == 0) return {graph_.softmax(products, block.mask, shape_.attentionScale), nullptr};
  const Tensor tanhs = graph_.tanh(graph_.scale(products, shape_.attentionScale / cap));
  return {graph_.softmax(tanhs, block.mask, cap), tanhs};
}

Tensor DeviceAttention::apply(int layer, const Heads &heads) {
  std::vector<Tensor> parts;
  for (const Block &block : blocksOf(layer)) {
    const Tensor query = byHead(tokens(heads.query, shape_.headCount, block.first, block.count));
    const Tensor key = byHead(tokens(heads.key, shape_.kvHeadCount, block.firstKey, block.keys));
    const Tensor value =  // [keys, headSize, kvHeads]
        graph_.permute(tokens(heads.value, shape_.kvHeadCount, block.firstKey, block.keys), 1, 2, 0, 3);
    parts.push_back(byToken(graph_.product(value, score(block, query, key).probabilities)));
  }
  return graph_.joinAll(std::move(parts), 1);
}

Tensor DeviceAttention::sumOverQueries(const Block &block, Tensor left, Tensor right) {
  const long kv = shape_.kvHeadCount, group = shape_.headCount / kv, terms = block.count * group;
  const Tensor rows = graph_.permute(graph_.reshape(left, shape_.headSize, group, kv, block.count), 2, 1, 3, 0);
  const Tensor sums = graph_.permute(graph_.reshape(right, block.keys, block.count, group, kv), 2, 0, 1, 3);
  return byToken(graph_.product(graph_.reshape(rows, terms, shape_.headSize, kv),  // [headSize, keys, kvHeads]
                                graph_.reshape(sums, terms, block.keys, kv)));
}

// dP = dO V^T, dS = P * (dP - rowsum(P * dP)), dQ = dS K, dK = dS^T Q, dV = P^T dO
DeviceAttention::Heads DeviceAttention::blockGrad(const Block &block, const Heads &heads, Tensor dOut) {
  const long kv = shape_.kvHeadCount;
  const Tensor query = tokens(heads.query, shape_.headCount, block.first, block.count);
  const Tensor outGrad = tokens(dOut, shape_.headCount, block.first, block.count);
  const Tensor key = tokens(heads.key, kv, block.firstKey, block.keys);
  const Tensor value = tokens(heads.value, kv, block.firstKey, block.keys);
  const Scores scores = score(block, byHead(query), byHead(key));
  const Tensor p = scores.probabilities, dP = graph_.product(byHead(value), byHead(outGrad));
  Heads grad;
  grad.value = sumOverQueries(block, outGrad, p);
  const Tensor weighted = graph_.multiply(p, dP);
  Tensor dS = graph_.subtract(weighted, graph_.multiply(p, graph_.rowSums(weighted)));
  if (scores.tanhs) dS = graph_.multiply(dS, graph_.scale(graph_.square(scores.tanhs), -1, 1));
  dS = graph_.scale(dS, shape_.attentionScale);
  grad.query = byToken(graph_.product(graph_.permute(key, 1, 2, 0, 3), dS));
  grad.key = sumOverQueries(block, query, dS);
  return grad;
}

DeviceAttention::Heads DeviceAttention::applyGrad(int layer, const Heads &heads, Tensor dOut) {
  const std::vector<Block> &blocks = blocksOf(layer);
  if (blocks.size() == 1) return blockGrad(blocks[0], heads, dOut);  // its keys are all there are
  Heads out{nullptr, graph_.zerosLike(heads.key), graph_.zerosLike(heads.value)};
  std::vector<Tensor> queries;
  for (const Block &block : blocks) {
    const Heads part = blockGrad(block, heads, dOut);
    queries.push_back(part.query);
    out.key = graph_.addAt(out.key, part.key, block.firstKey);
    out.value = graph_.addAt(out.value, part.value, block.firstKey);
  }
  out.query = graph_.joinAll(std::move(queries), 1);
  return out;
}

}  // namespace labdesk
