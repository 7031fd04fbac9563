// See optimizer.h.
#include "optimizer.h"

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

constexpr size_t spanFloats = 1 << 16;  // the unit of work; sums are added in this order whatever the thread count
// Eight-bit moments: blocks of 256 values share one scale, their largest magnitude. The mean is stored as sign(q) (q /
// 127)^2 and the square root of the variance as (q / 255)^2, so small values keep their resolution. Rounding is random
// and unbiased, from (step, index) alone: the small steps of an average with beta 0.999 would otherwise be lost. A
// variance never rounds down to nothing.
constexpr size_t blockFloats = 256;

uint32_t mix(uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return static_cast<uint32_t>((z ^ z >> 31) >> 32);
}

// Two independent draws in [0, 1) of 16 bits each.
struct Draws {
  float first, second;
};
Draws draw(uint64_t step, uint64_t index) {
  const uint32_t bits = mix(step * 0x632BE59BD9B4E019u + index);
  return {static_cast<float>(bits >> 16) * 0x1p-16f, static_cast<float>(bits & 0xffff) * 0x1p-16f};
}

size_t blocksOf(const Trainable &tensor) { return (tensor.count + blockFloats - 1) / blockFloats; }

size_t blockCount(const Model &model) {
  size_t out = 0;
  for (const Trainable &t : model.trainables()) out += blocksOf(t);
  return out;
}

float signedSquare(float x) { return x < 0 ? -x * x : x * x; }

}  // namespace

// A run of one tensor, whose blocks start at firstBlock.
struct Optimizer::Span {
  const Trainable *tensor;
  size_t begin, count, firstBlock;
};

Optimizer::Optimizer(const OptimizerPlan &plan, const Model &model) : plan_(plan) {
  const size_t count = model.valueCount(), blocks = blockCount(model);
  if (!plan.isEightBit) {
    mean_ = Buffer<float>(count);
    variance_ = Buffer<float>(count);
    return;
  }
  smallMean_ = Buffer<int8_t>(count);
  smallVariance_ = Buffer<uint8_t>(count);
  meanScale_ = Buffer<float>(blocks);
  varianceScale_ = Buffer<float>(blocks);
}

size_t Optimizer::stateBytes(const OptimizerPlan &plan, const Model &model) {
  const size_t count = model.valueCount();
  return plan.isEightBit ? 2 * count + 2 * blockCount(model) * sizeof(float) : 2 * count * sizeof(float);
}

std::vector<Optimizer::Part> Optimizer::parts() {
  const auto part = [](const char *name, auto &buffer) {
    return Part{name, reinterpret_cast<char *>(buffer.get()), buffer.sizeBytes()};
  };
  if (!plan_.isEightBit) return {part("mean", mean_), part("variance", variance_)};
  return {part("mean", smallMean_), part("variance", smallVariance_), part("meanScale", meanScale_),
          part("varianceScale", varianceScale_)};
}

namespace {

void widen(const int8_t *mean, const uint8_t *variance, float meanScale, float varianceScale, float *m, float *v,
           size_t count) {
  for (size_t i = 0; i < count; i++) {
    m[i] = meanScale * signedSquare(static_cast<float>(mean[i]) / 127);
    const float root = varianceScale * signedSquare(static_cast<float>(variance[i]) / 255);
    v[i] = root * root;
  }
}

void narrow(const float *m, const float *v, uint64_t step, uint64_t index, float &meanScale, float &varianceScale,
            int8_t *mean, uint8_t *variance, size_t count) {
  float top = 0, widest = 0;
  for (size_t i = 0; i < count; i++) {
    top = std::max(top, std::fabs(m[i]));
    widest = std::max(widest, v[i]);
  }
  meanScale = top;
  varianceScale = std::sqrt(widest);
  for (size_t i = 0; i < count; i++) {
    const Draws d = draw(step, index + i);
    const float x = top > 0 ? 127 * std::sqrt(std::fabs(m[i]) / top) : 0;
    // Unbiased in the value, not in its root: the chance to round up is the value's place between its neighbours.
    const auto pick = [](float root, float drawn, float least) {
      const float low = std::floor(root), share = (root * root - low * low) / (2 * low + 1);
      return std::max(least, low + (drawn < share ? 1.0f : 0.0f));
    };
    const float q = pick(x, d.first, 0);
    mean[i] = static_cast<int8_t>(m[i] < 0 ? -q : q);
    const float y = widest > 0 ? 255 * std::sqrt(std::sqrt(v[i]) / varianceScale) : 0;
    variance[i] = static_cast<uint8_t>(v[i] > 0 ? pick(y, d.second, 1) : 0);
  }
}

}  // namespace

void Optimizer::update(float *values, const float *grads, const Span &span, const Kernels &kernels,
                       const AdamArgs &args) {
  if (!plan_.isEightBit) {
    kernels.adamw(values + span.begin, grads + span.begin, mean_.get() + span.begin, variance_.get() + span.begin,
                  static_cast<long>(span.count), args);
    return;
  }
  float m[blockFloats], v[blockFloats];
  for (size_t done = 0; done < span.count; done += blockFloats) {
    const size_t at = span.begin + done, count = std::min(blockFloats, span.count - done);
    float &meanScale = meanScale_.get()[span.firstBlock + done / blockFloats];
    float &varianceScale = varianceScale_.get()[span.firstBlock + done / blockFloats];
    widen(smallMean_.get() + at, smallVariance_.get() + at, meanScale, varianceScale, m, v, count);
    kernels.adamw(values + at, grads + at, m, v, static_cast<long>(count), args);
    narrow(m, v, static_cast<uint64_t>(stepCount_), at, meanScale, varianceScale, smallMean_.get() + at,
           smallVariance_.get() + at, count);
  }
}

double Optimizer::step(Model &model, const float *grads, double learningRate, const Kernels &kernels,
                       Workers &workers) {
  std::vector<Span> spans;
  size_t block = 0;
  for (const Trainable &t : model.trainables()) {
    for (size_t at = 0; !t.isFixed && at < t.count; at += spanFloats)
      spans.push_back({&t, t.offset + at, std::min(spanFloats, t.count - at), block + at / blockFloats});
    block += blocksOf(t);
  }
  std::vector<double> sums(spans.size());
  workers.share(static_cast<long>(spans.size()), [&](long i) {
    const Span &span = spans[static_cast<size_t>(i)];
    sums[static_cast<size_t>(i)] = kernels.sumSquares(grads + span.begin, static_cast<long>(span.count));
  });
  double total = 0;
  for (size_t i = 0; i < spans.size(); i++) {
    require(std::isfinite(sums[i]), "not-finite",
            "The gradient of '" + spans[i].tensor->name + "' is not a finite number in step " +
                std::to_string(stepCount_ + 1) + ".",
            "Start a new tuning with a lower learning rate; this one would come to the same step again.");
    total += sums[i];
  }
  const double norm = std::sqrt(total);
  stepCount_++;
  AdamArgs args;
  args.learningRate = static_cast<float>(learningRate);
  args.beta1 = static_cast<float>(plan_.beta1);
  args.beta2 = static_cast<float>(plan_.beta2);
  args.eps = static_cast<float>(plan_.eps);
  args.correction1 = static_cast<float>(1 / (1 - std::pow(plan_.beta1, stepCount_)));
  args.correction2 = static_cast<float>(1 / (1 - std::pow(plan_.beta2, stepCount_)));
  args.gradScale = plan_.clipNorm > 0 && norm > plan_.clipNorm ? static_cast<float>(plan_.clipNorm / norm) : 1.0f;
  workers.share(static_cast<long>(spans.size()), [&](long i) {
    const Span &span = spans[static_cast<size_t>(i)];
    AdamArgs own = args;
    own.weightDecay = span.tensor->decays ? static_cast<float>(plan_.weightDecay) : 0.0f;
    update(model.values().get(), grads, span, kernels, own);
  });
  return norm;
}

}  // namespace labdesk
