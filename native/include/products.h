// Matrix products and row-wise work shared out over the workers. The cuts are multiples of the kernel's own tile, so
// every number comes out the same however many workers there are.
#pragma once
#include <functional>
#include <vector>

#include "kernels.h"
#include "workers.h"

namespace labdesk {

constexpr long rowsApiece = 32;

class Products {
 public:
  Products(const Kernels &kernels, Workers &workers) : kernels_(kernels), workers_(&workers) {}

  void useWorkers(Workers &workers) { workers_ = &workers; }

  void multiply(const GemmArgs &product) const { multiplyAll({product}); }
  /** Independent products, shared out together. */
  void multiplyAll(const std::vector<GemmArgs> &products) const;
  /** work(first, count) over all rows, rowsApiece at a time. */
  void overRows(long rows, const std::function<void(long first, long count)> &work) const;

  const Kernels &kernels() const { return kernels_; }
  Workers &workers() const { return *workers_; }

 private:
  const Kernels &kernels_;
  Workers *workers_;
};

}  // namespace labdesk
