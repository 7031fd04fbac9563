// Segment-causal attention, forward and backward, in blocks of QUERY_BLOCK queries against the earlier keys of the
// segment (the window's, where there is one). The probabilities of a block are recomputed in the backward pass from the
// saved log-sum-exp; nothing of size tokens^2 is kept.
#pragma once
#include "rows.inc.h"

namespace labdesk {
namespace {

constexpr int QUERY_BLOCK = attentionQueries;
thread_local Scratch scoreScratch, probabilityScratch;

// Where one head of one query block stands inside the packed buffers.
struct HeadBlock {
  int queryBegin, queryCount;  // queries [queryBegin, queryBegin + queryCount)
  int keyBegin, keyCount;      // keys that any of them sees
  int head, kvHead;
  long scoreStride;
};

inline HeadBlock headBlock(const AttentionArgs &a, const Segment &s, int head, int queryBegin) {
  HeadBlock b;
  b.queryBegin = queryBegin;
  b.queryCount = static_cast<int>(least(QUERY_BLOCK, s.end - queryBegin));
  const int farthest = a.window > 0 ? queryBegin - a.window + 1 : s.begin;
  b.keyBegin = farthest > s.begin ? farthest : s.begin;
  b.keyCount = queryBegin + b.queryCount - b.keyBegin;
  b.head = head;
  b.kvHead = head / (a.headCount / a.kvHeadCount);
  b.scoreStride = (b.keyCount + 15) / 16 * 16;
  return b;
}

inline long qkvStride(const AttentionArgs &a) {
  return static_cast<long>(a.headCount + 2 * a.kvHeadCount) * a.headSize;
}
inline long queryAt(const AttentionArgs &a, const HeadBlock &b) {
  return b.queryBegin * qkvStride(a) + static_cast<long>(b.head) * a.headSize;
}
inline long keyAt(const AttentionArgs &a, const HeadBlock &b) {
  return b.keyBegin * qkvStride(a) + static_cast<long>(a.headCount + b.kvHead) * a.headSize;
}
inline long valueAt(const AttentionArgs &a, const HeadBlock &b) {
  return keyAt(a, b) + static_cast<long>(a.kvHeadCount) * a.headSize;
}
inline long outAt(const AttentionArgs &a, const HeadBlock &b) {
  return (static_cast<long>(b.queryBegin) * a.headCount + b.head) * a.headSize;
}

// scores[query][key] = alpha * left . right, both with headSize contiguous columns
inline void multiplyHeads(const AttentionArgs &a, const HeadBlock &b, const float *left, long leftStride,
                          const float *right, float alpha, float *scores) {
  GemmArgs g;
  g.M = b.queryCount;
  g.N = b.keyCount;
  g.K = a.headSize;
  g.a = left;
  g.aRowStride = leftStride;
  g.b = right;
  g.bRowStride = 1;
  g.bColumnStride = qkvStride(a);
  g.c = scores;
  g.cRowStride = b.scoreStride;
  g.alpha = alpha;
  gemm(g);
}

// out[query][headSize] = scores[query][key] * rows[key][headSize]
inline void gatherRows(const AttentionArgs &a, const HeadBlock &b, const float *scores, const float *rows, float *out,
                       long outStride) {
  GemmArgs g;
  g.M = b.queryCount;
  g.N = a.headSize;
  g.K = b.keyCount;
  g.a = scores;
  g.aRowStride = b.scoreStride;
  g.b = rows;
  g.bRowStride = qkvStride(a);
  g.c = out;
  g.cRowStride = outStride;
  gemm(g);
}

// into[key][headSize] += scores[query][key]^T * rows[query][headSize]
inline void scatterRows(const AttentionArgs &a, const HeadBlock &b, const float *scores, const float *rows,
                        long rowStride, float *into, long intoStride) {
  GemmArgs g;
  g.M = b.keyCount;
  g.N = a.headSize;
  g.K = b.queryCount;
  g.a = scores;
  g.aRowStride = 1;
  g.aColumnStride = b.scoreStride;
  g.b = rows;
  g.bRowStride = rowStride;
  g.c = into;
  g.cRowStride = intoStride;
  g.accumulate = true;
  gemm(g);
}

// The keys one query sees, as columns of its score row.
struct Visible {
  int begin, end;
};
inline Visible visibleKeys(const AttentionArgs &a, const HeadBlock &b, int query) {
  const int at = b.queryBegin + query, first = a.window > 0 ? at - a.window + 1 : b.keyBegin;
  return {first > b.keyBegin ? first - b.keyBegin : 0, at - b.keyBegin + 1};
}

inline void capScores(float *row, Visible v, float cap) {
  const float inner = 1 / cap;
  int j = v.begin;
  for (; j + VL <= v.end; j += VL) store(row + j, cap * vtanh(load(row + j) * inner));
  for (; j < v.end; j++) row[j] = cap * tanhf(row[j] * inner);
}

// Softmax of the visible part of one score row; zero elsewhere. Returns log sum exp.
inline float softmaxRow(float *row, Visible v, int count) {
  const float top = largest(row + v.begin, v.end - v.begin);
  const float sum = exponentiate(row + v.begin, v.end - v.begin, top), inverse = 1 / sum;
  for (int j = 0; j < v.begin; j++) row[j] = 0;
  for (int j = v.begin; j < v.end; j++) row[j] *= inverse;
  for (int j = v.end; j < count; j++) row[j] = 0;
  return top + logf(sum);
}

struct RowGrad {
  float logSumExp, outDot, scale, cap;
};

// scores -> probabilities and (dO V^T) -> score gradients, in place, for one query.
inline void softmaxGradRow(float *probability, float *grad, Visible v, int count, const RowGrad &r) {
  const float slope = r.cap > 0 ? 1 / (r.cap * r.cap) : 0;  // d cap*tanh(s/cap) = 1 - (score / cap)^2
  for (int j = 0; j < v.begin; j++) probability[j] = grad[j] = 0;
  int j = v.begin;
  for (; j + VL <= v.end; j += VL) {
    const vf score = load(probability + j), e = vexp(score - r.logSumExp);
    store(probability + j, e);
    store(grad + j, e * (load(grad + j) - r.outDot) * r.scale * (1.0f - slope * score * score));
  }
  for (; j < v.end; j++) {
    const float score = probability[j], e = expf(score - r.logSumExp);
    probability[j] = e;
    grad[j] = e * (grad[j] - r.outDot) * r.scale * (1 - slope * score * score);
  }
  for (; j < count; j++) probability[j] = grad[j] = 0;
}

void attention(const AttentionArgs &a, Segment segment, int head, int firstQuery) {
  const long outStride = static_cast<long>(a.headCount) * a.headSize;
  const HeadBlock b = headBlock(a, segment, head, firstQuery);
  float *scores = scoreScratch.hold(static_cast<size_t>(QUERY_BLOCK * b.scoreStride));
  multiplyHeads(a, b, a.qkv + queryAt(a, b), qkvStride(a), a.qkv + keyAt(a, b), a.scale, scores);
  for (int i = 0; i < b.queryCount; i++) {
    const Visible v = visibleKeys(a, b, i);
    float *row = scores + i * b.scoreStride;
    if (a.cap > 0) capScores(row, v, a.cap);
    a.logSumExp[head * a.tokenCount + firstQuery + i] = softmaxRow(row, v, b.keyCount);
  }
  gatherRows(a, b, scores, a.qkv + valueAt(a, b), a.out + outAt(a, b), outStride);
}

void attentionGradBlock(const AttentionArgs &a, const HeadBlock &b) {
  const long outStride = static_cast<long>(a.headCount) * a.headSize;
  const auto scratch = static_cast<size_t>(QUERY_BLOCK * b.scoreStride);
  float *grad = scoreScratch.hold(scratch), *probability = probabilityScratch.hold(scratch);
  const float *outGrad = a.outGrad + outAt(a, b), *out = a.out + outAt(a, b);
  multiplyHeads(a, b, a.qkv + queryAt(a, b), qkvStride(a), a.qkv + keyAt(a, b), a.scale, probability);
  multiplyHeads(a, b, outGrad, outStride, a.qkv + valueAt(a, b), 1, grad);
  for (int i = 0; i < b.queryCount; i++) {
    float outDot = 0;  // rowsum(dP * P) = dO . O
    for (int j = 0; j < a.headSize; j++) outDot += out[i * outStride + j] * outGrad[i * outStride + j];
    const Visible v = visibleKeys(a, b, i);
    float *row = probability + i * b.scoreStride;
    if (a.cap > 0) capScores(row, v, a.cap);
    softmaxGradRow(row, grad + i * b.scoreStride, v, b.keyCount,
                   {a.logSumExp[b.head * a.tokenCount + b.queryBegin + i], outDot, a.scale, a.cap});
  }
  gatherRows(a, b, grad, a.qkv + keyAt(a, b), a.qkvGrad + queryAt(a, b), qkvStride(a));
  const bool isShared = a.sharedGrad != nullptr;
  const long stride = isShared ? 2 * outStride : qkvStride(a);
  float *keyGrad = isShared ? a.sharedGrad + b.keyBegin * stride + 2 * static_cast<long>(b.head) * a.headSize
                            : a.qkvGrad + keyAt(a, b);
  float *valueGrad = isShared ? keyGrad + a.headSize : a.qkvGrad + valueAt(a, b);
  scatterRows(a, b, grad, a.qkv + queryAt(a, b), qkvStride(a), keyGrad, stride);
  scatterRows(a, b, probability, outGrad, outStride, valueGrad, stride);
}

void attentionGrad(const AttentionArgs &a, Segment segment, int head) {
  for (int q = segment.begin; q < segment.end; q += QUERY_BLOCK) attentionGradBlock(a, headBlock(a, segment, head, q));
}

}  // namespace
}  // namespace labdesk
