// The rows of one request, checked, and laid end to end.
#pragma once
#include <vector>

#include "executor.h"
#include "frames.h"
#include "model.h"

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
 * As few packs of at most maxTokens as the rows need (a multiple of packing.multiple unless they get too short), about
 * equally long. Rows that no weight falls on are left out. A row's weights are multiplied by its factor where there are
 * factors.
 */
std::vector<Pack> packRows(const std::vector<Row> &rows, const Packing &packing,
                           const std::vector<float> &factors = {});

}  // namespace labdesk
