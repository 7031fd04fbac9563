// See expert_ops.h.
#include "expert_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace labdesk {

namespace {

constexpr float leastSum = 6.103515625e-5f;  // llama.cpp's guard: the smallest normal F16

// Where the slots of each token stand.
std::vector<std::vector<int>> placesOfTokens(const ExpertActivations &a, long tokens, long used) {
  std::vector<std::vector<int>> out(static_cast<size_t>(tokens));
  for (size_t i = 0; i < a.slots.size(); i++)
    out[static_cast<size_t>(a.slots[i] / used)].push_back(static_cast<int>(i));
  return out;
}

void softmax(float *row, int count) {
  const float top = *std::max_element(row, row + count);
  float sum = 0;
  for (int i = 0; i < count; i++) sum += row[i] = std::exp(row[i] - top);
  for (int i = 0; i < count; i++) row[i] /= sum;
}

}  // namespace

void ExpertOps::route(const Layer &layer, const float *x, long tokens, ExpertActivations &a) const {
  const ModelShape &s = model_.shape();
  const int n = s.expertCount, k = s.expertsUsed;
  linear_.apply(layer.router, 0, x, tokens, a.chances, nullptr, nullptr);
  std::vector<int> chosen(static_cast<size_t>(tokens * k)), order(static_cast<size_t>(n));
  for (long t = 0; t < tokens; t++) {
    float *chances = a.chances + t * n;
    softmax(chances, n);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [&](int p, int q) { return chances[p] > chances[q] || (chances[p] == chances[q] && p < q); });
    float sum = 0;
    for (int i = 0; i < k; i++) sum += chances[order[static_cast<size_t>(i)]];
    for (int i = 0; i < k; i++) {
      const int expert = order[static_cast<size_t>(i)];
      chosen[static_cast<size_t>(t * k + i)] = expert;
      a.weights[t * k + i] = chances[expert] / std::max(sum, leastSum);
    }
  }
  a.slots.resize(chosen.size());
  std::iota(a.slots.begin(), a.slots.end(), 0);
  std::stable_sort(a.slots.begin(), a.slots.end(),
                   [&](int p, int q) { return chosen[static_cast<size_t>(p)] < chosen[static_cast<size_t>(q)]; });
  a.begins.assign(static_cast<size_t>(n) + 1, 0);
  for (const int expert : chosen) a.begins[static_cast<size_t>(expert) + 1]++;
  for (int e = 0; e < n; e++) a.begins[static_cast<size_t>(e) + 1] += a.begins[static_cast<size_t>(e)];
}

// Rows of the tokens, one a slot, times the slot's weight if asked for.
void ExpertOps::gather(const float *from, const ExpertActivations &a, bool isWeighted, float *to) const {
  const ModelShape &s = model_.shape();
  const long width = s.width, k = s.expertsUsed;
  products_.overRows(static_cast<long>(a.slots.size()), [&](long first, long count) {
    for (long i = first; i < first + count; i++) {
      const int slot = a.slots[static_cast<size_t>(i)];
      const float *row = from + slot / k * width;
      const float factor = isWeighted ? a.weights[slot] : 1;
      for (long j = 0; j < width; j++) to[i * width + j] = factor * row[j];
    }
  });
}

void ExpertOps::forward(const Layer &layer, const float *x, long tokens, ExpertActivations &a, float *y) {
  const ModelShape &s = model_.shape();
  const long width = s.width, f = s.expertWidth, k = s.expertsUsed;
  route(layer, x, tokens, a);
  gather(x, a, false, scratch_.x);
  for (size_t e = 0; e < layer.experts.size(); e++) {
    const long begin = a.begins[e], rows = a.begins[e + 1] - begin;
    if (rows == 0) continue;
    linear_.apply(layer.experts[e].gate, 0, scratch_.x + begin * width, rows, a.gate + begin * f, nullptr, nullptr);
    linear_.apply(layer.experts[e].up, 0, scratch_.x + begin * width, rows, a.up + begin * f, nullptr, nullptr);
    products_.overRows(rows, [&](long first, long count) {
      const long at = (begin + first) * f;
      products_.kernels().glu({a.gate + at, f}, {a.up + at, f}, {scratch_.act + at, f}, false, static_cast<int>(f),
                              count);
    });
    linear_.apply(layer.experts[e].down, 0, scratch_.act + begin * f, rows, a.out + begin * width, nullptr, nullptr);
  }
  // Each token adds its experts in the order of their numbers.
  const std::vector<std::vector<int>> ofToken = placesOfTokens(a, tokens, k);
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++)
      for (const int i : ofToken[static_cast<size_t>(t)])
        products_.kernels().addScaled(y + t * width, a.out + i * width, a.weights[a.slots[static_cast<size_t>(i)]],
                                      width);
  });
}

// Through the weights: w = p / sum of the chosen p, p = softmax(router x).
void ExpertOps::routeBack(const Layer &layer, const float *dy, long tokens, const ExpertActivations &a, float *dx) {
  const ModelShape &s = model_.shape();
  const long width = s.width, n = s.expertCount, k = s.expertsUsed;
  std::vector<int> expertOf(a.slots.size());
  std::vector<float> weightGrad(a.slots.size());
  for (size_t e = 0; e < layer.experts.size(); e++)
    for (int i = a.begins[e]; i < a.begins[e + 1]; i++) {
      const int slot = a.slots[static_cast<size_t>(i)];
      double dot = 0;
      for (long j = 0; j < width; j++) dot += static_cast<double>(dy[slot / k * width + j]) * a.out[i * width + j];
      expertOf[static_cast<size_t>(slot)] = static_cast<int>(e);
      weightGrad[static_cast<size_t>(slot)] = static_cast<float>(dot);
    }
  for (long t = 0; t < tokens; t++) {
    const float *chances = a.chances + t * n;
    float *grad = scratch_.chanceGrad + t * n, sum = 0, mean = 0, dot = 0;
    std::fill(grad, grad + n, 0.0f);
    for (long i = t * k; i < (t + 1) * k; i++) {
      sum += chances[expertOf[static_cast<size_t>(i)]];
      mean += a.weights[i] * weightGrad[static_cast<size_t>(i)];
    }
    // Where the guard holds the sum fixed, the weights are plain multiples.
    const bool isGuarded = sum < leastSum;
    for (long i = t * k; i < (t + 1) * k; i++)
      grad[expertOf[static_cast<size_t>(i)]] =
          (weightGrad[static_cast<size_t>(i)] - (isGuarded ? 0 : mean)) / std::max(sum, leastSum);
    for (long e = 0; e < n; e++) dot += grad[e] * chances[e];
    for (long e = 0; e < n; e++) grad[e] = chances[e] * (grad[e] - dot);
  }
  linear_.gradInput(layer.router, 0, scratch_.chanceGrad, tokens, dx, true);
}

void ExpertOps::backward(const Layer &layer, const float *x, const float *dy, long tokens, const ExpertActivations &a,
                         float *dx) {
  const ModelShape &s = model_.shape();
  const long width = s.width, f = s.expertWidth, k = s.expertsUsed;
  routeBack(layer, dy, tokens, a, dx);
  gather(x, a, false, scratch_.x);
  gather(dy, a, true, scratch_.dy);
  for (size_t e = 0; e < layer.experts.size(); e++) {
    const long begin = a.begins[e], rows = a.begins[e + 1] - begin, at = begin * f;
    if (rows == 0) continue;
    const Expert &expert = layer.experts[e];
    const float *rowsDy = scratch_.dy + begin * width, *rowsX = scratch_.x + begin * width;
    linear_.gradInput(expert.down, 0, rowsDy, rows, scratch_.actGrad + at, false);
    products_.overRows(rows, [&](long first, long count) {
      const long i = at + first * f;
      products_.kernels().gluGrad({a.gate + i, f}, {a.up + i, f}, {scratch_.actGrad + i, f}, {scratch_.act + i, f},
                                  {scratch_.gateGrad + i, f}, {scratch_.upGrad + i, f}, false, static_cast<int>(f),
                                  count);
    });
    linear_.gradWeights(expert.down, 0, scratch_.act + at, rowsDy, rows, nullptr);
    linear_.gradWeights(expert.gate, 0, rowsX, scratch_.gateGrad + at, rows, nullptr);
    linear_.gradWeights(expert.up, 0, rowsX, scratch_.upGrad + at, rows, nullptr);
    // The rows of x are done with: their gradient takes their place.
    linear_.gradInput(expert.gate, 0, scratch_.gateGrad + at, rows, scratch_.x + begin * width, false);
    linear_.gradInput(expert.up, 0, scratch_.upGrad + at, rows, scratch_.x + begin * width, true);
  }
  const std::vector<std::vector<int>> ofToken = placesOfTokens(a, tokens, k);
  products_.overRows(tokens, [&](long first, long count) {
    for (long t = first; t < first + count; t++)
      for (const int i : ofToken[static_cast<size_t>(t)])
        products_.kernels().add(dx + t * width, scratch_.x + i * width, width);
  });
}

}  // namespace labdesk
