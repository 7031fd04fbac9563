// Writes GGUF files: the adapter alone, or the whole model (adapters merged) in F32, F16, BF16, Q8_0 or a mixture of K
// types.
#pragma once
#include <string>

#include "json.h"
#include "model.h"
#include "workers.h"

namespace labdesk {

/** `what`: adapter | model; `type`: f32 | f16 | bf16 | q8_0 | q6_k | q5_k_m | q4_k_m; `metadata`: extra text entries,
 * or null. Returns the file's size in bytes. */
size_t exportGguf(const GgmlLibrary &ggml, const Model &model, Workers &workers, const Json &request);

}  // namespace labdesk
