// What the machine can still give.
#pragma once
#include <cstddef>

namespace labdesk {

/** Throws std::bad_alloc when clearly more is wanted than the machine has free: Linux promises memory it cannot keep.
 */
void requireMemory(size_t sizeBytes);

}  // namespace labdesk
