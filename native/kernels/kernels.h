// The arithmetic the trainer runs on, one table of functions per instruction set. Every function is single-threaded,
// keeps its sums in a fixed order and works on row-major F32 buffers; token rows are the slow axis ([rows][columns], so
// ggml's [columns, rows]). Work is split over threads so that each number is made by one of them in the same order:
// results do not depend on how many there are.
#pragma once
#include <cstdint>

namespace labdesk {

using ToFloat = void (*)(const void *blocks, float *out, int64_t count);

// C[m][n] (+)= alpha * (sum_k A(m,k) * B(k,n) + sum_j A2(m,j) * B2(j,n))
struct GemmArgs {
  long M = 0, N = 0, K = 0;
  const float *a = nullptr;  // A(m,k) = a[m * aRowStride + k * aColumnStride]
  long aRowStride = 0, aColumnStride = 1;
  const void *b = nullptr;  // F32: B(k,n) = b[k * bRowStride + n * bColumnStride], one of the strides is 1
  long bRowStride = 0, bColumnStride = 1;
  // B held as blocks of another type (a weight [in, out] read row by row); then the strides above are unused.
  ToFloat toFloat = nullptr;
  bool blocksAlongK = true;  // true: B's columns are the weight's rows (y = x W^T); false: B's rows are (dx = dy W)
  long blockRowBytes = 0;
  int blockSize = 1, blockBytes = 0;
  // The second product: a low-rank adapter beside its weight, both F32, A2's rows contiguous.
  const float *a2 = nullptr, *b2 = nullptr;
  long K2 = 0, a2RowStride = 0, b2RowStride = 0, b2ColumnStride = 1;
  float *c = nullptr;
  long cRowStride = 0;
  float alpha = 1;
  bool accumulate = false;
  const float *from = nullptr;  // accumulate on this instead of C, which is then only written; rows cRowStride apart
};

// One sequence inside a packed microbatch: tokens [begin, end).
struct Segment {
  int begin, end;
};

// Causal attention inside each segment. qkv holds queries, keys and values of a token side by side (after RoPE).
struct AttentionArgs {
  int headSize = 0, headCount = 0, kvHeadCount = 0;
  float scale = 1;  // of query . key
  float cap = 0;    // cap * tanh(score / cap); 0: none
  int window = 0;   // keys a query sees, its own included; 0: all
  long tokenCount = 0;
  const float *qkv = nullptr;      // [tokens][(heads + 2 kvHeads) * headSize]
  float *out = nullptr;            // [tokens][heads * headSize]
  float *logSumExp = nullptr;      // [heads][tokens]
  const float *outGrad = nullptr;  // [tokens][heads * headSize], backward only
  float *qkvGrad = nullptr;        // like qkv, backward only; must be zero at the keys and values of a lone head
  // Backward with several heads a key head: each head's own share, [tokens][heads][2 * headSize], zero at first; null:
  // none
  float *sharedGrad = nullptr;
};

// Rows of `width` numbers, `stride` apart.
struct RowsIn {
  const float *at;
  long stride;
};
struct RowsOut {
  float *at;
  long stride;
};

struct AdamArgs {
  float learningRate, beta1, beta2, eps, weightDecay;
  float correction1, correction2;  // 1 / (1 - beta^step)
  float gradScale;                 // global-norm clipping
};

constexpr int attentionQueries = 96;  // queries of one attention task

struct Kernels {
  const char *name;
  int tileRows, panelColumns;  // of the matrix product: splitting at their multiples changes no result
  void (*gemm)(const GemmArgs &args);
  // y = x / rms(x) * w, per row of `width`
  void (*rmsNorm)(RowsIn x, const float *w, RowsOut y, int width, long rows, float eps);
  // dx (+)= gradient
  void (*rmsNormGrad)(RowsIn x, const float *w, RowsIn dy, RowsOut dx, bool accumulate, int width, long rows,
                      float eps);
  // dw += gradient over the rows
  void (*rmsNormWeightGrad)(RowsIn x, RowsIn dy, float *dw, int width, long rows, float eps);
  // act = f(gate) * up; f: silu, or gelu (tanh form)
  void (*glu)(RowsIn gate, RowsIn up, RowsOut act, bool isGelu, int width, long rows);
  // writes act again (for the weight gradient) and turns dAct into dGate and dUp
  void (*gluGrad)(RowsIn gate, RowsIn up, RowsIn dAct, RowsOut act, RowsOut dGate, RowsOut dUp, bool isGelu, int width,
                  long rows);
  // rotates pairs (2i, 2i+1), or (i, i + rotated/2), of the first `headCount` heads of each row; table:
  // [position][rotated] = cos, sin...
  void (*rope)(RowsOut x, int headCount, int headSize, int rotated, bool isHalves, long rows, const float *table,
               const int *positions, float direction);
  // logits -> cap * tanh(scale * logits / cap); cap 0: scale alone
  void (*scaleLogits)(float *logits, int count, float scale, float cap);
  // returns -weight * log softmax(logits)[target] and leaves gradWeight * (softmax - onehot) in logits
  double (*crossEntropy)(float *logits, int count, int target, float lossWeight, float gradWeight);
  // grad += gradWeight * (softmax(logits) - softmax(base)); leaves both arguments' buffers undefined; returns KL(base
  // || logits)
  double (*distil)(float *logits, float *base, float *grad, int count, float gradWeight);
  void (*attention)(const AttentionArgs &args, Segment segment, int head, int firstQuery);
  void (*attentionGrad)(const AttentionArgs &args, Segment segment, int head);
  void (*add)(float *into, const float *from, long count);
  void (*addScaled)(float *into, const float *from, float scale, long count);  // into += scale * from
  double (*sumSquares)(const float *x, long count);
  void (*adamw)(float *weight, const float *grad, float *mean, float *variance, long count, const AdamArgs &args);
  // Conversions faster than the library's; null: use the library's
  ToFloat f16, bf16, q8_0;
};

// Null when the build or the machine lacks the instruction set. `isa` "" picks the best of the machine.
const Kernels *selectKernels(const char *isa);

}  // namespace labdesk
