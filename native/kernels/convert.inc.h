// Block types to F32 in vectors; the ggml library's own conversions are built for the weakest machine.
#pragma once
#include <cstdint>
#include <cstring>

#include "gemm.inc.h"

namespace labdesk {
namespace {

typedef uint16_t halves __attribute__((vector_size(VL * 2), aligned(2)));
typedef unsigned int words __attribute__((vector_size(VL * 4), aligned(4)));
typedef int8_t bytes __attribute__((vector_size(VL), aligned(1)));

void bf16ToFloat(const void *from, float *out, int64_t count) {
  const auto *at = static_cast<const uint16_t *>(from);
  int64_t i = 0;
  for (; i + VL <= count; i += VL) {
    halves h;
    memcpy(&h, at + i, sizeof h);
    const words w = __builtin_convertvector(h, words) << 16;
    memcpy(out + i, &w, sizeof w);
  }
  for (; i < count; i++) {
    const uint32_t bits = static_cast<uint32_t>(at[i]) << 16;
    memcpy(out + i, &bits, sizeof bits);
  }
}

// Shifting exponent and fraction into place leaves a number too small by 2^112, which one product repairs, subnormals
// included; values that are not finite were refused when the weights were read.
inline float halfToFloat(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half & 0x7fff) << 13, sign = static_cast<uint32_t>(half & 0x8000) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  value *= 0x1p112f;
  uint32_t whole;
  memcpy(&whole, &value, sizeof whole);
  whole |= sign;
  memcpy(&value, &whole, sizeof value);
  return value;
}

void f16ToFloat(const void *from, float *out, int64_t count) {
  const auto *at = static_cast<const uint16_t *>(from);
  int64_t i = 0;
  for (; i + VL <= count; i += VL) {
    halves h;
    memcpy(&h, at + i, sizeof h);
    const words w = __builtin_convertvector(h, words), bits = (w & 0x7fffu) << 13;
    vf value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    words whole;
    memcpy(&whole, &value, sizeof whole);
    whole |= (w & 0x8000u) << 16;
    memcpy(out + i, &whole, sizeof whole);
  }
  for (; i < count; i++) out[i] = halfToFloat(at[i]);
}

// Blocks of 32: an F16 scale and 32 signed bytes.
void q8ToFloat(const void *from, float *out, int64_t count) {
  const auto *at = static_cast<const char *>(from);
  for (int64_t i = 0; i < count; i += 32, at += 34) {
    uint16_t half;
    memcpy(&half, at, sizeof half);
    const float scale = halfToFloat(half);
    for (int j = 0; j < 32; j += VL) {
      bytes b;
      memcpy(&b, at + 2 + j, sizeof b);
      store(out + i + j, __builtin_convertvector(__builtin_convertvector(b, vi), vf) * scale);
    }
  }
}

}  // namespace
}  // namespace labdesk
