// The compiler's own baseline: SSE2 on x86-64 (16 registers), NEON on arm64 (32 registers).
#define VL 4
#if defined(__aarch64__)
#define NRV 3
#define MR 8
#else
#define NRV 2
#define MR 6
#endif
#define ISA_NAME "portable"
#define ISA_TABLE kernels_portable
#include "table.inc.h"
