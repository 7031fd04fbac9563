// The kernels for AVX-512: vectors of 16 in 32 registers. Compiled with flags that only selectKernels may rely on.
#define VL 16
#define NRV 2
#define MR 12
#include "attention.inc.h"

namespace labdesk {
extern const Kernels kernels_avx512;
const Kernels kernels_avx512 = {"avx512",     gemm,      rmsNorm,       rmsNormGrad, swiglu,     swigluGrad, rope,
                                crossEntropy, attention, attentionGrad, add,         sumSquares, adamw};
}  // namespace labdesk
