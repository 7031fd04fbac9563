// Adapters of one model added up into one.
#pragma once
#include "ggml_library.h"
#include "json.h"

namespace labdesk {

/**
 * `adapters`: [{path, weight}], `path`: the file to write. The change of each weight is the weighted sum of the
 * adapters' changes: their ranks stand beside each other. Throws `bad-gguf` when they belong to different models.
 * Returns the file's size in bytes.
 */
size_t combineAdapters(const GgmlLibrary &ggml, const Json &request);

}  // namespace labdesk
