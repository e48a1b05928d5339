// Matrix times vector, one pass over a matrix whose rows are contiguous, from either side.
#pragma once

#include "kernels/dot.hpp"
#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/prefetch.hpp"

namespace tilewise::kernels {

// y[i] = A[i, :] x for as many rows as a vector has lanes: each vector of x is loaded once for all
// of them, and their sums come out as one vector.
template <class V, bool Prefetch>
TILEWISE_INLINE void matvec_rows(const Gemv<typename V::Element>& g, index i) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  Reg row[V::width] = {};
  const T* const a = g.a + i * g.a_row_stride;
  const index a_row = g.a_row_stride;
  each_vector<V>(g.cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    if constexpr (Prefetch) prefetch_rows<V::width>(a + g.prefetch_distance * a_row + v.at, a_row);
    const auto x = v.load(g.x);
    TILEWISE_UNROLL
    for (int r = 0; r < V::width; ++r) row[r] = V::fmadd(v.load(a + r * a_row), x, row[r]);
  });
  const Reg sums = reduce_rows<V>(row);
  V::store(g.y + i, g.accumulate ? V::load(g.y + i) + sums : sums);
}

// The same for four long rows, which are as many streams as any prefetcher follows.
template <class V, bool Prefetch>
TILEWISE_INLINE void matvec_long_rows(const Gemv<typename V::Element>& g, index i) {
  using T = typename V::Element;
  constexpr int rows = 4;
  constexpr int chains = 2;  // for each row: a sum alone waits for its last addition
  typename V::Reg acc[rows][chains] = {};
  const T* const a = g.a + i * g.a_row_stride;
  const index a_row = g.a_row_stride;
  each_vector<V, chains>(g.cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    const auto x = v.load(g.x);
    if constexpr (Prefetch) prefetch_rows<rows>(a + g.prefetch_distance * a_row + v.at, a_row);
    TILEWISE_UNROLL
    for (int r = 0; r < rows; ++r) {
      acc[r][v.chain] = V::fmadd(v.load(a + r * a_row), x, acc[r][v.chain]);
    }
  });
  typename V::Reg sums[rows];
  TILEWISE_UNROLL
  for (int r = 0; r < rows; ++r) sums[r] = acc[r][0] + acc[r][1];
  const auto sum = reduce_rows<V, rows>(sums);
  const auto v = first_elements<V>(rows);
  v.store(g.y + i, g.accumulate ? v.load(g.y + i) + sum : sum);
}

// y = A x (y has one element a row). How an element is added up depends on the length of its row,
// and on whether it belongs to the last rows % width.
template <class V, bool Prefetch>
TILEWISE_INLINE void matvec_of(const Gemv<typename V::Element>& g) {
  const bool long_rows = V::width % 4 == 0 && g.cols > 8 * V::width;
  index i = 0;
  for (; i + V::width <= g.rows; i += V::width) {
    if (!long_rows) {
      matvec_rows<V, Prefetch>(g, i);
      continue;
    }
    if constexpr (V::width % 4 == 0) {
      for (index r = 0; r < V::width; r += 4) matvec_long_rows<V, Prefetch>(g, i + r);
    }
  }
  for (; i < g.rows; ++i) {
    const auto sum = dot_contiguous<V>(g.cols, g.a + i * g.a_row_stride, g.x);
    g.y[i] = g.accumulate ? g.y[i] + sum : sum;
  }
}

template <class V>
void matvec(const Gemv<typename V::Element>& g) {
  if (g.prefetch_distance > 0) [[unlikely]]
    return matvec_of<V, true>(g);
  matvec_of<V, false>(g);
}

// y += x[i .. i + Rows) A[i .. i + Rows, :]: y passes through the registers once for Rows rows.
template <class V, int Rows, bool Prefetch>
TILEWISE_INLINE void vecmat_rows(const Gemv<typename V::Element>& g, index i, bool accumulate) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  Reg x[Rows];
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) x[r] = V::set1(g.x[i + r]);
  const T* a = g.a + i * g.a_row_stride;
  each_vector<V>(g.cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    if constexpr (Prefetch) {
      prefetch_rows<Rows>(a + g.prefetch_distance * g.a_row_stride + v.at, g.a_row_stride);
    }
    Reg sum = x[0] * v.load_repeated(a);
    TILEWISE_UNROLL
    for (int r = 1; r < Rows; ++r) {
      sum = V::fmadd(x[r], v.load_repeated(a + r * g.a_row_stride), sum);
    }
    v.store(g.y, accumulate ? v.load(g.y) + sum : sum);
  });
}

template <class V, bool Prefetch>
TILEWISE_INLINE void vecmat_of(const Gemv<typename V::Element>& g) {
  index i = 0;
  for (; i + 8 <= g.rows; i += 8) vecmat_rows<V, 8, Prefetch>(g, i, g.accumulate || i > 0);
  for (; i < g.rows; ++i) vecmat_rows<V, 1, Prefetch>(g, i, g.accumulate || i > 0);
}

// y = x A (y has one element a column). There is at least one row.
template <class V>
void vecmat(const Gemv<typename V::Element>& g) {
  if (g.prefetch_distance > 0) [[unlikely]]
    return vecmat_of<V, true>(g);
  vecmat_of<V, false>(g);
}

}  // namespace tilewise::kernels
