// Few columns of C and a short k: a vector of C holds as many of its rows as fit.
//
// Lane l of a vector of C belongs to column l % n of row i + l / n. Its element of column p of A
// lies in one of the two vectors that begin with row i: one permutation for each p brings all of
// them to their lanes. The lanes of B are the same for every row.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

template <class V>
struct ShortKTables {
  static constexpr int most = 2 * V::width;  // k of a row that fills two vectors

  typename V::Lanes a[most];
  typename V::Reg b[most];

  // Lanes after those of the last row repeat it, with a column that exists.
  ShortKTables(const ShortK<typename V::Element>& g, int together) {
    const int n = static_cast<int>(g.cols);
    int lane[V::width];
    typename V::Element element[V::width];
    for (int p = 0; p < g.k; ++p) {
      for (int l = 0; l < V::width; ++l) {
        const int row = l / n < together ? l / n : together - 1;
        lane[l] = row * static_cast<int>(g.a_row_stride) + p;
        element[l] = g.b[p * g.b_row_stride + l % n * g.b_col_stride];
      }
      a[p] = V::lanes(lane);
      b[p] = V::load(element);
    }
  }
};

// `Vectors` vectors of C, each from two of A that begin `a_step` after those before.
template <class V, int Vectors>
TILEWISE_INLINE void short_k_vectors(index k, const ShortKTables<V>& tables,
                                     const typename V::Element* a, index a_step,
                                     typename V::Reg (&sum)[Vectors]) {
  typename V::Reg low[Vectors];
  typename V::Reg high[Vectors];
  TILEWISE_UNROLL
  for (int v = 0; v < Vectors; ++v) {
    low[v] = V::load(a + v * a_step);
    high[v] = V::load(a + v * a_step + V::width);
    sum[v] = V::permute(tables.a[0], low[v], high[v]) * tables.b[0];
  }
  for (index p = 1; p < k; ++p) {
    const auto lanes = tables.a[p];
    const auto b = tables.b[p];
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      sum[v] = V::fmadd(V::permute(lanes, low[v], high[v]), b, sum[v]);
    }
  }
}

template <class V>
void short_k(const ShortK<typename V::Element>& g) {
  using T = typename V::Element;
  constexpr int width = V::width;
  constexpr int vectors = V::tile_rows * V::tile_vectors / 6;
  const index together = g.rows_together(width, g.k, g.cols, g.a_row_stride);
  const ShortKTables<V> tables(g, static_cast<int>(together));
  const index a_step = together * g.a_row_stride;
  const index c_step = together * g.cols;
  const index a_end = (g.rows - 1) * g.a_row_stride + g.k;
  const T* a = g.a;
  T* c = g.c;
  // Whole vectors are stored: what they hold after their rows is overwritten by the next.
  index whole = 0;
  if (a_end >= 2 * width && g.rows * g.cols >= width) {
    const index of_a = (a_end - 2 * width) / a_step;
    const index of_c = (g.rows * g.cols - width) / c_step;
    whole = 1 + (of_a < of_c ? of_a : of_c);
  }
  index left = g.rows - whole * together;
  for (; whole >= vectors; whole -= vectors) {
    typename V::Reg sum[vectors];
    short_k_vectors<V>(g.k, tables, a, a_step, sum);
    TILEWISE_UNROLL
    for (int v = 0; v < vectors; ++v) V::store(c + v * c_step, sum[v]);
    a += vectors * a_step;
    c += vectors * c_step;
  }
  typename V::Reg sum[1];
  for (; whole > 0; --whole) {
    short_k_vectors<V>(g.k, tables, a, a_step, sum);
    V::store(c, sum[0]);
    a += a_step;
    c += c_step;
  }
  // The last rows are copied, the very last one as often as lanes ask for it.
  for (; left > 0; left -= together) {
    T rows[2 * width] = {};
    const index count = left < together ? left : together;
    for (index r = 0; r < together; ++r) {
      const T* const row = a + (r < count ? r : count - 1) * g.a_row_stride;
      for (index p = 0; p < g.k; ++p) rows[r * g.a_row_stride + p] = row[p];
    }
    short_k_vectors<V>(g.k, tables, rows, a_step, sum);
    V::store(c, sum[0], V::first(static_cast<int>(count * g.cols)));
    a += a_step;
    c += c_step;
  }
}

}  // namespace tilewise::kernels
