// Seeded noise of training. Every number depends on the seed, the step, the row and the position alone, so it is the
// same however rows are packed, shared out or computed again.
#pragma once
#include "executor.h"

namespace labdesk {

/** NEFTune (Jain et al. 2023): adds uniform noise of +-alpha / sqrt(row length * width) to embedded, [tokens][width].
 */
void addNeftune(const Pack &pack, const Regulariser &regulariser, int width, float *embedded);

/** Token by token identity for dropout: hash of seed, step, row and position. [tokens] */
std::vector<uint64_t> tokenSeeds(const Pack &pack, const Regulariser &regulariser);

/** out = x with a share of `dropout` set to zero and the rest scaled up; rows of `width`. `site` tells the linears
 * apart. */
void dropInputs(const uint64_t *seeds, float dropout, uint64_t site, RowsIn x, RowsOut out, int width, long rows);

/** into += from, dropped and scaled in the same places. */
void addDropped(const uint64_t *seeds, float dropout, uint64_t site, RowsIn from, RowsOut into, int width, long rows);

}  // namespace labdesk
