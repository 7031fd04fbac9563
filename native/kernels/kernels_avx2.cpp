// The kernels for AVX2 and FMA: vectors of 8 in 16 registers. Compiled with flags that only selectKernels may rely on.
#define VL 8
#define NRV 2
#define MR 6
#include "attention.inc.h"

namespace labdesk {
extern const Kernels kernels_avx2;
const Kernels kernels_avx2 = {"avx2",       gemm,      rmsNorm,       rmsNormGrad, swiglu,     swigluGrad, rope,
                              crossEntropy, attention, attentionGrad, add,         sumSquares, adamw};
}  // namespace labdesk
