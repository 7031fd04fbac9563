// Packed matrix product, compiled once per instruction set (VL floats a vector, NRV vectors and MR rows a register
// tile). B is packed into panels [k][NR] that stay in L2 (block types are dequantised while packing); A is read in
// place when its k axis is contiguous and packed otherwise. No std containers here: their code would be shared with
// objects built for weaker machines.
#pragma once
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace labdesk {
namespace {

typedef float vf __attribute__((vector_size(VL * 4), aligned(4)));
typedef int vi __attribute__((vector_size(VL * 4), aligned(4)));
constexpr int NR = NRV * VL;
constexpr int KC = 640;                    // an A tile of this depth fits in L1, most rows of a model in one block
constexpr long PANEL_FLOATS = 192 * 1024;  // packed B that stays in L2

inline long least(long a, long b) { return a < b ? a : b; }

// Grow-only scratch of one thread; contents do not survive a call.
struct Scratch {
  float *at = nullptr;
  size_t count = 0;
  ~Scratch() { free(at); }
  float *hold(size_t wanted) {
    if (wanted <= count) return at;
    free(at);
    count = (wanted + 15) / 16 * 16;
    at = static_cast<float *>(aligned_alloc(64, count * sizeof(float)));
    if (!at) abort();
    return at;
  }
};
thread_local Scratch panelScratch, panel2Scratch, tileScratch, rowScratch;

inline vf load(const float *p) { return *reinterpret_cast<const vf *>(p); }
inline void store(float *p, vf v) { *reinterpret_cast<vf *>(p) = v; }

struct Tile {
  int depth;
  const float *a;
  long aRowStride, aColumnStride;
  const float *panel;  // [depth][NR]
  float *c;
  const float *from;  // what is accumulated on: c, or a buffer laid out like it
  long cRowStride;
  int columns;  // <= NR
  float alpha;
  bool accumulate;
  // The second product, after the last block of the first.
  int depth2 = 0;
  const float *a2 = nullptr;
  long a2RowStride = 0;
  const float *panel2 = nullptr;  // [depth2][NR]
};

// M rows and NV vectors of columns; a narrow panel (an adapter's rank) needs no second vector.
template <int M, int NV, bool ALONG_K>
inline void multiplyTile(const Tile &t) {
  vf sum[M][NV];
  for (int i = 0; i < M; i++)
    for (int j = 0; j < NV; j++) sum[i][j] = vf{};
  const float *__restrict a = t.a;
  const float *__restrict b = t.panel;
  const long aRow = t.aRowStride, aColumn = t.aColumnStride;
  for (int k = 0; k < t.depth; k++) {
    vf bv[NV];
    for (int j = 0; j < NV; j++) bv[j] = load(b + static_cast<long>(k) * NR + j * VL);
#pragma GCC unroll 16
    for (int i = 0; i < M; i++) {
      const float av = ALONG_K ? a[i * aRow + k] : a[i * aRow + k * aColumn];
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) sum[i][j] += av * bv[j];
    }
  }
  const float *__restrict a2 = t.a2;
  const float *__restrict b2 = t.panel2;
  for (int k = 0; k < t.depth2; k++) {
    vf bv[NV];
    for (int j = 0; j < NV; j++) bv[j] = load(b2 + static_cast<long>(k) * NR + j * VL);
#pragma GCC unroll 16
    for (int i = 0; i < M; i++)
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) sum[i][j] += a2[i * t.a2RowStride + k] * bv[j];
  }
  float *c = t.c;
  const float *from = t.from;
  if (t.columns == NV * VL) {
    for (int i = 0; i < M; i++)
      for (int j = 0; j < NV; j++) {
        const long at = i * t.cRowStride + j * VL;
        store(c + at, t.accumulate ? load(from + at) + sum[i][j] * t.alpha : sum[i][j] * t.alpha);
      }
    return;
  }
  for (int i = 0; i < M; i++) {
    float row[NV * VL];
    for (int j = 0; j < NV; j++) store(row + j * VL, sum[i][j] * t.alpha);
    const long at = i * t.cRowStride;
    for (int j = 0; j < t.columns; j++) c[at + j] = t.accumulate ? from[at + j] + row[j] : row[j];
  }
}

template <int NV, bool ALONG_K>
void multiplyRows(int rows, const Tile &t) {
  switch (rows) {
#define LABDESK_ROWS(x)                                     \
  case x:                                                   \
    if constexpr (x <= MR) multiplyTile<x, NV, ALONG_K>(t); \
    break;
    LABDESK_ROWS(1)
    LABDESK_ROWS(2)
    LABDESK_ROWS(3) LABDESK_ROWS(4) LABDESK_ROWS(5) LABDESK_ROWS(6) LABDESK_ROWS(7) LABDESK_ROWS(8) LABDESK_ROWS(9)
        LABDESK_ROWS(10) LABDESK_ROWS(11) LABDESK_ROWS(12)
#undef LABDESK_ROWS
            default : break;
  }
}

// dst[k][NR] = src[n][k] for n < columns, zero beyond.
inline void packTransposed(const float *src, long rowStride, int columns, int depth, float *dst) {
  for (int k = 0; columns < NR && k < depth; k++)
    for (int n = columns; n < NR; n++) dst[static_cast<long>(k) * NR + n] = 0;
  int n = 0;
#ifndef __clang__
  for (; n + VL <= columns; n += VL) {
    int k = 0;
    for (; k + VL <= depth; k += VL) {
      vf r[VL];
      for (int i = 0; i < VL; i++) r[i] = load(src + (n + i) * rowStride + k);
        // log2(VL) butterfly steps transpose a VL x VL block in registers
#pragma GCC unroll 4
      for (int s = 1; s < VL; s *= 2) {
        vi low, high;
        for (int x = 0; x < VL; x++) {
          low[x] = (x & s) == 0 ? x : VL + x - s;
          high[x] = (x & s) == 0 ? x + s : VL + x;
        }
#pragma GCC unroll 16
        for (int i = 0; i < VL; i++)
          if ((i & s) == 0) {
            const vf p = r[i], q = r[i + s];
            r[i] = __builtin_shuffle(p, q, low);
            r[i + s] = __builtin_shuffle(p, q, high);
          }
      }
      for (int i = 0; i < VL; i++) store(dst + static_cast<long>(k + i) * NR + n, r[i]);
    }
    for (; k < depth; k++)
      for (int i = 0; i < VL; i++) dst[static_cast<long>(k) * NR + n + i] = src[(n + i) * rowStride + k];
  }
#endif
  for (; n < columns; n++)
    for (int k = 0; k < depth; k++) dst[static_cast<long>(k) * NR + n] = src[n * rowStride + k];
}

inline void copyPanelRow(const float *src, int columns, float *dst) {
  if (columns == NR) {
    for (int v = 0; v < NRV; v++) store(dst + v * VL, load(src + v * VL));
    return;
  }
  for (int n = 0; n < columns; n++) dst[n] = src[n];
  for (int n = columns; n < NR; n++) dst[n] = 0;
}

// F32 rows of B, [rows k][columns n], into one panel.
void packPanel(const float *b, long rowStride, long columnStride, int width, int depth, float *panel) {
  if (rowStride == 1) {
    packTransposed(b, columnStride, width, depth, panel);
    return;
  }
  for (int k = 0; k < depth; k++) copyPanelRow(b + k * rowStride, width, panel + static_cast<long>(k) * NR);
}

// Packs B rows [k0, k0 + depth) and columns [n0, n0 + columns) into panels of NR columns, panel after panel.
void packB(const GemmArgs &g, long n0, long columns, long k0, int depth, float *panels) {
  const auto *blocks = static_cast<const char *>(g.b);
  if (g.toFloat && !g.blocksAlongK) {
    const long q0 = n0 / g.blockSize * g.blockSize;
    const long q1 = least((n0 + columns + g.blockSize - 1) / g.blockSize * g.blockSize, g.N);
    float *row = rowScratch.hold(static_cast<size_t>(q1 - q0));
    for (int k = 0; k < depth; k++) {
      g.toFloat(blocks + (k0 + k) * g.blockRowBytes + q0 / g.blockSize * g.blockBytes, row, q1 - q0);
      for (long j = 0; j < columns; j += NR)
        copyPanelRow(row + (n0 - q0) + j, static_cast<int>(least(NR, columns - j)),
                     panels + j * depth + static_cast<long>(k) * NR);
    }
    return;
  }
  for (long j = 0; j < columns; j += NR) {
    const int width = static_cast<int>(least(NR, columns - j));
    float *panel = panels + j * depth;
    if (g.toFloat) {
      const long q0 = k0 / g.blockSize * g.blockSize;
      const long q1 = least((k0 + depth + g.blockSize - 1) / g.blockSize * g.blockSize, g.K);
      float *rows = rowScratch.hold(static_cast<size_t>(NR * (q1 - q0)));
      for (int n = 0; n < width; n++)
        g.toFloat(blocks + (n0 + j + n) * g.blockRowBytes + q0 / g.blockSize * g.blockBytes, rows + n * (q1 - q0),
                  q1 - q0);
      packTransposed(rows + (k0 - q0), q1 - q0, width, depth, panel);
      continue;
    }
    const auto *b = static_cast<const float *>(g.b) + k0 * g.bRowStride + (n0 + j) * g.bColumnStride;
    packPanel(b, g.bRowStride, g.bColumnStride, width, depth, panel);
  }
}

// The same of the second product, whole.
const float *packB2(const GemmArgs &g, long n0, long columns) {
  if (g.K2 == 0) return nullptr;
  float *panels = panel2Scratch.hold(static_cast<size_t>(g.K2) * (columns + NR));
  for (long j = 0; j < columns; j += NR)
    packPanel(g.b2 + (n0 + j) * g.b2ColumnStride, g.b2RowStride, g.b2ColumnStride,
              static_cast<int>(least(NR, columns - j)), static_cast<int>(g.K2), panels + j * g.K2);
  return panels;
}

// A whose m axis is contiguous, packed to [depth][rows] with row pitch MR.
const float *packA(const GemmArgs &g, long m0, int rows, long k0, int depth) {
  float *tile = tileScratch.hold(static_cast<size_t>(MR) * KC);
  const float *a = g.a + m0 * g.aRowStride + k0 * g.aColumnStride;
  if (rows == MR && g.aRowStride == 1) {
    for (int k = 0; k < depth; k++) memcpy(tile + k * MR, a + k * g.aColumnStride, MR * sizeof(float));
    return tile;
  }
  for (int k = 0; k < depth; k++)
    for (int i = 0; i < rows; i++) tile[k * MR + i] = a[i * g.aRowStride + k * g.aColumnStride];
  return tile;
}

void gemm(const GemmArgs &g) {
  if (g.M <= 0 || g.N <= 0) return;
  const long blockCount = (g.K + KC - 1) / KC;
  const long depthStep = least(KC, ((g.K + blockCount - 1) / blockCount + 31) / 32 * 32);
  long widthStep = PANEL_FLOATS / depthStep / NR * NR;
  if (widthStep < NR) widthStep = NR;
  float *panels = panelScratch.hold(static_cast<size_t>(depthStep) * (least(widthStep, g.N) + NR));
  const bool alongK = g.aColumnStride == 1;
  for (long n0 = 0; n0 < g.N; n0 += widthStep) {
    const long width = least(widthStep, g.N - n0);
    const float *panels2 = packB2(g, n0, width);
    for (long k0 = 0; k0 < g.K; k0 += depthStep) {
      Tile t;
      t.depth = static_cast<int>(least(depthStep, g.K - k0));
      t.alpha = g.alpha;
      t.accumulate = g.accumulate || k0 > 0;
      t.cRowStride = g.cRowStride;
      t.depth2 = k0 + t.depth == g.K ? static_cast<int>(g.K2) : 0;
      t.a2RowStride = g.a2RowStride;
      packB(g, n0, width, k0, t.depth, panels);
      for (long m0 = 0; m0 < g.M; m0 += MR) {
        const int rows = static_cast<int>(least(MR, g.M - m0));
        t.a = alongK ? g.a + m0 * g.aRowStride + k0 : packA(g, m0, rows, k0, t.depth);
        t.aRowStride = alongK ? g.aRowStride : 1;
        t.aColumnStride = alongK ? 1 : MR;
        t.a2 = t.depth2 ? g.a2 + m0 * g.a2RowStride : nullptr;
        for (long j = 0; j < width; j += NR) {
          t.panel2 = t.depth2 ? panels2 + j * g.K2 : nullptr;
          t.panel = panels + j * t.depth;
          t.columns = static_cast<int>(least(NR, width - j));
          t.c = g.c + m0 * g.cRowStride + n0 + j;
          t.from = g.from && k0 == 0 ? g.from + m0 * g.cRowStride + n0 + j : t.c;
          if (t.columns <= VL)
            alongK ? multiplyRows<1, true>(rows, t) : multiplyRows<1, false>(rows, t);
          else
            alongK ? multiplyRows<NRV, true>(rows, t) : multiplyRows<NRV, false>(rows, t);
        }
      }
    }
  }
}

}  // namespace
}  // namespace labdesk
