// The kernels for AVX2 and FMA: vectors of 8 in 16 registers. Compiled with flags that only selectKernels may rely on.
#define VL 8
#define NRV 2
#define MR 6
#define ISA_NAME "avx2"
#define ISA_TABLE kernels_avx2
#include "table.inc.h"
