// Row-wise kernels (norm, SwiGLU, RoPE, cross entropy, AdamW), compiled once per instruction set.
#pragma once
#include <cfloat>

#include "gemm.inc.h"

namespace labdesk {
namespace {

// Cephes-style exp, relative error about 2e-7; 0 below the smallest normal result.
inline vf vexp(vf x) {
  const vf high = vf{} + 88.3762626647949f, low = vf{} - 87.3365447504019f;
  x = x > high ? high : x;
  const vi under = x < low;
  x = x < low ? low : x;
  const vf scaled = x * 1.44269504088896341f + 0.5f;
  vi n = __builtin_convertvector(scaled, vi);
  vf fn = __builtin_convertvector(n, vf);
  const vi above = fn > scaled;
  fn = above ? fn - 1.0f : fn;
  n = __builtin_convertvector(fn, vi);
  x = x - fn * 0.693359375f;
  x = x - fn * -2.12194440e-4f;
  vf y = vf{} + 1.9875691500E-4f;
  y = y * x + 1.3981999507E-3f;
  y = y * x + 8.3334519073E-3f;
  y = y * x + 4.1665795894E-2f;
  y = y * x + 1.6666665459E-1f;
  y = y * x + 5.0000001201E-1f;
  y = y * x * x + x + 1.0f;
  const vi bits = (n + 127) << 23;
  vf power;
  memcpy(&power, &bits, sizeof power);
  const vf result = y * power;
  return under ? vf{} : result;
}

inline float sumOf(vf v) {
  float s = 0;
  for (int i = 0; i < VL; i++) s += v[i];
  return s;
}

inline float inverseRms(const float *x, int width, float eps) {
  vf s{};
  int i = 0;
  for (; i + VL <= width; i += VL) s += load(x + i) * load(x + i);
  float total = sumOf(s);
  for (; i < width; i++) total += x[i] * x[i];
  return 1 / sqrtf(total / width + eps);
}

void rmsNorm(const float *x, const float *w, float *y, int width, long rows, float eps) {
  for (long t = 0; t < rows; t++, x += width, y += width) {
    const float r = inverseRms(x, width, eps);
    for (int i = 0; i < width; i++) y[i] = x[i] * r * w[i];
  }
}

void rmsNormGrad(const float *x, const float *w, const float *dy, float *dx, float *dw, bool accumulate, int width,
                 long rows, float eps) {
  for (long t = 0; t < rows; t++, x += width, dy += width, dx += width) {
    const float r = inverseRms(x, width, eps);
    vf s{};
    int i = 0;
    for (; i + VL <= width; i += VL) s += load(dy + i) * load(w + i) * load(x + i);
    float dot = sumOf(s);
    for (; i < width; i++) dot += dy[i] * w[i] * x[i];
    const float c = dot * r * r * r / width;
    if (accumulate)
      for (i = 0; i < width; i++) dx[i] += dy[i] * w[i] * r - x[i] * c;
    else
      for (i = 0; i < width; i++) dx[i] = dy[i] * w[i] * r - x[i] * c;
    if (dw)
      for (i = 0; i < width; i++) dw[i] += dy[i] * x[i] * r;
  }
}

void swiglu(const float *gateUp, float *act, int width, long rows) {
  for (long t = 0; t < rows; t++, gateUp += 2 * width, act += width) {
    const float *gate = gateUp, *up = gateUp + width;
    int i = 0;
    for (; i + VL <= width; i += VL) {
      const vf x = load(gate + i);
      store(act + i, x / (vexp(-x) + 1.0f) * load(up + i));
    }
    for (; i < width; i++) act[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
  }
}

void swigluGrad(const float *gateUp, const float *dAct, float *act, float *dGateUp, int width, long rows) {
  for (long t = 0; t < rows; t++, gateUp += 2 * width, dGateUp += 2 * width, act += width, dAct += width) {
    const float *gate = gateUp, *up = gateUp + width;
    float *dGate = dGateUp, *dUp = dGateUp + width;
    int i = 0;
    for (; i + VL <= width; i += VL) {
      const vf x = load(gate + i), u = load(up + i), d = load(dAct + i);
      const vf s = 1.0f / (vexp(-x) + 1.0f), silu = x * s;
      store(act + i, silu * u);
      store(dUp + i, d * silu);
      store(dGate + i, d * u * (s + silu * (1.0f - s)));
    }
    for (; i < width; i++) {
      const float s = 1 / (1 + expf(-gate[i])), silu = gate[i] * s, d = dAct[i];
      act[i] = silu * up[i];
      dUp[i] = d * silu;
      dGate[i] = d * up[i] * (s + silu * (1 - s));
    }
  }
}

void rope(float *x, long rowStride, int headCount, int headSize, int rotated, long rows, const float *table,
          const int *positions, float direction) {
  for (long t = 0; t < rows; t++) {
    const float *turn = table + static_cast<long>(positions[t]) * rotated;
    for (int h = 0; h < headCount; h++) {
      float *p = x + t * rowStride + static_cast<long>(h) * headSize;
      for (int i = 0; i < rotated; i += 2) {
        const float a = p[i], b = p[i + 1], c = turn[i], s = turn[i + 1] * direction;
        p[i] = a * c - b * s;
        p[i + 1] = a * s + b * c;
      }
    }
  }
}

inline float largest(const float *x, int count) {
  vf tops = vf{} - FLT_MAX;
  int i = 0;
  for (; i + VL <= count; i += VL) {
    const vf v = load(x + i);
    tops = tops > v ? tops : v;
  }
  float top = -FLT_MAX;
  for (int k = 0; k < VL; k++) top = tops[k] > top ? tops[k] : top;
  for (; i < count; i++) top = x[i] > top ? x[i] : top;
  return top;
}

double crossEntropy(float *logits, int count, int target, float lossWeight, float gradWeight) {
  const float top = largest(logits, count), aimed = logits[target];
  vf sums{};
  float rest = 0;
  int i = 0;
  for (; i + VL <= count; i += VL) {
    const vf e = vexp(load(logits + i) - top);
    store(logits + i, e);
    sums += e;
  }
  for (; i < count; i++) {
    logits[i] = expf(logits[i] - top);
    rest += logits[i];
  }
  const float sum = sumOf(sums) + rest, scale = gradWeight / sum;
  for (i = 0; i < count; i++) logits[i] *= scale;
  logits[target] -= gradWeight;
  return static_cast<double>(lossWeight) * (log(static_cast<double>(sum)) + top - aimed);
}

void add(float *into, const float *from, long count) {
  for (long i = 0; i < count; i++) into[i] += from[i];
}

double sumSquares(const float *x, long count) {
  double total = 0;
  for (long i = 0; i < count; i++) total += static_cast<double>(x[i]) * x[i];
  return total;
}

// Loshchilov & Hutter 2019 (decoupled decay), in PyTorch's form.
void adamw(float *weight, const float *grad, float *mean, float *variance, long count, const AdamArgs &args) {
  const float keep = 1 - args.learningRate * args.weightDecay, rate = args.learningRate * args.correction1;
  const float b1 = args.beta1, b2 = args.beta2, eps = args.eps, c2 = args.correction2, scale = args.gradScale;
  for (long i = 0; i < count; i++) {
    const float g = grad[i] * scale;
    const float m = mean[i] * b1 + g * (1 - b1);
    const float v = variance[i] * b2 + g * g * (1 - b2);
    mean[i] = m;
    variance[i] = v;
    weight[i] = weight[i] * keep - rate * m / (sqrtf(v * c2) + eps);
  }
}

}  // namespace
}  // namespace labdesk
