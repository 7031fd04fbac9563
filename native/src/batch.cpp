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

}  // namespace

std::vector<Pack> packRows(const std::vector<Row> &rows, int maxTokens, const std::vector<float> &factors) {
  std::vector<Pack> out;
  for (size_t r = 0; r < rows.size(); r++) {
    if (rows[r].weightSum == 0) continue;
    const auto room = static_cast<size_t>(maxTokens - rows[r].length);
    auto pack = std::find_if(out.begin(), out.end(), [&](const Pack &p) { return p.tokens.size() <= room; });
    if (pack == out.end()) pack = out.insert(out.end(), Pack{});
    appendRow(*pack, rows[r], static_cast<int>(r), factors.empty() ? 1 : factors[r]);
  }
  return out;
}

}  // namespace labdesk
