// See cpu_executor.h.
#include "cpu_executor.h"

#include <algorithm>
#include <cstring>

namespace labdesk {

namespace {

constexpr int widestWithLanes = 256;              // wider operators share out nearly as well, for half the memory
constexpr size_t lanesBytes = size_t{512} << 20;  // what all lanes together may take
constexpr int packsMultiple = 4;                  // shares out well over 2, 4 and more threads
constexpr size_t strip = 1 << 18;                 // numbers of a gradient handled at a time

struct LanePlan {
  int count = 1, threadsApiece = 1;
  bool sumsApart = false;
};

// Whether packs are summed apart changes the bits, so it must not depend on the number of threads.
LanePlan planLanes(const Model &model, const PassPlan &plan, int threads) {
  const size_t fitting = lanesBytes / std::max<size_t>(1, Pass::plannedBytes(model, plan));
  LanePlan out;
  out.sumsApart = model.shape().width <= widestWithLanes && fitting >= 2;
  if (!out.sumsApart) return {1, threads, false};
  out.count = static_cast<int>(std::min(fitting, static_cast<size_t>(threads)));
  out.threadsApiece = threads / out.count;
  return out;
}

}  // namespace

size_t CpuExecutor::plannedBytes(const Model &model, const PassPlan &plan, int threads) {
  const LanePlan lanes = planLanes(model, plan, threads);
  const auto count = static_cast<size_t>(lanes.count);
  // The shared threads, and those of each lane but the one that takes its pack.
  const size_t allThreads = static_cast<size_t>(threads) + count * static_cast<size_t>(lanes.threadsApiece - 1);
  return count * Pass::plannedBytes(model, plan) + (lanes.sumsApart ? model.valueCount() * sizeof(float) : 0) +
         allThreads * Pass::scratchBytes(model, plan);
}

CpuExecutor::CpuExecutor(const Model &model, const Kernels &kernels, Workers &workers, const PassPlan &plan)
    : workers_(workers), kernels_(kernels), maxTokens_(plan.maxTokens), valueCount_(model.valueCount()) {
  const LanePlan lanes = planLanes(model, plan, workers.count());
  sumsApart_ = lanes.sumsApart;
  for (int i = 0; i < lanes.count; i++) {
    if (lanes.count > 1) laneWorkers_.push_back(std::make_unique<Workers>(lanes.threadsApiece));
    lanes_.push_back(std::make_unique<Pass>(model, kernels, workers, plan));
  }
  if (sumsApart_) sum_ = Buffer<float>(valueCount_);
}

Packing CpuExecutor::packing() const { return {maxTokens_, sumsApart_ ? packsMultiple : 1}; }

// As long as enough packs are left, every lane takes one; the last few are shared out operator by operator.
void CpuExecutor::overPacks(const std::vector<Pack> &packs, bool trains,
                            const std::function<void(Pass &, const Pack &)> &compute) {
  size_t next = 0;
  while (next < packs.size()) {
    const size_t count = std::min(lanes_.size(), packs.size() - next);
    const bool isRound = count > 1 && 2 * count >= lanes_.size();
    if (isRound) {
      workers_.share(static_cast<long>(count), [&](long i) {
        const auto at = static_cast<size_t>(i);
        lanes_[at]->useWorkers(*laneWorkers_[at]);
        compute(*lanes_[at], packs[next + at]);
      });
    } else {
      lanes_[0]->useWorkers(workers_);
      compute(*lanes_[0], packs[next]);
    }
    const size_t done = isRound ? count : 1;
    if (trains && sumsApart_) collect(done);
    next += done;
  }
}

// Adds the gradients of the first lanes to the sum, in their order, and clears them.
void CpuExecutor::collect(size_t laneCount) {
  overStrips([&](size_t begin, size_t count) {
    for (size_t lane = 0; lane < laneCount; lane++) {
      float *grads = lanes_[lane]->gradients() + begin;
      kernels_.add(sum_.get() + begin, grads, static_cast<long>(count));
      memset(grads, 0, count * sizeof(float));
    }
  });
}

void CpuExecutor::evaluate(const std::vector<Pack> &packs, bool base, std::vector<double> &rowLoss) {
  overPacks(packs, false, [&](Pass &pass, const Pack &pack) { pass.evaluate(pack, base, rowLoss); });
}

void CpuExecutor::train(const std::vector<Pack> &packs, float lossScale, const Regulariser &regulariser,
                        std::vector<double> &rowLoss) {
  areLanesClear_ = false;
  overPacks(packs, true, [&](Pass &pass, const Pack &pack) { pass.train(pack, lossScale, regulariser, rowLoss); });
  areLanesClear_ = sumsApart_;
}

void CpuExecutor::zeroGradients() {
  clear(gradients());
  if (sumsApart_ && !areLanesClear_)
    for (const std::unique_ptr<Pass> &lane : lanes_) clear(lane->gradients());
  areLanesClear_ = true;
}

void CpuExecutor::clear(float *gradients) const {
  overStrips([&](size_t begin, size_t count) { memset(gradients + begin, 0, count * sizeof(float)); });
}

void CpuExecutor::overStrips(const std::function<void(size_t begin, size_t count)> &work) const {
  workers_.share(static_cast<long>((valueCount_ + strip - 1) / strip), [&](long i) {
    const size_t begin = static_cast<size_t>(i) * strip;
    work(begin, std::min(strip, valueCount_ - begin));
  });
}

}  // namespace labdesk
