// The rows of one request, checked, and their fixed distribution over the workers.
#pragma once
#include <vector>

#include "frames.h"
#include "model.h"
#include "replica.h"

namespace labdesk {

struct Row {
  const int *tokens = nullptr;     // [length], inside the request's payload
  const float *weights = nullptr;  // [length], weight of predicting tokens[i]
  int length = 0;
  int group = 0;
  double weightSum = 0;
};

/** Reads `microbatches` and the payload; throws `bad-request` for anything the protocol forbids. */
std::vector<Row> readRows(const Frame &frame, const ModelShape &shape, int maxTokens);

/**
 * Packs of at most maxTokens for each of `workerCount` workers: [worker][pack]. Rows are dealt longest first to the
 * least loaded worker, so that a step with a single microbatch is shared too; a single row stays on one worker. Rows
 * that no weight falls on are left out. Depends on nothing but its arguments, so equal requests give equal bits.
 */
std::vector<std::vector<Pack>> deal(const std::vector<Row> &rows, int workerCount, int maxTokens);

}  // namespace labdesk
