// Segment-causal attention, forward and backward, in blocks of QUERY_BLOCK queries against all earlier keys of the
// segment. The probabilities of a block are recomputed in the backward pass from the saved log-sum-exp; nothing of size
// tokens^2 is kept.
#pragma once
#include "rows.inc.h"

namespace labdesk {
namespace {

constexpr int QUERY_BLOCK = 96;
thread_local Scratch scoreScratch, probabilityScratch;

// Where one head of one query block stands inside the packed buffers.
struct HeadBlock {
  int queryBegin, queryCount;  // queries [queryBegin, queryBegin + queryCount)
  int keyBegin, keyCount;      // keys of the same segment up to the last query
  int head, kvHead;
  long scoreStride;
};

inline HeadBlock headBlock(const AttentionArgs &a, const Segment &s, int head, int queryBegin) {
  HeadBlock b;
  b.queryBegin = queryBegin;
  b.queryCount = static_cast<int>(least(QUERY_BLOCK, s.end - queryBegin));
  b.keyBegin = s.begin;
  b.keyCount = queryBegin + b.queryCount - s.begin;
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
                        long rowStride, float *into) {
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
  g.cRowStride = qkvStride(a);
  g.accumulate = true;
  gemm(g);
}

// Softmax of the visible part of one score row; zero beyond. Returns log sum exp.
inline float softmaxRow(float *row, int visible, int count) {
  const float top = largest(row, visible);
  vf sums{};
  int j = 0;
  for (; j + VL <= visible; j += VL) {
    const vf e = vexp(load(row + j) - top);
    store(row + j, e);
    sums += e;
  }
  float sum = sumOf(sums);
  for (; j < visible; j++) {
    row[j] = expf(row[j] - top);
    sum += row[j];
  }
  for (j = visible; j < count; j++) row[j] = 0;
  const float inverse = 1 / sum;
  for (j = 0; j < visible; j++) row[j] *= inverse;
  return top + logf(sum);
}

// scores -> probabilities and (dO V^T) -> score gradients, in place, for one query.
inline void softmaxGradRow(float *probability, float *grad, int visible, int count, float logSumExp, float outDot,
                           float scale) {
  int j = 0;
  for (; j + VL <= visible; j += VL) {
    const vf e = vexp(load(probability + j) - logSumExp);
    store(probability + j, e);
    store(grad + j, e * (load(grad + j) - outDot) * scale);
  }
  for (; j < visible; j++) {
    const float e = expf(probability[j] - logSumExp);
    probability[j] = e;
    grad[j] = e * (grad[j] - outDot) * scale;
  }
  for (; j < count; j++) probability[j] = grad[j] = 0;
}

void attention(const AttentionArgs &a) {
  const float scale = 1 / sqrtf(static_cast<float>(a.headSize));
  const long outStride = static_cast<long>(a.headCount) * a.headSize;
  for (int s = 0; s < a.segmentCount; s++)
    for (int h = 0; h < a.headCount; h++)
      for (int q = a.segments[s].begin; q < a.segments[s].end; q += QUERY_BLOCK) {
        const HeadBlock b = headBlock(a, a.segments[s], h, q);
        float *scores = scoreScratch.hold(static_cast<size_t>(QUERY_BLOCK * b.scoreStride));
        multiplyHeads(a, b, a.qkv + queryAt(a, b), qkvStride(a), a.qkv + keyAt(a, b), scale, scores);
        for (int i = 0; i < b.queryCount; i++)
          a.logSumExp[h * a.tokenCount + q + i] =
              softmaxRow(scores + i * b.scoreStride, q + i - b.keyBegin + 1, b.keyCount);
        gatherRows(a, b, scores, a.qkv + valueAt(a, b), a.out + outAt(a, b), outStride);
      }
}

void attentionGradBlock(const AttentionArgs &a, const HeadBlock &b) {
  const float scale = 1 / sqrtf(static_cast<float>(a.headSize));
  const long outStride = static_cast<long>(a.headCount) * a.headSize;
  const auto scratch = static_cast<size_t>(QUERY_BLOCK * b.scoreStride);
  float *grad = scoreScratch.hold(scratch), *probability = probabilityScratch.hold(scratch);
  const float *outGrad = a.outGrad + outAt(a, b), *out = a.out + outAt(a, b);
  multiplyHeads(a, b, a.qkv + queryAt(a, b), qkvStride(a), a.qkv + keyAt(a, b), scale, probability);
  multiplyHeads(a, b, outGrad, outStride, a.qkv + valueAt(a, b), 1, grad);
  for (int i = 0; i < b.queryCount; i++) {
    float outDot = 0;  // rowsum(dP * P) = dO . O
    for (int j = 0; j < a.headSize; j++) outDot += out[i * outStride + j] * outGrad[i * outStride + j];
    softmaxGradRow(probability + i * b.scoreStride, grad + i * b.scoreStride, b.queryBegin + i - b.keyBegin + 1,
                   b.keyCount, a.logSumExp[b.head * a.tokenCount + b.queryBegin + i], outDot, scale);
  }
  gatherRows(a, b, grad, a.qkv + keyAt(a, b), a.qkvGrad + queryAt(a, b), qkvStride(a));
  scatterRows(a, b, grad, a.qkv + queryAt(a, b), qkvStride(a), a.qkvGrad + keyAt(a, b));
  scatterRows(a, b, probability, outGrad, outStride, a.qkvGrad + valueAt(a, b));
}

void attentionGrad(const AttentionArgs &a) {
  memset(a.qkvGrad, 0, sizeof(float) * static_cast<size_t>(a.tokenCount * qkvStride(a)));
  for (int s = 0; s < a.segmentCount; s++)
    for (int h = 0; h < a.headCount; h++)
      for (int q = a.segments[s].begin; q < a.segments[s].end; q += QUERY_BLOCK)
        attentionGradBlock(a, headBlock(a, a.segments[s], h, q));
}

}  // namespace
}  // namespace labdesk
