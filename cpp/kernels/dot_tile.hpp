// Few columns of C: a tile of inner products, with vectors along k, where vectors along the columns
// would be mostly empty.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/prefetch.hpp"

namespace tilewise::kernels {

// C (+)= A B for the first `rows` x `cols` of a tile; the rows of A are contiguous. Rows and
// columns beyond the last repeat it, and are not written, so an element does not depend on its
// place.
template <class V, bool Prefetch>
TILEWISE_INLINE void dot_tile_of(const DotTile<typename V::Element>& t) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int Rows = V::dot_rows;
  constexpr int Cols = V::dot_cols;
  constexpr int size = Rows * Cols;
  static_assert(size % V::width == 0);

  const T* a[Rows];
  TILEWISE_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = t.a + (i < t.rows ? i : t.rows - 1) * t.a_row_stride;
  const T* b[Cols];
  TILEWISE_UNROLL
  for (int j = 0; j < Cols; ++j) b[j] = t.b + (j < t.cols ? j : t.cols - 1) * V::width;

  Reg acc[size] = {};
  each_vector<V>(t.k, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    if constexpr (Prefetch) {
      prefetch_rows<Rows>(t.a + t.prefetch_distance * t.a_row_stride + v.at, t.a_row_stride);
    }
    Reg b_part[Cols];
    TILEWISE_UNROLL
    for (int j = 0; j < Cols; ++j) b_part[j] = V::load(b[j] + v.at * t.cols);
    TILEWISE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const Reg a_part = v.load(a[i]);
      TILEWISE_UNROLL
      for (int j = 0; j < Cols; ++j) {
        acc[i * Cols + j] = V::fmadd(a_part, b_part[j], acc[i * Cols + j]);
      }
    }
  });

  T sums[size];
  TILEWISE_UNROLL
  for (int group = 0; group < size / V::width; ++group) {
    Reg row[V::width];
    TILEWISE_UNROLL
    for (int i = 0; i < V::width; ++i) row[i] = acc[group * V::width + i];
    V::store(sums + group * V::width, reduce_rows<V>(row));
  }
  for (int i = 0; i < t.rows; ++i) {
    for (int j = 0; j < t.cols; ++j) {
      T& c = t.c[i * t.c_row_stride + j * t.c_col_stride];
      c = t.accumulate ? c + sums[i * Cols + j] : sums[i * Cols + j];
    }
  }
}

template <class V>
void dot_tile(const DotTile<typename V::Element>& t) {
  if (t.prefetch_distance > 0) [[unlikely]]
    return dot_tile_of<V, true>(t);
  dot_tile_of<V, false>(t);
}

}  // namespace tilewise::kernels
