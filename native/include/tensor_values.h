// Reading single tensors: their stored bytes, their values as F32, and the words for their types and shapes.
#pragma once
#include <string>
#include <vector>

#include "ggml_library.h"
#include "gguf_file.h"

namespace labdesk {

/** Name of a ggml type for messages, also of unknown numbers. */
std::string typeName(const GgmlLibrary &ggml, uint32_t type);
std::string shapeText(const std::vector<long> &shape);

/** Bytes of one row as stored. */
size_t rowBytes(const GgmlLibrary &ggml, const GgufTensor &tensor);
inline long rowCount(const GgufTensor &tensor) { return tensor.elementCount() / tensor.shape[0]; }

/** The stored bytes. Throws `unsupported-type` or `bad-gguf` unless its rows are whole blocks, inside the file. */
const char *storedBytes(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor);

/** Reads a tensor as F32, checking type, size and that every value is finite. */
void readValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor, float *out);

/** Checks all that without keeping the values, a block of rows at a time. */
void checkValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor);

}  // namespace labdesk
