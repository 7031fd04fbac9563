// See tensor_values.h.
#include "tensor_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *damaged = "Choose another model file, or download this one again.";

// NaN and Inf have all exponent bits set. Read as bits, since the compiler may assume that numbers are finite.
bool allFinite(const float *values, long count) {
  uint32_t worst = 0;
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, values + i, sizeof bits);
    worst = std::max(worst, bits & 0x7fffffffu);
  }
  return worst < 0x7f800000u;
}

void convert(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor, const char *bytes, float *out,
             long count) {
  if (tensor.type == GGML_TYPE_F32)
    memcpy(out, bytes, static_cast<size_t>(count) * sizeof(float));
  else
    ggml.typeTraits(static_cast<ggml_type>(tensor.type))->to_float(bytes, out, count);
  require(allFinite(out, count), "bad-gguf",
          file.path() + ": the tensor '" + tensor.name + "' holds a value that is not a finite number.", damaged);
}

}  // namespace

std::string typeName(const GgmlLibrary &ggml, uint32_t type) {
  if (type >= GGML_TYPE_COUNT) return "number " + std::to_string(type);
  const ggml_type_traits *traits = ggml.typeTraits(static_cast<ggml_type>(type));
  return traits && traits->type_name ? traits->type_name : "number " + std::to_string(type);
}

std::string shapeText(const std::vector<long> &shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); i++) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

size_t rowBytes(const GgmlLibrary &ggml, const GgufTensor &tensor) {
  const ggml_type_traits *traits = ggml.typeTraits(static_cast<ggml_type>(tensor.type));
  return static_cast<size_t>(tensor.shape[0] / traits->blck_size) * traits->type_size;
}

const char *storedBytes(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor) {
  const ggml_type_traits *traits =
      tensor.type < GGML_TYPE_COUNT ? ggml.typeTraits(static_cast<ggml_type>(tensor.type)) : nullptr;
  const bool isReadable = traits && traits->blck_size > 0 && (tensor.type == GGML_TYPE_F32 || traits->to_float);
  require(isReadable, "unsupported-type",
          file.path() + ": the tensor '" + tensor.name + "' is of type " + typeName(ggml, tensor.type) +
              ", which cannot be trained.",
          "Choose a model with weights that can be turned into numbers: F32, F16, BF16, Q8_0, Q4_K, Q6_K...");
  require(tensor.shape[0] % traits->blck_size == 0, "bad-gguf",
          file.path() + ": the rows of the tensor '" + tensor.name + "' are no whole blocks.", damaged);
  return static_cast<const char *>(file.bytes(tensor, rowBytes(ggml, tensor) * static_cast<size_t>(rowCount(tensor))));
}

void readValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor, float *out) {
  convert(ggml, file, tensor, storedBytes(ggml, file, tensor), out, tensor.elementCount());
}

void checkValues(const GgmlLibrary &ggml, const GgufFile &file, const GgufTensor &tensor) {
  const char *bytes = storedBytes(ggml, file, tensor);
  std::vector<float> row(static_cast<size_t>(tensor.shape[0]));
  for (long r = 0; r < rowCount(tensor); r++, bytes += rowBytes(ggml, tensor))
    convert(ggml, file, tensor, bytes, row.data(), tensor.shape[0]);
}

}  // namespace labdesk
