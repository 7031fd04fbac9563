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

void rmsNorm(RowsIn x, const float *w, RowsOut y, int width, long rows, float eps) {
  for (long t = 0; t < rows; t++) {
    const float *from = x.at + t * x.stride;
    float *to = y.at + t * y.stride;
    const float r = inverseRms(from, width, eps);
    for (int i = 0; i < width; i++) to[i] = from[i] * r * w[i];
  }
}

void rmsNormGrad(RowsIn xs, const float *w, RowsIn dys, RowsOut dxs, bool accumulate, int width, long rows, float eps) {
  for (long t = 0; t < rows; t++) {
    const float *x = xs.at + t * xs.stride, *dy = dys.at + t * dys.stride;
    float *dx = dxs.at + t * dxs.stride;
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
  }
}

void rmsNormWeightGrad(RowsIn xs, RowsIn dys, float *dw, int width, long rows, float eps) {
  for (long t = 0; t < rows; t++) {
    const float *x = xs.at + t * xs.stride, *dy = dys.at + t * dys.stride;
    const float r = inverseRms(x, width, eps);
    for (int i = 0; i < width; i++) dw[i] += dy[i] * x[i] * r;
  }
}

constexpr float geluScale = 0.79788456080286535588f, geluCube = 0.044715f;

inline vf vtanh(vf x) { return 1.0f - 2.0f / (vexp(2.0f * x) + 1.0f); }

// The value of the gate's activation and its slope, of a vector or a single number.
inline void activate(vf x, bool isGelu, vf &value, vf &slope) {
  if (isGelu) {
    const vf t = vtanh(geluScale * x * (1.0f + geluCube * x * x)), half = 0.5f * (1.0f + t);
    value = x * half;
    slope = half + 0.5f * x * (1.0f - t * t) * geluScale * (1.0f + 3.0f * geluCube * x * x);
    return;
  }
  const vf s = 1.0f / (vexp(-x) + 1.0f);
  value = x * s;
  slope = s + value * (1.0f - s);
}

inline void activateOne(float x, bool isGelu, float &value, float &slope) {
  float in[VL] = {x}, out[VL];
  vf v, d;
  activate(load(in), isGelu, v, d);
  store(out, v);
  value = out[0];
  store(out, d);
  slope = out[0];
}

void glu(RowsIn gates, RowsIn ups, RowsOut acts, bool isGelu, int width, long rows) {
  for (long t = 0; t < rows; t++) {
    const float *gate = gates.at + t * gates.stride, *up = ups.at + t * ups.stride;
    float *act = acts.at + t * acts.stride;
    vf value, slope;
    int i = 0;
    for (; i + VL <= width; i += VL) {
      activate(load(gate + i), isGelu, value, slope);
      store(act + i, value * load(up + i));
    }
    for (; i < width; i++) {
      float v, d;
      activateOne(gate[i], isGelu, v, d);
      act[i] = v * up[i];
    }
  }
}

void gluGrad(RowsIn gates, RowsIn ups, RowsIn dActs, RowsOut acts, RowsOut dGates, RowsOut dUps, bool isGelu, int width,
             long rows) {
  for (long t = 0; t < rows; t++) {
    const float *gate = gates.at + t * gates.stride, *up = ups.at + t * ups.stride, *dAct = dActs.at + t * dActs.stride;
    float *act = acts.at + t * acts.stride, *dGate = dGates.at + t * dGates.stride, *dUp = dUps.at + t * dUps.stride;
    vf value, slope;
    int i = 0;
    for (; i + VL <= width; i += VL) {
      const vf u = load(up + i), d = load(dAct + i);
      activate(load(gate + i), isGelu, value, slope);
      store(act + i, value * u);
      store(dUp + i, d * value);
      store(dGate + i, d * u * slope);
    }
    for (; i < width; i++) {
      const float u = up[i], d = dAct[i];
      float v, g;
      activateOne(gate[i], isGelu, v, g);
      act[i] = v * u;
      dUp[i] = d * v;
      dGate[i] = d * u * g;
    }
  }
}

// One head's pairs, STEP numbers from pair to pair and `apart` within one.
template <int STEP>
inline void ropeHead(float *p, int apart, int pairs, const float *turn, float direction) {
  for (int i = 0; i < pairs; i++) {
    const float a = p[i * STEP], b = p[i * STEP + apart], c = turn[2 * i], s = turn[2 * i + 1] * direction;
    p[i * STEP] = a * c - b * s;
    p[i * STEP + apart] = a * s + b * c;
  }
}

void rope(RowsOut x, int headCount, int headSize, int rotated, bool isHalves, long rows, const float *table,
          const int *positions, float direction) {
  const int pairs = rotated / 2;
  for (long t = 0; t < rows; t++) {
    const float *turn = table + static_cast<long>(positions[t]) * rotated;
    for (int h = 0; h < headCount; h++) {
      float *p = x.at + t * x.stride + static_cast<long>(h) * headSize;
      if (isHalves)
        ropeHead<1>(p, pairs, pairs, turn, direction);
      else
        ropeHead<2>(p, 1, pairs, turn, direction);
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

void scaleLogits(float *logits, int count, float scale, float cap) {
  if (cap == 0) {
    for (int i = 0; i < count; i++) logits[i] *= scale;
    return;
  }
  const float inner = scale / cap;
  int i = 0;
  for (; i + VL <= count; i += VL) store(logits + i, cap * vtanh(load(logits + i) * inner));
  for (; i < count; i++) logits[i] = cap * tanhf(logits[i] * inner);
}

// logits -> exp(logits - top); returns their sum.
inline float exponentiate(float *logits, int count, float top) {
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
  return sumOf(sums) + rest;
}

double crossEntropy(float *logits, int count, int target, float lossWeight, float gradWeight) {
  const float top = largest(logits, count), aimed = logits[target];
  const float sum = exponentiate(logits, count, top), scale = gradWeight / sum;
  for (int i = 0; i < count; i++) logits[i] *= scale;
  logits[target] -= gradWeight;
  return static_cast<double>(lossWeight) * (log(static_cast<double>(sum)) + top - aimed);
}

// KL(base || model) = sum p_base (log p_base - log p_model); its gradient by the logits is p_model - p_base.
double distil(float *logits, float *base, float *grad, int count, float gradWeight) {
  const float top = largest(logits, count), baseTop = largest(base, count);
  double cross = 0, own = 0, baseSum = 0;
  for (int i = 0; i < count; i++) {
    const double e = exp(static_cast<double>(base[i]) - baseTop);
    baseSum += e;
    own += e * base[i];
    cross += e * logits[i];
  }
  const float sum = exponentiate(logits, count, top), otherSum = exponentiate(base, count, baseTop);
  const float scale = gradWeight / sum, baseScale = gradWeight / otherSum;
  for (int i = 0; i < count; i++) grad[i] += logits[i] * scale - base[i] * baseScale;
  return (own - cross) / baseSum - (log(baseSum) + baseTop) + (log(static_cast<double>(sum)) + top);
}

void add(float *into, const float *from, long count) {
  for (long i = 0; i < count; i++) into[i] += from[i];
}

void addScaled(float *into, const float *from, float scale, long count) {
  for (long i = 0; i < count; i++) into[i] += scale * from[i];
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
