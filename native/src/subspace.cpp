// See subspace.h.
#include "subspace.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "random.h"

namespace labdesk {

namespace {

constexpr int rounds = 6, degree = 12, powerSteps = 12;

struct Filter {
  const Kernels &kernels;
  const float *w;  // [out][in]
  long out, in;
  std::vector<float> middle;

  /** y[rows][in] = x W^T W */
  void gram(const float *x, long rows, float *y) {
    middle.resize(static_cast<size_t>(rows * out));
    GemmArgs forward;
    forward.M = rows;
    forward.N = out;
    forward.K = in;
    forward.a = x;
    forward.aRowStride = in;
    forward.b = w;
    forward.bRowStride = 1;
    forward.bColumnStride = in;
    forward.c = middle.data();
    forward.cRowStride = out;
    kernels.gemm(forward);
    GemmArgs back;
    back.M = rows;
    back.N = in;
    back.K = out;
    back.a = middle.data();
    back.aRowStride = out;
    back.b = w;
    back.bRowStride = in;
    back.c = y;
    back.cRowStride = in;
    kernels.gemm(back);
  }
};

double dot(const float *a, const float *b, long count) {
  double sum = 0;
  for (long i = 0; i < count; i++) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

void scaleTo(float *x, long count, double factor) {
  for (long i = 0; i < count; i++) x[i] = static_cast<float>(x[i] * factor);
}

// Gram-Schmidt, twice: once is not enough in F32.
void orthonormalise(float *rows, int count, long in) {
  for (int r = 0; r < count; r++) {
    float *row = rows + r * in;
    for (int again = 0; again < 2; again++)
      for (int other = 0; other < r; other++) {
        const float *fixed = rows + other * in;
        const auto share = static_cast<float>(dot(row, fixed, in));
        for (long i = 0; i < in; i++) row[i] -= share * fixed[i];
      }
    scaleTo(row, in, 1 / std::max(1e-30, std::sqrt(dot(row, row, in))));
  }
}

double largestEigenvalue(Filter &filter, const float *start) {
  std::vector<float> x(start, start + filter.in), y(x.size());
  double value = 0;
  for (int i = 0; i < powerSteps; i++) {
    filter.gram(x.data(), 1, y.data());
    value = std::sqrt(dot(y.data(), y.data(), filter.in));
    if (value == 0) return 0;
    scaleTo(y.data(), filter.in, 1 / value);
    x.swap(y);
  }
  return value;
}

}  // namespace

void leastDirections(const Kernels &kernels, const float *w, long out, long in, int count, double seed,
                     float *directions) {
  const auto size = static_cast<size_t>(count) * static_cast<size_t>(in);
  Random random(seed);
  for (size_t i = 0; i < size; i++) directions[i] = static_cast<float>(random.normal());
  orthonormalise(directions, count, in);
  Filter filter{kernels, w, out, in, {}};
  const double top = 1.1 * largestEigenvalue(filter, directions);
  if (top == 0) return;  // a weight of zeros uses no direction
  std::vector<float> image(size), before(size), now(size);
  for (int round = 0; round < rounds; round++) {
    // What lies between `cut` and `top` is kept small, what lies below grows.
    filter.gram(directions, count, image.data());
    double cut = 0;
    for (int r = 0; r < count; r++) cut = std::max(cut, dot(directions + r * in, image.data() + r * in, in));
    cut = std::min(std::max(cut, 1e-4 * top), 0.5 * top);
    const double centre = (top + cut) / 2, half = (top - cut) / 2;
    before.assign(directions, directions + size);
    for (size_t i = 0; i < size; i++) now[i] = static_cast<float>((image[i] - centre * directions[i]) / half);
    for (int k = 1; k < degree; k++) {
      filter.gram(now.data(), count, image.data());
      for (size_t i = 0; i < size; i++)
        before[i] = static_cast<float>(2 * (image[i] - centre * now[i]) / half - before[i]);
      before.swap(now);
    }
    std::copy(now.begin(), now.end(), directions);
    orthonormalise(directions, count, in);
  }
}

}  // namespace labdesk
