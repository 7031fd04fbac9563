// See regulariser.h.
#include "regulariser.h"

#include <cmath>

namespace labdesk {

namespace {

// SplitMix64's finish: neighbouring numbers give unrelated ones.
uint64_t mix(uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

double uniform(uint64_t z) { return static_cast<double>(mix(z) >> 11) * 0x1.0p-53; }

// One draw for two neighbours: the upper and the lower half of it.
struct Mask {
  uint64_t seed;
  uint32_t least;  // halves below it are dropped
  bool keeps(int column) const {
    const uint64_t drawn = mix(seed + static_cast<uint64_t>(column / 2));
    return static_cast<uint32_t>(column % 2 ? drawn >> 32 : drawn) >= least;
  }
};

Mask maskOf(uint64_t tokenSeed, float dropout, uint64_t site) {
  return {mix(tokenSeed ^ mix(site)), static_cast<uint32_t>(static_cast<double>(dropout) * 4294967295.0)};
}

}  // namespace

std::vector<uint64_t> tokenSeeds(const Pack &pack, const Regulariser &regulariser) {
  std::vector<uint64_t> out(pack.tokens.size());
  const uint64_t base = mix(mix(regulariser.seed) + regulariser.step);
  for (size_t s = 0; s < pack.segments.size(); s++)
    for (int t = pack.segments[s].begin; t < pack.segments[s].end; t++) {
      const auto at = static_cast<size_t>(t);
      out[at] = mix(mix(base + static_cast<uint64_t>(pack.segmentRows[s])) + static_cast<uint64_t>(pack.positions[at]));
    }
  return out;
}

void addNeftune(const Pack &pack, const Regulariser &regulariser, int width, float *embedded) {
  const std::vector<uint64_t> seeds = tokenSeeds(pack, regulariser);
  for (const Segment &segment : pack.segments) {
    const double length = segment.end - segment.begin;
    const double reach = regulariser.neftuneAlpha / std::sqrt(length * width);
    for (int t = segment.begin; t < segment.end; t++)
      for (int i = 0; i < width; i++)
        embedded[static_cast<long>(t) * width + i] +=
            static_cast<float>((2 * uniform(seeds[static_cast<size_t>(t)] + static_cast<uint64_t>(i)) - 1) * reach);
  }
}

void dropInputs(const uint64_t *seeds, float dropout, uint64_t site, RowsIn x, RowsOut out, int width, long rows) {
  const float scale = 1 / (1 - dropout);
  for (long t = 0; t < rows; t++) {
    const Mask mask = maskOf(seeds[t], dropout, site);
    for (int i = 0; i < width; i++) out.at[t * out.stride + i] = mask.keeps(i) ? x.at[t * x.stride + i] * scale : 0.0f;
  }
}

void addDropped(const uint64_t *seeds, float dropout, uint64_t site, RowsIn from, RowsOut into, int width, long rows) {
  const float scale = 1 / (1 - dropout);
  for (long t = 0; t < rows; t++) {
    const Mask mask = maskOf(seeds[t], dropout, site);
    for (int i = 0; i < width; i++)
      if (mask.keeps(i)) into.at[t * into.stride + i] += from.at[t * from.stride + i] * scale;
  }
}

}  // namespace labdesk
