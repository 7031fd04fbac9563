// The kernels for AVX-512: vectors of 16 in 32 registers. Compiled with flags that only selectKernels may rely on.
#define VL 16
#define NRV 2
#define MR 12
#define ISA_NAME "avx512"
#define ISA_TABLE kernels_avx512
#include "table.inc.h"
