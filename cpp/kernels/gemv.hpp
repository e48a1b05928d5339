// Matrix times vector, one pass over a matrix whose rows are contiguous, from either side.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// y[i] = A[i, :] x for Rows rows at once: each vector of x is loaded once for all of them.
template <class V, int Rows>
TILEWISE_INLINE void matvec_rows(const Gemv<typename V::Element>& g, index i) {
  using T = typename V::Element;
  typename V::Reg acc[Rows] = {};
  const T* a = g.a + i * g.a_row_stride;
  index p = 0;
  for (; p + V::width <= g.cols; p += V::width) {
    const auto x = V::load(g.x + p);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      acc[r] = V::fmadd(V::load(a + r * g.a_row_stride + p), x, acc[r]);
    }
  }
  if (p < g.cols) {
    const auto mask = V::first(static_cast<int>(g.cols - p));
    const auto x = V::load(g.x + p, mask, V::zero());
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      acc[r] = V::fmadd(V::load(a + r * g.a_row_stride + p, mask, V::zero()), x, acc[r]);
    }
  }
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    const T sum = V::sum(acc[r]);
    g.y[i + r] = g.accumulate ? g.y[i + r] + sum : sum;
  }
}

// y = A x (y has one element a row).
template <class V>
void matvec(const Gemv<typename V::Element>& g) {
  index i = 0;
  for (; i + 8 <= g.rows; i += 8) matvec_rows<V, 8>(g, i);
  for (; i < g.rows; ++i) matvec_rows<V, 1>(g, i);
}

// y += x[i .. i + Rows) A[i .. i + Rows, :]: y passes through the registers once for Rows rows.
template <class V, int Rows>
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

// y = x A (y has one element a column). There is at least one row.
template <class V>
void vecmat(const Gemv<typename V::Element>& g) {
  index i = 0;
  for (; i + 8 <= g.rows; i += 8) vecmat_rows<V, 8>(g, i, g.accumulate || i > 0);
  for (; i < g.rows; ++i) vecmat_rows<V, 1>(g, i, g.accumulate || i > 0);
}

}  // namespace tilewise::kernels
