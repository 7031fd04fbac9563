// The head of a pass: only the hidden states that predict something go through the final norm and the vocabulary,
// headChunk rows of logits at a time, so neither labels nor logits of the whole pack ever exist.
#include <algorithm>
#include <cstring>

#include "pass.h"

namespace labdesk {

// The hidden states that predict, raw in `chosen` and normed.
void Pass::chooseRows(const Pack &pack, float *normed) {
  const long width = model_.shape().width;
  products_.overRows(static_cast<long>(pack.predictors.size()), [&](long first, long count) {
    for (long r = first; r < first + count; r++)
      memcpy(b_.chosen + r * width, b_.stream + static_cast<long>(pack.predictors[static_cast<size_t>(r)]) * width,
             static_cast<size_t>(width) * sizeof(float));
    kernels_.rmsNorm({b_.chosen + first * width, width}, model_.finalNorm().values, {normed + first * width, width},
                     static_cast<int>(width), count, model_.shape().eps);
  });
}

void Pass::headLogits(const float *normed, long rows, float *logits) {
  const ModelShape &s = model_.shape();
  linear_.apply(model_.head(), 0, normed, rows, logits, nullptr, nullptr);
  if (s.logitScale == 1 && s.logitCap == 0) return;
  products_.workers().share(
      rows, [&](long r) { kernels_.scaleLogits(logits + r * s.vocabSize, s.vocabSize, s.logitScale, s.logitCap); });
}

// One row: its loss, and the gradient by the head's raw output in its logits.
void Pass::headRow(const Pack &pack, long row, long inChunk, float gradScale, float klWeight, double *loss) {
  const ModelShape &s = model_.shape();
  const auto at = static_cast<size_t>(row);
  const long count = s.vocabSize;
  float *logits = b_.logits + inChunk * count, *kept = b_.cappedLogits ? b_.cappedLogits + inChunk * count : nullptr;
  const float weight = pack.weights[at];
  if (kept) memcpy(kept, logits, static_cast<size_t>(count) * sizeof(float));
  *loss = kernels_.crossEntropy(logits, s.vocabSize, pack.targets[at], weight, weight * gradScale);
  if (klWeight > 0 && weight > 0) {
    // `distil` uses up its copy; a cap's slope still needs the values.
    std::vector<float> copy(kept, kept + count);
    kernels_.distil(copy.data(), b_.baseLogits + inChunk * count, logits, s.vocabSize, klWeight * weight * gradScale);
  }
  if (s.logitCap > 0) {
    const float slope = 1 / (s.logitCap * s.logitCap);
    for (long i = 0; i < count; i++) logits[i] *= s.logitScale * (1 - slope * kept[i] * kept[i]);
  } else if (s.logitScale != 1) {
    for (long i = 0; i < count; i++) logits[i] *= s.logitScale;
  }
}

// When training, leaves the gradient of the hidden states in streamGrad.
void Pass::head(const Pack &pack, float gradScale, float klWeight, bool trains, std::vector<double> &rowLoss) {
  const auto count = static_cast<long>(pack.predictors.size()), width = static_cast<long>(model_.shape().width);
  chooseRows(pack, b_.chosenNormed);
  std::vector<double> loss(static_cast<size_t>(count));
  for (long begin = 0; begin < count; begin += headChunk) {
    const long rows = std::min(headChunk, count - begin);
    const float *x = b_.chosenNormed + begin * width;
    if (klWeight > 0) headLogits(b_.chosenBase + begin * width, rows, b_.baseLogits);
    headLogits(x, rows, b_.logits);
    products_.workers().share(
        rows, [&](long r) { headRow(pack, begin + r, r, gradScale, klWeight, &loss[static_cast<size_t>(begin + r)]); });
    if (!trains) continue;
    linear_.gradWeights(model_.head(), 0, x, b_.logits, rows, nullptr);
    linear_.gradInput(model_.head(), 0, b_.logits, rows, b_.chosenGrad + begin * width, false);
  }
  for (size_t r = 0; r < loss.size(); r++) rowLoss[static_cast<size_t>(pack.rows[r])] += loss[r];
  if (trains) headGrad(pack);
}

void Pass::headGrad(const Pack &pack) {
  const auto count = static_cast<long>(pack.predictors.size()), width = static_cast<long>(model_.shape().width);
  const size_t rowBytes = static_cast<size_t>(width) * sizeof(float);
  normGrad(model_.finalNorm(), b_.chosen, b_.chosenGrad, b_.normedGrad, false, count);
  memset(b_.streamGrad, 0, pack.tokens.size() * rowBytes);
  for (long r = 0; r < count; r++)
    memcpy(b_.streamGrad + static_cast<long>(pack.predictors[static_cast<size_t>(r)]) * width,
           b_.normedGrad + r * width, rowBytes);
}

}  // namespace labdesk
