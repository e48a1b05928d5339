// C = A B where A has a few columns: writing C is most of the work.
#pragma once

#include <cstdint>

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Rows x Vectors registers of C: `part` of each row's last vector exists. Where C is too large for
// the caches, whole vectors go past them: memory is then written without being read first.
template <class V, int Rows, int Vectors, bool Stream, class Part>
TILEWISE_INLINE void rank_k_tile(const RankK<typename V::Element>& g, const typename V::Element* a,
                                 const typename V::Element* b, typename V::Element* c,
                                 const Part& part) {
  typename V::Reg sum[Rows][Vectors];
  const auto add_column = [&](auto first) TILEWISE_INLINE_LAMBDA {
    typename V::Reg row[Vectors];
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) row[v] = part.load_repeated(b + v * V::width);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const auto factor = V::set1(a[r * g.a_row_stride]);
      TILEWISE_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        sum[r][v] = decltype(first)::value ? factor * row[v] : V::fmadd(factor, row[v], sum[r][v]);
      }
    }
  };
  add_column(std::true_type());
  for (index p = 1; p < g.k; ++p) {
    a += g.a_col_stride;
    b += g.b_row_stride;
    add_column(std::false_type());
  }
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      typename V::Element* const to = c + r * g.c_row_stride + v * V::width;
      Stream ? part.stream(to, sum[r][v]) : part.store(to, sum[r][v]);
    }
  }
}

// Some columns of Rows rows of C.
template <class V, int Rows, int Vectors, bool Stream>
TILEWISE_INLINE void rank_k_rows(const RankK<typename V::Element>& g, index i, index j,
                                 index cols) {
  using T = typename V::Element;
  const T* const a = g.a + i * g.a_row_stride;
  const T* b = g.b + j;
  T* c = g.c + i * g.c_row_stride + j;
  if constexpr (Stream) {  // from the first boundary of a vector on
    constexpr index bytes = V::width * sizeof(T);
    const index misaligned = reinterpret_cast<std::uintptr_t>(c) % bytes / sizeof(T);
    const index wanted = misaligned != 0 ? V::width - misaligned : 0;
    const index head = wanted < cols ? wanted : cols;
    if (head > 0) rank_k_tile<V, Rows, 1, false>(g, a, b, c, first_elements<V>(head));
    b += head;
    c += head;
    cols -= head;
  }
  constexpr index step = Vectors * V::width;
  for (; cols >= step; cols -= step) {
    rank_k_tile<V, Rows, Vectors, Stream>(g, a, b, c, WholeVector<V>{});
    b += step;
    c += step;
  }
  each_vector<V>(cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    rank_k_tile<V, Rows, 1, Stream>(g, a, b, c, v);
  });
}

template <class V, int Rows, int Vectors, bool Stream>
TILEWISE_INLINE void rank_k_strip(const RankK<typename V::Element>& g, index j, index cols) {
  index i = 0;
  for (; i + Rows <= g.rows; i += Rows) rank_k_rows<V, Rows, Vectors, Stream>(g, i, j, cols);
  for (; i < g.rows; ++i) rank_k_rows<V, 1, Vectors, Stream>(g, i, j, cols);
}

// C = A B, a strip of columns at a time, whose part of B stays in L1.
template <class V>
void rank_k(const RankK<typename V::Element>& g) {
  constexpr index strip = 4096 / sizeof(typename V::Element);
  constexpr int vectors = V::tile_rows * V::tile_vectors / 6;
  for (index j = 0; j < g.cols; j += strip) {
    const index cols = g.cols - j < strip ? g.cols - j : strip;
    g.stream ? rank_k_strip<V, 1, vectors, true>(g, j, cols)
             : rank_k_strip<V, 4, vectors, false>(g, j, cols);
  }
  if (g.stream) V::finish_streams();
}

}  // namespace tilewise::kernels
