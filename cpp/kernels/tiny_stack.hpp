// Many products so small that a call for each would cost more than they do: the loop over them is
// here.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Rows x one vector of C, of which `part` exists. A sum alone waits for its last addition, so few
// rows have several chains each.
template <class V, int Rows>
TILEWISE_INLINE void tiny_rows(const TinyStack<typename V::Element>& s,
                               const typename V::Element* a, const typename V::Element* b,
                               typename V::Element* c, const PartOfVector<V>& part) {
  using Reg = typename V::Reg;
  constexpr int chains = Rows > 2 ? 1 : 4 / Rows;
  Reg sum[chains][Rows] = {};
  const auto step = [&](Reg(&chain)[Rows]) TILEWISE_INLINE_LAMBDA {
    const Reg row = part.load_repeated(b);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r)
      chain[r] = V::fmadd(V::set1(a[r * s.a_row_stride]), row, chain[r]);
    a += s.a_col_stride;
    b += s.b_row_stride;
  };
  index p = 0;
  if constexpr (chains > 1) {
    for (; p + chains <= s.k; p += chains) {
      TILEWISE_UNROLL
      for (int i = 0; i < chains; ++i) step(sum[i]);
    }
  }
  for (; p < s.k; ++p) step(sum[0]);
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    TILEWISE_UNROLL
    for (int i = 1; i < chains; ++i) sum[0][r] += sum[i][r];
    part.store(c + r * s.c_row_stride, sum[0][r]);
  }
}

// The columns of one product that lie in a vector.
template <class V>
TILEWISE_INLINE void tiny_columns(const TinyStack<typename V::Element>& s,
                                  const typename V::Element* a, const typename V::Element* b,
                                  typename V::Element* c, const PartOfVector<V>& part) {
  index rows = s.m;
  for (; rows >= 4; rows -= 4) {
    tiny_rows<V, 4>(s, a, b, c, part);
    a += 4 * s.a_row_stride;
    c += 4 * s.c_row_stride;
  }
  if (rows == 3) return tiny_rows<V, 3>(s, a, b, c, part);
  if (rows == 2) return tiny_rows<V, 2>(s, a, b, c, part);
  if (rows == 1) tiny_rows<V, 1>(s, a, b, c, part);
}

template <class V>
void tiny_stack(const TinyStack<typename V::Element>& s) {
  constexpr index width = V::width;
  const auto* a = s.a;
  const auto* b = s.b;
  auto* c = s.c;
  for (index i = 0; i < s.count; ++i) {
    for (index j = 0; j < s.n; j += width) {
      const int cols = static_cast<int>(s.n - j < width ? s.n - j : width);
      tiny_columns<V>(s, a, b, c, {j, 0, V::first(cols), cols});
    }
    a += s.a_stride;
    b += s.b_stride;
    c += s.c_stride;
  }
}

}  // namespace tilewise::kernels
