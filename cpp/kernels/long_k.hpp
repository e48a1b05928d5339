// Few rows and few columns of C, a long k: a vector of B holds as many of its rows as fit.
//
// Lane l of a vector of B belongs to column l % n of row p + l / n, so each lane has a sum of its
// own, for its column and every (width / n)-th row. The elements of a row of A are spread over the
// lanes by one permutation. Lanes after the last whole row hold the beginning of row p + width / n:
// their products are terms of the result too, counted in a later vector, and raise no
// floating-point exception that they do not raise there. They are dropped.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Rows [i, i + Rows) of C.
template <class V, int Rows>
TILEWISE_INLINE void long_k_rows(const LongK<typename V::Element>& g, index i) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  // Sums that run side by side for each row, to hide the latency of an addition: two neighbouring
  // vectors of B, and where rows are few also two neighbouring vectors of A.
  constexpr int neighbours = 2;
  constexpr int blocks = Rows <= 2 ? 2 : 1;
  constexpr int chains = blocks * neighbours;
  constexpr index prefetch_distance = 2048 / sizeof(T);  // the CPU's own prefetchers reach less far
  const int n = static_cast<int>(g.cols);
  const int together = width / n;
  int lane[width];
  for (int l = 0; l < width; ++l) lane[l] = l / n;
  const auto spread = V::lanes(lane);
  // Vectors of B that one of A is enough for: their last lanes may ask for an element more.
  const int steps = (together * n < width ? width - 1 : width) / together / neighbours * neighbours;
  const index block = index{steps} * together;
  const index b_step = index{together} * n;
  const T* a = g.a + i * g.a_row_stride;
  const T* b = g.b;
  const index a_row = g.a_row_stride;

  Reg acc[Rows][chains] = {};
  index left = g.k;
  // Whole vectors of A and B are read, which may reach into the rows after these.
  for (; left >= blocks * block && left + g.beyond > (blocks - 1) * block + width;
       left -= blocks * block) {
    Reg a_part[Rows][blocks];
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      TILEWISE_UNROLL
      for (int q = 0; q < blocks; ++q) a_part[r][q] = V::load(a + r * a_row + q * block);
    }
    auto lanes = spread;
    for (int s = 0; s < steps; s += neighbours) {
      TILEWISE_UNROLL
      for (int c = 0; c < neighbours; ++c) {
        TILEWISE_UNROLL
        for (int q = 0; q < blocks; ++q) {
          const T* const b_row = b + q * block * n + c * b_step;
          __builtin_prefetch(b_row + prefetch_distance);
          const Reg b_part = V::load(b_row);
          TILEWISE_UNROLL
          for (int r = 0; r < Rows; ++r) {
            Reg& sum = acc[r][q * neighbours + c];
            sum = V::fmadd(V::permute(lanes, a_part[r][q]), b_part, sum);
          }
        }
        lanes = V::shifted(lanes, together);
      }
      b += neighbours * b_step;
    }
    a += blocks * block;
    b += (blocks - 1) * block * n;
  }
  for (; left > 0; left -= together) {
    const int rows_of_b = left < together ? static_cast<int>(left) : together;
    const auto a_mask = V::first(rows_of_b);
    const Reg b_part = V::load(b, V::first(rows_of_b * n), V::zero());
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Reg a_part = V::load(a + r * a_row, a_mask, V::zero());
      acc[r][0] = V::fmadd(V::permute(spread, a_part), b_part, acc[r][0]);
    }
    a += together;
    b += b_step;
  }

  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    TILEWISE_UNROLL
    for (int c = 1; c < chains; ++c) acc[r][0] += acc[r][c];
    T sums[width];
    V::store(sums, acc[r][0]);
    T* const row = g.c + (i + r) * n;
    for (int j = 0; j < n; ++j) {
      T sum = sums[j];
      for (int q = 1; q < together; ++q) sum += sums[q * n + j];
      row[j] = sum;
    }
  }
}

template <class V>
void long_k(const LongK<typename V::Element>& g) {
  index i = 0;
  for (; i + 4 <= g.rows; i += 4) long_k_rows<V, 4>(g, i);
  if (g.rows - i >= 2) {
    long_k_rows<V, 2>(g, i);
    i += 2;
  }
  if (i < g.rows) long_k_rows<V, 1>(g, i);
}

}  // namespace tilewise::kernels
