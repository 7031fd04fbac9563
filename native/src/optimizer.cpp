// See optimizer.h.
#include "optimizer.h"

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

constexpr size_t blockFloats = 1 << 16;  // the unit of work; sums are added in block order whatever the thread count

struct Block {
  const Trainable *tensor;
  size_t begin, count;
};

std::vector<Block> blocksOf(const std::vector<Trainable> &trainables) {
  std::vector<Block> out;
  for (const Trainable &t : trainables)
    for (size_t at = 0; at < t.count; at += blockFloats)
      out.push_back({&t, t.offset + at, std::min(blockFloats, t.count - at)});
  return out;
}

}  // namespace

double Optimizer::step(Model &model, const Buffer<float> &grads, double learningRate, const Kernels &kernels,
                       Workers &workers) {
  const std::vector<Block> blocks = blocksOf(model.trainables());
  const auto stride = static_cast<size_t>(workers.count());
  std::vector<double> sums(blocks.size());
  workers.run([&](int worker) {
    for (size_t i = static_cast<size_t>(worker); i < blocks.size(); i += stride)
      sums[i] = kernels.sumSquares(grads.get() + blocks[i].begin, blocks[i].count);
  });
  double total = 0;
  for (size_t i = 0; i < blocks.size(); i++) {
    require(std::isfinite(sums[i]), "not-finite",
            "The gradient of '" + blocks[i].tensor->name + "' is not a finite number in step " +
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
  workers.run([&](int worker) {
    for (size_t i = static_cast<size_t>(worker); i < blocks.size(); i += stride) {
      AdamArgs own = args;
      own.weightDecay = blocks[i].tensor->decays ? static_cast<float>(plan_.weightDecay) : 0.0f;
      const size_t at = blocks[i].begin;
      kernels.adamw(model.values().get() + at, grads.get() + at, mean_.get() + at, variance_.get() + at,
                    static_cast<long>(blocks[i].count), own);
    }
  });
  return norm;
}

}  // namespace labdesk
