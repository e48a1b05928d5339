// C = A B where A has a few columns: writing C is most of the work.
#pragma once

#include <cstdint>

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Rows x Vectors registers of C: of each row's last vector, `last` says what exists. Where C is too
// large for the caches, whole vectors go past them: memory is then written without being read
// first.
template <class V, int Rows, int Vectors, bool Stream, class Last>
TILEWISE_INLINE void rank_k_tile(const RankK<typename V::Element>& g, const typename V::Element* a,
                                 const typename V::Element* b, typename V::Element* c,
                                 const Last& last) {
  typename V::Reg sum[Rows][Vectors];
  const auto add_column = [&](auto first) TILEWISE_INLINE_LAMBDA {
    typename V::Reg row[Vectors];
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      row[v] = v < Vectors - 1 ? V::load(b + v * V::width) : last.load_repeated(b + v * V::width);
    }
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
      if (v < Vectors - 1) {
        Stream ? V::stream(to, sum[r][v]) : V::store(to, sum[r][v]);
      } else {
        Stream ? last.stream(to, sum[r][v]) : last.store(to, sum[r][v]);
      }
    }
  }
}

// Calls visit(i) for groups of Rows rows. The last group may repeat rows: they come out the same.
template <int Rows, class Visit>
TILEWISE_INLINE void each_group(index rows, const Visit& visit) {
  for (index i = 0; i + Rows <= rows; i += Rows) visit(i);
  if (rows % Rows != 0) visit(rows - Rows);
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

// A strip of columns, whose part of B stays in L1, for all rows.
template <class V, int Rows, int Vectors, bool Stream>
TILEWISE_INLINE void rank_k_strips(const RankK<typename V::Element>& g) {
  constexpr index strip = 4096 / sizeof(typename V::Element);
  for (index j = 0; j < g.cols; j += strip) {
    const index cols = g.cols - j < strip ? g.cols - j : strip;
    each_group<Rows>(g.rows, [&](index i) TILEWISE_INLINE_LAMBDA {
      rank_k_rows<V, Rows, Vectors, Stream>(g, i, j, cols);
    });
  }
  if (Stream) V::finish_streams();
}

// C of so few columns that a row is one tile.
template <class V, int Rows, int Vectors>
TILEWISE_INLINE void rank_k_narrow(const RankK<typename V::Element>& g) {
  const auto run = [&](const auto& last) TILEWISE_INLINE_LAMBDA {
    each_group<Rows>(g.rows, [&](index i) TILEWISE_INLINE_LAMBDA {
      rank_k_tile<V, Rows, Vectors, false>(g, g.a + i * g.a_row_stride, g.b,
                                           g.c + i * g.c_row_stride, last);
    });
  };
  const index in_last = g.cols - (Vectors - 1) * V::width;
  in_last == V::width ? run(WholeVector<V>{}) : run(first_elements<V>(in_last));
}

// C = A B for at least rank_k_rows_at_once rows.
template <class V>
void rank_k(const RankK<typename V::Element>& g) {
  constexpr int rows = rank_k_rows_at_once;
  constexpr int vectors = V::tile_rows * V::tile_vectors / 6;
  if (g.stream) return rank_k_strips<V, 1, 1, true>(g);  // rows are not aligned alike
  if (g.cols <= V::width) return rank_k_narrow<V, rows, 1>(g);
  if (g.cols <= 2 * V::width) return rank_k_narrow<V, rows, 2>(g);
  if constexpr (vectors > 2) {
    if (g.cols <= 3 * V::width) return rank_k_narrow<V, rows, 3>(g);
  }
  rank_k_strips<V, rows, vectors, false>(g);
}

}  // namespace tilewise::kernels
