// See memory.h. Unknown systems are not checked.
#include "memory.h"

#include <cstdio>
#include <new>

namespace labdesk {

void requireMemory(size_t sizeBytes) {
  FILE *file = fopen("/proc/meminfo", "r");
  if (!file) return;
  char line[256];
  size_t kilobytes = 0;
  while (fgets(line, sizeof line, file) && sscanf(line, "MemAvailable: %zu", &kilobytes) != 1) {
  }
  fclose(file);
  if (kilobytes > 0 && sizeBytes / 1024 > kilobytes) throw std::bad_alloc();
}

}  // namespace labdesk
