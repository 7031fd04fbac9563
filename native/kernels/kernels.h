// The arithmetic the trainer runs on, one table of functions per instruction set. Every function is single-threaded,
// keeps its sums in a fixed order and works on row-major F32 buffers; token rows are the slow axis ([rows][columns], so
// ggml's [columns, rows]).
#pragma once
#include <cstdint>

namespace labdesk {

using ToFloat = void (*)(const void *blocks, float *out, int64_t count);

// C[m][n] (+)= alpha * sum_k A(m,k) * B(k,n)
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
  float *c = nullptr;
  long cRowStride = 0;
  float alpha = 1;
  bool accumulate = false;
};

// One sequence inside a packed microbatch: tokens [begin, end).
struct Segment {
  int begin, end;
};

// Causal attention inside each segment. qkv holds queries, keys and values of a token side by side (after RoPE).
struct AttentionArgs {
  int headSize = 0, headCount = 0, kvHeadCount = 0;
  long tokenCount = 0;
  const Segment *segments = nullptr;
  int segmentCount = 0;
  const float *qkv = nullptr;      // [tokens][(heads + 2 kvHeads) * headSize]
  float *out = nullptr;            // [tokens][heads * headSize]
  float *logSumExp = nullptr;      // [heads][tokens]
  const float *outGrad = nullptr;  // [tokens][heads * headSize], backward only
  float *qkvGrad = nullptr;        // like qkv, backward only (overwritten)
};

struct AdamArgs {
  float learningRate, beta1, beta2, eps, weightDecay;
  float correction1, correction2;  // 1 / (1 - beta^step)
  float gradScale;                 // global-norm clipping
};

struct Kernels {
  const char *name;
  void (*gemm)(const GemmArgs &args);
  // y = x / rms(x) * w, per row of `width`
  void (*rmsNorm)(const float *x, const float *w, float *y, int width, long rows, float eps);
  // dx (+)= gradient; dw += gradient unless null
  void (*rmsNormGrad)(const float *x, const float *w, const float *dy, float *dx, float *dw, bool accumulate, int width,
                      long rows, float eps);
  // gateUp: [rows][2 * width] = gate beside up; act: [rows][width] = silu(gate) * up
  void (*swiglu)(const float *gateUp, float *act, int width, long rows);
  // writes act again (for the weight gradient) and turns dAct into dGateUp
  void (*swigluGrad)(const float *gateUp, const float *dAct, float *act, float *dGateUp, int width, long rows);
  // rotates pairs (2i, 2i+1) of the first `headCount` heads of each row; table: [position][rotated] = cos, sin, cos,
  // sin...
  void (*rope)(float *x, long rowStride, int headCount, int headSize, int rotated, long rows, const float *table,
               const int *positions, float direction);
  // returns -weight * log softmax(logits)[target] and leaves weight * (softmax - onehot) in logits
  double (*crossEntropy)(float *logits, int count, int target, float lossWeight, float gradWeight);
  void (*attention)(const AttentionArgs &args);
  void (*attentionGrad)(const AttentionArgs &args);
  void (*add)(float *into, const float *from, long count);
  double (*sumSquares)(const float *x, long count);
  void (*adamw)(float *weight, const float *grad, float *mean, float *variance, long count, const AdamArgs &args);
};

// Null when the build or the machine lacks the instruction set. `isa` "" picks the best of the machine.
const Kernels *selectKernels(const char *isa);

}  // namespace labdesk
