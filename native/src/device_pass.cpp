// See device_pass.h.
#include "device_pass.h"

#include <algorithm>
#include <map>

namespace labdesk {

namespace {

// Numbers in one chunk of logits; a few of this size are alive at once.
constexpr long chunkLogits = 1L << 25;
// Added to a probability before its logarithm: at most 85 nats are lost on a token, and no infinity is met.
constexpr float leastProbability = 1e-37f;
constexpr int ropeAdjacent = GGML_ROPE_TYPE_NORMAL, ropeHalves = GGML_ROPE_TYPE_NEOX;

long chunkRows(const ModelShape &shape) { return std::min(512L, std::max(tokenStep, chunkLogits / shape.vocabSize)); }

}  // namespace

// Counted generously: unused room costs some hundred bytes a node.
size_t DevicePass::nodeLimit(const Model &model, long tokens) {
  constexpr size_t perLayer = 900, perBlock = 160, perChunk = 120, perWeightBlock = 16;
  const ModelShape &shape = model.shape();
  const auto pieces = [](long whole, long part) { return static_cast<size_t>(whole / part + 1); };
  const size_t blocks = pieces(tokens, DeviceAttention::blockTokens(shape, tokens + tokenStep));
  const size_t weightBlocks = pieces(static_cast<long>(shape.ffnWidth) * shape.width, 1L << 24);
  const size_t headBlocks = pieces(static_cast<long>(shape.vocabSize) * shape.width, 1L << 24);
  const size_t chunks = pieces(tokens, chunkRows(shape));
  return static_cast<size_t>(shape.layerCount) * (perLayer + blocks * perBlock + 7 * weightBlocks * perWeightBlock) +
         chunks * (perChunk + headBlocks * perWeightBlock) + 1024;
}

// The tokens added are one more row, which nothing predicts from and no other row sees.
Pack DevicePass::fillUp(const Pack &pack) {
  Pack out = pack;
  const int begin = static_cast<int>(pack.tokens.size());
  while (out.tokens.size() % static_cast<size_t>(tokenStep)) {
    out.positions.push_back(static_cast<int>(out.tokens.size()) - begin);
    out.tokens.push_back(0);
  }
  const int end = static_cast<int>(out.tokens.size());
  if (end > begin) out.segments.push_back({begin, end});
  return out;
}

DevicePass::DevicePass(Graph &graph, const DeviceWeights &weights, const Pack &pack, const DevicePassPlan &plan)
    : graph_(graph),
      weights_(weights),
      shape_(weights.model().shape()),
      pack_(fillUp(pack)),
      plan_(plan),
      attention_(graph, weights.model(), pack_),
      products_(graph, weights),
      positions_(graph.integers(pack_.positions)),
      predictors_(graph.integers(pack_.predictors)) {}

Tensor DevicePass::norm(const DeviceValue &weight, Tensor x) {
  return weight ? graph_.norm(x, weight.value, shape_.eps) : x;
}

Tensor DevicePass::normGrad(const DeviceValue &weight, Tensor x, Tensor dy, bool wantsInput) {
  return weight ? graph_.normGrad(x, weight, dy, shape_.eps, wantsInput) : dy;
}

// Su et al. 2021, turned as ggml turns it: [heads * headSize, tokens]
Tensor DevicePass::rotate(int layer, Tensor x, bool isBack) {
  if (shape_.rotated == 0) return x;
  const RopePlan &rope = shape_.ropeOf(layer);
  const int mode = shape_.architecture->ropePairs == RopePairs::halves ? ropeHalves : ropeAdjacent;
  const auto turn = isBack ? graph_.ggml().ggml_rope_ext_back : graph_.ggml().ggml_rope_ext;
  const Tensor heads = graph_.reshape(x, shape_.headSize, x->ne[0] / shape_.headSize, x->ne[1]);
  const Tensor out = turn(graph_.context(), heads, positions_, weights_.ropeFactors(layer), shape_.rotated, mode,
                          static_cast<int>(rope.originalContext), rope.base, rope.scale, rope.extension, rope.attention,
                          rope.betaFast, rope.betaSlow);
  return graph_.reshape(graph_.append(out), x->ne[0], x->ne[1]);
}

Tensor DevicePass::embed(bool isNoisy) {
  Tensor x = graph_.gather(weights_.embedding().value, graph_.integers(pack_.tokens));
  x = graph_.scale(x, shape_.embeddingScale);
  if (plan_.noise.empty() || !isNoisy) return x;
  const auto copy = [&](float *at) { std::copy(plan_.noise.begin(), plan_.noise.end(), at); };
  return graph_.add(x, graph_.floats(shape_.width, static_cast<long>(pack_.tokens.size()), copy));
}

// Sums the gradients of equal tokens with a product, then adds each sum to its row: a scatter must not meet a row
// twice.
void DevicePass::embeddingGrad(Tensor dx) {
  const Tensor grad = weights_.embedding().grad;
  if (!grad) return;
  std::map<int, long> order;
  for (const int token : pack_.tokens) order.emplace(token, 0);
  std::vector<int32_t> tokens;
  for (auto &[token, index] : order) {
    index = static_cast<long>(tokens.size());
    tokens.push_back(token);
  }
  const long count = static_cast<long>(pack_.tokens.size()), distinct = static_cast<long>(tokens.size());
  const Tensor index = graph_.integers(std::move(tokens));
  const Tensor selection = graph_.floats(count, distinct, [&](float *chosen) {
    for (long t = 0; t < count; t++)
      chosen[order[pack_.tokens[static_cast<size_t>(t)]] * count + t] = shape_.embeddingScale;
  });
  const Tensor sums = graph_.product(graph_.transpose(dx), selection);  // [width, distinct tokens]
  graph_.scatter(grad, graph_.add(graph_.gather(grad, index), sums), index);
}

// Fills a but for its input; returns the layer's output, or null when it is not wanted.
Tensor DevicePass::forwardLayer(int index, Activations &a, bool bare, bool wantsOutput) {
  const DeviceLayer &layer = weights_.layers()[static_cast<size_t>(index)];
  const Tensor x = norm(layer.attentionNorm, a.input);
  a.queryRaw = products_.apply(layer.query, x, bare);
  a.keyRaw = products_.apply(layer.key, x, bare);
  a.heads.query = rotate(index, norm(layer.queryNorm, a.queryRaw), false);
  a.heads.key = rotate(index, norm(layer.keyNorm, a.keyRaw), false);
  a.heads.value = products_.apply(layer.value, x, bare);
  a.attention = attention_.apply(index, a.heads);
  a.attentionRaw = products_.apply(layer.attentionOut, a.attention, bare);
  a.middle = graph_.add(a.input, graph_.scale(norm(layer.postAttentionNorm, a.attentionRaw), shape_.residualScale));

  const Tensor y = norm(layer.ffnNorm, a.middle);
  a.gate = products_.apply(layer.gate, y, bare);
  a.up = products_.apply(layer.up, y, bare);
  if (!wantsOutput && !layer.postFfnNorm) return nullptr;
  const bool isGelu = shape_.architecture->activation == Activation::gelu;
  a.downRaw = products_.apply(layer.down, graph_.gated(a.gate, a.up, isGelu), bare);
  if (!wantsOutput) return nullptr;
  return graph_.add(a.middle, graph_.scale(norm(layer.postFfnNorm, a.downRaw), shape_.residualScale));
}

// `kept`: filled with what the backward pass needs, of the layers that it reaches; null keeps nothing.
Tensor DevicePass::forwardAll(std::vector<Activations> *kept, bool bare) {
  const Model &model = weights_.model();
  Tensor x = embed(!bare);
  for (int i = 0; i < shape_.layerCount; i++) {
    Activations a{};
    a.input = x;
    x = forwardLayer(i, a, bare, true);
    if (!kept || i < model.firstTrainedLayer()) continue;
    if (plan_.recompute) {
      Activations only{};
      only.input = a.input;
      a = only;
    }
    (*kept)[static_cast<size_t>(i)] = a;
  }
  return x;
}

// dy, the gradient of the layer's output -> that of its middle
Tensor DevicePass::backwardFeedForward(int index, const Activations &a, Tensor dy) {
  const DeviceLayer &layer = weights_.layers()[static_cast<size_t>(index)];
  const bool isGelu = shape_.architecture->activation == Activation::gelu;
  const Tensor dDown = normGrad(layer.postFfnNorm, a.downRaw, graph_.scale(dy, shape_.residualScale));
  DeviceProducts::Input act{graph_.gated(a.gate, a.up, isGelu)};
  const Tensor dAct = products_.applyGrad(layer.down, act, dDown, true);
  Tensor dGate, dUp;
  graph_.gatedGrad(a.gate, a.up, dAct, isGelu, dGate, dUp);
  DeviceProducts::Input normed{norm(layer.ffnNorm, a.middle)};
  const Tensor dFromGate = products_.applyGrad(layer.gate, normed, dGate, true);
  const Tensor dNormed = graph_.add(dFromGate, products_.applyGrad(layer.up, normed, dUp, true));
  return graph_.add(dy, normGrad(layer.ffnNorm, a.middle, dNormed));
}

// The gradient of the layer's middle -> that of its input, or null when it is not wanted
Tensor DevicePass::backwardAttention(int index, const Activations &a, Tensor dMiddle, bool wantsInput) {
  const DeviceLayer &layer = weights_.layers()[static_cast<size_t>(index)];
  const Tensor dOut = normGrad(layer.postAttentionNorm, a.attentionRaw, graph_.scale(dMiddle, shape_.residualScale));
  DeviceProducts::Input attended{a.attention};
  const Tensor dAttention = products_.applyGrad(layer.attentionOut, attended, dOut, true);
  const DeviceAttention::Heads grad = attention_.applyGrad(index, a.heads, dAttention);
  const Tensor dQuery = normGrad(layer.queryNorm, a.queryRaw, rotate(index, grad.query, true));
  const Tensor dKey = normGrad(layer.keyNorm, a.keyRaw, rotate(index, grad.key, true));
  const bool wantsNormed = wantsInput || layer.attentionNorm.grad;
  DeviceProducts::Input normed{norm(layer.attentionNorm, a.input)};
  Tensor dNormed = products_.applyGrad(layer.query, normed, dQuery, wantsNormed);
  const Tensor dFromKey = products_.applyGrad(layer.key, normed, dKey, wantsNormed);
  const Tensor dFromValue = products_.applyGrad(layer.value, normed, grad.value, wantsNormed);
  if (!wantsNormed) return nullptr;
  dNormed = graph_.add(graph_.add(dNormed, dFromKey), dFromValue);
  const Tensor dInput = normGrad(layer.attentionNorm, a.input, dNormed, wantsInput);
  return wantsInput ? graph_.add(dMiddle, dInput) : nullptr;
}

DevicePass::Logits DevicePass::logitsOf(Tensor normed, bool bare) {
  const Tensor raw = products_.apply(weights_.head(), normed, bare);
  if (shape_.logitCap == 0) return {nullptr, graph_.softmax(raw, nullptr, shape_.logitScale)};
  const Tensor tanhs = graph_.tanh(graph_.scale(raw, shape_.logitScale / shape_.logitCap));
  return {tanhs, graph_.softmax(tanhs, nullptr, shape_.logitCap)};
}

// weight * (p - onehot + klWeight * (p - base)), the latter of positive weights only, back through cap and scale.
// Writes into the probabilities.
Tensor DevicePass::logitGrad(const Logits &logits, long first, long rows, Tensor atTarget, Tensor targetIndex,
                             Tensor base) {
  const Tensor p = logits.probabilities;
  const auto weigh = [&](auto weightOf) {
    return graph_.floats(1, rows, [&](float *factors) {
      for (long r = 0; r < rows; r++) factors[r] = weightOf(static_cast<size_t>(first + r)) * plan_.gradFactor;
    });
  };
  Tensor distilled = nullptr;
  if (base)
    distilled = graph_.multiply(graph_.subtract(p, base),
                                weigh([&](size_t r) { return plan_.klWeight * std::max(0.0f, pack_.weights[r]); }));
  const Tensor flat = graph_.reshape(p, 1, p->ne[0] * rows);
  const Tensor off = graph_.scatter(flat, graph_.scale(atTarget, 1, -1), targetIndex);
  Tensor grad = graph_.multiply(graph_.reshape(off, p->ne[0], rows), weigh([&](size_t r) { return pack_.weights[r]; }));
  if (distilled) grad = graph_.add(grad, distilled);
  if (logits.tanhs) grad = graph_.multiply(grad, graph_.scale(graph_.square(logits.tanhs), -1, 1));
  return graph_.scale(grad, shape_.logitScale);
}

// chosen, base: [width, predictors], before the norm
Tensor DevicePass::head(Tensor chosen, Tensor base, bool trains) {
  const long count = static_cast<long>(pack_.predictors.size()), vocab = shape_.vocabSize, step = chunkRows(shape_);
  const Tensor normed = norm(weights_.finalNorm(), chosen);
  const Tensor baseNormed = base ? norm(weights_.finalNorm(), base) : nullptr;
  std::vector<Tensor> parts;
  for (long first = 0; first < count; first += step) {
    const long rows = std::min(step, count - first);
    std::vector<int32_t> targets;  // places in the chunk's logits
    for (long r = 0; r < rows; r++)
      targets.push_back(static_cast<int32_t>(r * vocab + pack_.targets[static_cast<size_t>(first + r)]));
    const Tensor targetIndex = graph_.integers(std::move(targets));
    const Tensor baseLikely = base ? logitsOf(graph_.columns(baseNormed, first, rows), true).probabilities : nullptr;
    DeviceProducts::Input input{graph_.columns(normed, first, rows)};
    const Logits logits = logitsOf(input.x, plan_.base);
    const Tensor atTarget =
        graph_.gather(graph_.reshape(logits.probabilities, 1, vocab * rows), targetIndex);  // [1, rows]
    logProbabilities_.push_back(graph_.output(graph_.logarithm(graph_.scale(atTarget, 1, leastProbability))));
    if (!trains) continue;
    const Tensor dLogits = logitGrad(logits, first, rows, atTarget, targetIndex, baseLikely);
    parts.push_back(products_.applyGrad(weights_.head(), input, dLogits, true));
  }
  return trains ? normGrad(weights_.finalNorm(), chosen, graph_.joinAll(std::move(parts), 1)) : nullptr;
}

void DevicePass::evaluate() { head(graph_.gather(forwardAll(nullptr, plan_.base), predictors_), nullptr, false); }

void DevicePass::train() {
  // The base first: only its chosen rows stay alive.
  const Tensor base = plan_.klWeight != 0 ? graph_.gather(forwardAll(nullptr, true), predictors_) : nullptr;
  std::vector<Activations> kept(static_cast<size_t>(shape_.layerCount));
  const Tensor hidden = forwardAll(&kept, false);
  const Tensor dChosen = head(graph_.gather(hidden, predictors_), base, true);
  Tensor dx = graph_.scatter(graph_.zerosLike(hidden), dChosen, predictors_);
  const int first = weights_.model().firstTrainedLayer();
  const bool reachesEmbedding = weights_.embedding().grad != nullptr;
  for (int i = shape_.layerCount - 1; i >= first; i--) {
    Activations &a = kept[static_cast<size_t>(i)];
    if (plan_.recompute) forwardLayer(i, a, false, false);
    dx = backwardAttention(i, a, backwardFeedForward(i, a, dx), i > first || reachesEmbedding);
  }
  if (reachesEmbedding) embeddingGrad(dx);
}

std::vector<float> DevicePass::readLogProbabilities() const {
  std::vector<float> out;
  for (const Tensor part : logProbabilities_) {
    const size_t at = out.size(), count = static_cast<size_t>(part->ne[1]);
    out.resize(at + count);
    graph_.ggml().ggml_backend_tensor_get(part, out.data() + at, 0, count * sizeof(float));
  }
  return out;
}

}  // namespace labdesk
