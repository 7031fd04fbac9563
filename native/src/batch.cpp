// See batch.h.
#include "batch.h"

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *remedy = "Rebuild the dataset for this model; if it returns, report it.";

void checkRow(const Row &row, int vocabSize, int index) {
  const auto refuse = [&](const std::string &what) {
    throw Failure("bad-request", "Row " + std::to_string(index + 1) + what, remedy);
  };
  for (int i = 0; i < row.length; i++) {
    if (row.tokens[i] < 0 || row.tokens[i] >= vocabSize)
      refuse(" holds the token " + std::to_string(row.tokens[i]) + ", outside the vocabulary of " +
             std::to_string(vocabSize) + ".");
    if (!std::isfinite(row.weights[i]) || row.weights[i] < 0)
      refuse(" has a loss weight that is negative or not a finite number.");
  }
  if (row.weights[0] != 0) refuse(" weighs its first token, which nothing predicts.");
}

}  // namespace

namespace {

// Appends the rows of one microbatch without their data; returns its tokens.
long planRows(const Json &batch, int maxTokens, std::vector<Row> &rows) {
  const std::vector<Json> &lengths = batch.list("rowLengths"), &groups = batch.list("rowGroups");
  require(lengths.size() == groups.size(), "bad-request", "A microbatch has another number of groups than rows.",
          remedy);
  long tokens = 0;
  for (size_t i = 0; i < lengths.size(); i++) {
    const double length = lengths[i].asNumber(), group = groups[i].asNumber();
    require(length >= 1 && length == std::floor(length) && group == std::floor(group) && std::fabs(group) < 1e6,
            "bad-request", "A microbatch has a row length or group that is no whole number.", remedy);
    if (length > maxTokens)
      throw Failure("bad-request",
                    "Row " + std::to_string(rows.size() + 1) + " is " + std::to_string(static_cast<long>(length)) +
                        " tokens long; the trainer was loaded for " + std::to_string(maxTokens) + ".",
                    "Raise the microbatch size or shorten the sample.");
    Row row;
    row.length = static_cast<int>(length);
    row.group = static_cast<int>(group);
    rows.push_back(row);
    tokens += row.length;
  }
  if (tokens > maxTokens)
    throw Failure(
        "bad-request",
        "A microbatch is longer than the " + std::to_string(maxTokens) + " tokens the trainer was loaded for.", remedy);
  return tokens;
}

}  // namespace

std::vector<Row> readRows(const Frame &frame, const ModelShape &shape, int maxTokens) {
  struct Span {
    size_t firstRow, endRow;
    long tokens;
  };
  std::vector<Row> rows;
  std::vector<Span> spans;
  size_t words = 0;  // of 4 bytes
  for (const Json &batch : frame.head.list("microbatches")) {
    const size_t firstRow = rows.size();
    const long tokens = planRows(batch, maxTokens, rows);
    spans.push_back({firstRow, rows.size(), tokens});
    words += 2 * static_cast<size_t>(tokens);
  }
  require(!rows.empty(), "bad-request", "The request holds no rows.", remedy);
  require(words * 4 <= frame.payload.size(), "bad-request", "The payload is shorter than its microbatches.", remedy);
  require(words * 4 == frame.payload.size(), "bad-request", "The payload is longer than its microbatches.", remedy);

  const auto *at = reinterpret_cast<const int *>(frame.payload.data());
  for (const Span &span : spans) {
    const int *tokens = at;
    const auto *weights = reinterpret_cast<const float *>(at + span.tokens);
    at += 2 * span.tokens;
    for (size_t r = span.firstRow; r < span.endRow; r++) {
      Row &row = rows[r];
      row.tokens = tokens;
      row.weights = weights;
      tokens += row.length;
      weights += row.length;
      checkRow(row, shape.vocabSize, static_cast<int>(r));
      for (int i = 0; i < row.length; i++) row.weightSum += row.weights[i];
    }
  }
  return rows;
}

namespace {

constexpr long leastPackTokens = 512;  // shorter packs cost more than their even spread gains

void appendRow(Pack &pack, const Row &row, int index, float factor) {
  const int begin = static_cast<int>(pack.tokens.size());
  pack.segments.push_back({begin, begin + row.length});
  pack.segmentRows.push_back(index);
  for (int i = 0; i < row.length; i++) {
    pack.tokens.push_back(row.tokens[i]);
    pack.positions.push_back(i);
    if (row.weights[i] == 0) continue;
    pack.predictors.push_back(begin + i - 1);
    pack.targets.push_back(row.tokens[i]);
    pack.weights.push_back(row.weights[i] * factor);
    pack.rows.push_back(index);
  }
}

// The rows' numbers in each of `count` packs: the longest first, each into the emptiest. Empty where one overflows.
std::vector<std::vector<size_t>> spreadRows(const std::vector<Row> &rows, const std::vector<size_t> &longestFirst,
                                            size_t count, long maxTokens) {
  std::vector<std::vector<size_t>> out(count);
  std::vector<long> tokens(count, 0);
  for (const size_t r : longestFirst) {
    const auto emptiest = static_cast<size_t>(std::min_element(tokens.begin(), tokens.end()) - tokens.begin());
    tokens[emptiest] += rows[r].length;
    if (tokens[emptiest] > maxTokens) return {};
    out[emptiest].push_back(r);
  }
  return out;
}

}  // namespace

std::vector<Pack> packRows(const std::vector<Row> &rows, const Packing &packing, const std::vector<float> &factors) {
  std::vector<size_t> counting;
  long tokens = 0;
  for (size_t r = 0; r < rows.size(); r++) {
    if (rows[r].weightSum == 0) continue;
    counting.push_back(r);
    tokens += rows[r].length;
  }
  if (counting.empty()) return {};
  std::stable_sort(counting.begin(), counting.end(),
                   [&](size_t a, size_t b) { return rows[a].length > rows[b].length; });
  long count = (tokens + packing.maxTokens - 1) / packing.maxTokens;
  const long even = (count + packing.multiple - 1) / packing.multiple * packing.multiple;
  if (tokens >= even * leastPackTokens) count = even;
  std::vector<std::vector<size_t>> spread;
  while (spread.empty()) spread = spreadRows(rows, counting, static_cast<size_t>(count++), packing.maxTokens);
  std::vector<Pack> out;
  for (std::vector<size_t> &inPack : spread) {
    if (inPack.empty()) continue;
    std::sort(inPack.begin(), inPack.end());
    Pack &pack = out.emplace_back();
    for (const size_t r : inPack) appendRow(pack, rows[r], static_cast<int>(r), factors.empty() ? 1 : factors[r]);
  }
  return out;
}

}  // namespace labdesk
