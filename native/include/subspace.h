// The input directions that a weight uses least, for adapters that must leave the others alone.
#pragma once
#include "kernels.h"

namespace labdesk {

/**
 * Rows of `directions`, [count][in], become orthonormal vectors near the span of the `count` smallest right singular
 * vectors of w, [out][in]: Chebyshev-filtered subspace iteration (Zhou et al. 2006). Deterministic in the seed.
 */
void leastDirections(const Kernels &kernels, const float *w, long out, long in, int count, double seed,
                     float *directions);

}  // namespace labdesk
