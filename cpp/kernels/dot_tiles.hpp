// Few columns of C: tiles of inner products, with vectors along k, where vectors along the columns
// would be mostly empty.
#pragma once

#include <concepts>

#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/prefetch.hpp"

namespace tilewise::kernels {

// The rows of a tile from row `first` on, as many as there are accumulators for. Rows and
// columns beyond the last repeat it, and are not written, so an element does not depend on its
// place.
template <class V, int Cols>
TILEWISE_INLINE void dot_tile(const DotTiles<typename V::Element>& t, index first) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int Rows = V::dot_sums / Cols;
  constexpr int width = V::width;
  constexpr int groups = (Rows * Cols + width - 1) / width;
  const index rows = t.rows - first < Rows ? t.rows - first : Rows;

  const T* a[Rows];
  TILEWISE_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = t.a + (first + (i < rows ? i : rows - 1)) * t.a_row_stride;
  const T* b[Cols];
  TILEWISE_UNROLL
  for (int j = 0; j < Cols; ++j) b[j] = t.b + (j < t.cols ? j : t.cols - 1) * t.b_col_stride;
  const T* const later = a[0] + t.prefetch_distance * t.a_row_stride;

  Reg acc[groups * width] = {};
  each_vector<V>(t.k, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    if (t.prefetch_distance > 0) [[unlikely]] {
      prefetch_rows<Rows>(later + v.at, t.a_row_stride);
    }
    Reg b_part[Cols];
    TILEWISE_UNROLL
    for (int j = 0; j < Cols; ++j) b_part[j] = v.load(b[j]);
    TILEWISE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const Reg a_part = v.load(a[i]);
      TILEWISE_UNROLL
      for (int j = 0; j < Cols; ++j) {
        acc[i * Cols + j] = V::fmadd(a_part, b_part[j], acc[i * Cols + j]);
      }
    }
  });

  Reg sums[groups];  // in their order, by rows
  TILEWISE_UNROLL
  for (int group = 0; group < groups; ++group) {
    Reg row[width];
    TILEWISE_UNROLL
    for (int i = 0; i < width; ++i) row[i] = acc[group * width + i];
    sums[group] = reduce_rows<V>(row);
  }
  // Where C has just these columns, they are a run of it.
  if (rows == Rows && t.cols == Cols && t.c_row_stride == Cols && t.c_col_stride == 1 &&
      !t.accumulate) {
    constexpr int last = Rows * Cols - (groups - 1) * width;
    T* const to = t.c + first * Cols;
    TILEWISE_UNROLL
    for (int group = 0; group < groups - 1; ++group) V::store(to + group * width, sums[group]);
    T* const end = to + (groups - 1) * width;
    last == width ? V::store(end, sums[groups - 1])
                  : V::store(end, sums[groups - 1], V::first(last));
    return;
  }
  T sum[groups * width];
  TILEWISE_UNROLL
  for (int group = 0; group < groups; ++group) V::store(sum + group * width, sums[group]);
  for (index i = 0; i < rows; ++i) {
    for (int j = 0; j < t.cols; ++j) {
      T& c = t.c[(first + i) * t.c_row_stride + j * t.c_col_stride];
      c = t.accumulate ? c + sum[i * Cols + j] : sum[i * Cols + j];
    }
  }
}

template <class V, int Cols>
TILEWISE_INLINE void dot_tiles_of(const DotTiles<typename V::Element>& t) {
  for (index i = 0; i < t.rows; i += V::dot_sums / Cols) dot_tile<V, Cols>(t, i);
}

template <class V>
void dot_tiles(const DotTiles<typename V::Element>& t) {
  if constexpr (std::floating_point<typename V::Element>) {  // integers spare the code
    if (t.cols == 2) return dot_tiles_of<V, 2>(t);
    if (t.cols == 3) return dot_tiles_of<V, 3>(t);
  }
  dot_tiles_of<V, 4>(t);
}

}  // namespace tilewise::kernels
