// Picks the kernels of the running machine; built without instruction-set flags so that it runs anywhere.
#include <cstring>

#include "kernels.h"

namespace labdesk {

extern const Kernels kernels_portable;
#ifdef LABDESK_X86_KERNELS
extern const Kernels kernels_avx512, kernels_avx2;
#endif

const Kernels *selectKernels(const char *isa) {
  const bool any = isa[0] == '\0';
#ifdef LABDESK_X86_KERNELS
  __builtin_cpu_init();
  const bool hasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool hasAvx512 = hasAvx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (hasAvx512 && (any || strcmp(isa, "avx512") == 0)) return &kernels_avx512;
  if (hasAvx2 && (any || strcmp(isa, "avx2") == 0)) return &kernels_avx2;
#endif
  if (any || strcmp(isa, "portable") == 0) return &kernels_portable;
  return nullptr;
}

}  // namespace labdesk
