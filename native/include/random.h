// Seeded random numbers that come out the same on every machine (SplitMix64).
#pragma once
#include <cmath>
#include <cstdint>

namespace labdesk {

class Random {
 public:
  explicit Random(double seed)
      : state_(static_cast<uint64_t>(static_cast<int64_t>(seed)) * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u) {}

  /** Uniform in [0, 1). */
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /** Standard normal (Box-Muller, one of the pair). */
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  uint64_t state_;
};

}  // namespace labdesk
