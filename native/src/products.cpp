// See products.h.
#include "products.h"

#include <algorithm>
#include <numeric>

namespace labdesk {

namespace {

constexpr double worthSharing = 2e5;  // multiply-adds below which waking somebody costs more than it gains
// Pieces a worker: enough to even out. Where rows are cut every piece packs all of B for itself, so there it is one.
constexpr long columnPiecesApiece = 3, rowPiecesApiece = 1;

long roundUp(long value, long unit) { return (value + unit - 1) / unit * unit; }

GemmArgs cut(const GemmArgs &g, long m0, long m, long n0, long n) {
  GemmArgs out = g;
  out.M = m;
  out.N = n;
  out.a = g.a + m0 * g.aRowStride;
  out.c = g.c + m0 * g.cRowStride + n0;
  if (g.from) out.from = g.from + m0 * g.cRowStride + n0;
  if (!g.toFloat)
    out.b = static_cast<const float *>(g.b) + n0 * g.bColumnStride;
  else if (g.blocksAlongK)
    out.b = static_cast<const char *>(g.b) + n0 * g.blockRowBytes;
  else
    out.b = static_cast<const char *>(g.b) + n0 / g.blockSize * g.blockBytes;
  if (g.K2 > 0) {
    out.a2 = g.a2 + m0 * g.a2RowStride;
    out.b2 = g.b2 + n0 * g.b2ColumnStride;
  }
  return out;
}

// Columns are cut where B must be packed with care (a piece packs its own), rows where A must.
void cutUp(const GemmArgs &g, const Kernels &kernels, long pieces, std::vector<GemmArgs> &out) {
  const long nUnit =
      g.toFloat && !g.blocksAlongK ? std::lcm<long>(kernels.panelColumns, g.blockSize) : kernels.panelColumns;
  const long mUnit = kernels.tileRows, nUnits = (g.N + nUnit - 1) / nUnit, mUnits = (g.M + mUnit - 1) / mUnit;
  long nPieces = 1, mPieces = 1;
  if (g.aColumnStride == 1) {
    nPieces = std::min(pieces, nUnits);
    mPieces = std::min(mUnits, std::max(1L, pieces / nPieces));
  } else {
    mPieces = std::min(pieces, mUnits);
    nPieces = std::min(nUnits, std::max(1L, pieces / mPieces));
  }
  const long nStep = roundUp((g.N + nPieces - 1) / nPieces, nUnit),
             mStep = roundUp((g.M + mPieces - 1) / mPieces, mUnit);
  for (long m = 0; m < g.M; m += mStep)
    for (long n = 0; n < g.N; n += nStep)
      out.push_back(cut(g, m, std::min(mStep, g.M - m), n, std::min(nStep, g.N - n)));
}

double workOf(const GemmArgs &g) {
  return static_cast<double>(g.M) * static_cast<double>(g.N) * static_cast<double>(g.K + g.K2);
}

}  // namespace

void Products::multiplyAll(const std::vector<GemmArgs> &products) const {
  double total = 0;
  for (const GemmArgs &g : products) total += workOf(g);
  if (workers_->count() == 1 || total < worthSharing) {
    for (const GemmArgs &g : products) kernels_.gemm(g);
    return;
  }
  std::vector<GemmArgs> cuts;
  for (const GemmArgs &g : products) {
    if (g.M <= 0 || g.N <= 0) continue;
    const long apiece = g.aColumnStride == 1 ? columnPiecesApiece : rowPiecesApiece;
    const double pieces = static_cast<double>(workers_->count() * apiece) * workOf(g) / total;
    cutUp(g, kernels_, std::max(1L, static_cast<long>(pieces + 0.5)), cuts);
  }
  workers_->share(static_cast<long>(cuts.size()), [&](long i) { kernels_.gemm(cuts[static_cast<size_t>(i)]); });
}

void Products::overRows(long rows, const std::function<void(long first, long count)> &work) const {
  workers_->share((rows + rowsApiece - 1) / rowsApiece,
                  [&](long i) { work(i * rowsApiece, std::min(rowsApiece, rows - i * rowsApiece)); });
}

}  // namespace labdesk
