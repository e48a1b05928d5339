// Matrix times vector, one pass over a matrix whose rows are contiguous, from either side.
#pragma once

#include "kernels/dot.hpp"
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
  const auto add = [&](const Reg& x, auto load) TILEWISE_INLINE_LAMBDA {
    TILEWISE_UNROLL
    for (int r = 0; r < V::width; ++r) row[r] = V::fmadd(load(a + r * a_row), x, row[r]);
  };
  index p = 0;
  for (; p + V::width <= g.cols; p += V::width) {
    TILEWISE_UNROLL
    for (int r = 0; r < V::width; ++r) {
      if constexpr (Prefetch) prefetch(a + (r + 2 * V::width) * a_row + p);
    }
    add(V::load(g.x + p), [&](const T* from) TILEWISE_INLINE_LAMBDA { return V::load(from + p); });
  }
  if (p < g.cols) {
    const auto mask = V::first(static_cast<int>(g.cols - p));
    const auto load = [&](const T* from)
                          TILEWISE_INLINE_LAMBDA { return V::load(from + p, mask, V::zero()); };
    add(load(g.x), load);
  }
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
  const auto add = [&](index p, int c, auto load) TILEWISE_INLINE_LAMBDA {
    const auto x = load(g.x + p);
    TILEWISE_UNROLL
    for (int r = 0; r < rows; ++r) {
      if constexpr (Prefetch) prefetch(a + (r + rows) * a_row + p);
      acc[r][c] = V::fmadd(load(a + r * a_row + p), x, acc[r][c]);
    }
  };
  const auto whole = [](const T* p) TILEWISE_INLINE_LAMBDA { return V::load(p); };
  index p = 0;
  for (; p + chains * V::width <= g.cols; p += chains * V::width) {
    TILEWISE_UNROLL
    for (int c = 0; c < chains; ++c) add(p + c * V::width, c, whole);
  }
  if (p + V::width <= g.cols) {
    add(p, 0, whole);
    p += V::width;
  }
  if (p < g.cols) {
    const auto mask = V::first(static_cast<int>(g.cols - p));
    add(p, 1, [&](const T* from) TILEWISE_INLINE_LAMBDA { return V::load(from, mask, V::zero()); });
  }
  typename V::Reg sums[rows];
  TILEWISE_UNROLL
  for (int r = 0; r < rows; ++r) sums[r] = acc[r][0] + acc[r][1];
  const auto mask = V::first(rows);
  const auto sum = reduce_rows<V, rows>(sums);
  V::store(g.y + i, g.accumulate ? V::load(g.y + i, mask, V::zero()) + sum : sum, mask);
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
  g.from_memory ? matvec_of<V, true>(g) : matvec_of<V, false>(g);
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
  const auto sum_at = [&](auto load) TILEWISE_INLINE_LAMBDA {
    Reg sum = x[0] * load(a);
    TILEWISE_UNROLL
    for (int r = 1; r < Rows; ++r) sum = V::fmadd(x[r], load(a + r * g.a_row_stride), sum);
    return accumulate ? load(g.y) + sum : sum;
  };
  index j = 0;
  for (; j + V::width <= g.cols; j += V::width) {
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      if constexpr (Prefetch) prefetch(a + (r + 2 * Rows) * g.a_row_stride + j);
    }
    V::store(g.y + j, sum_at([&](const T* p) TILEWISE_INLINE_LAMBDA { return V::load(p + j); }));
  }
  if (j < g.cols) {
    const auto mask = V::first(static_cast<int>(g.cols - j));
    const auto load = [&](const T* p) TILEWISE_INLINE_LAMBDA {
      return V::load(p + j, mask, V::set1(p[j]));  // see gemm_tile for why not zero
    };
    V::store(g.y + j, sum_at(load), mask);
  }
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
  g.from_memory ? vecmat_of<V, true>(g) : vecmat_of<V, false>(g);
}

}  // namespace tilewise::kernels
