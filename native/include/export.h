// Writes GGUF files: the adapter alone, or the whole model (adapters merged) in F32, F16, BF16 or Q8_0.
#pragma once
#include <string>

#include "json.h"
#include "model.h"

namespace labdesk {

/** `what`: adapter | model; `type`: f32 | f16 | bf16 | q8_0; `metadata`: extra text entries, or null. Returns the
 * file's size in bytes. */
size_t exportGguf(const GgmlLibrary &ggml, const Model &model, const Json &request);

}  // namespace labdesk
