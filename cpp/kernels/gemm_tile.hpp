// The micro-kernel: one tile of C, all of it in registers, while k runs.
//
// A is only broadcast, element by element, so it may have any strides: packed in either order, or
// the caller's own matrix. A row of B is read in whole vectors, so its elements lie side by side.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Rows x (Vectors * width) of C. With Masked, only the first `last_width` lanes of the last vector
// exist. Rows and Vectors are constants so that the accumulators are registers. Without AllRows,
// only the first `rows` rows exist: one function for any number of them, which computes all.
template <class V, int Rows, int Vectors, bool Masked, bool AllRows = true>
void gemm_tile(const GemmTile<typename V::Element>& t) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  const auto mask = V::first(Masked ? t.last_width : width);
  // Lanes that do not exist repeat elements that do. Zeros there would meet an infinity in A and
  // raise a floating-point exception that no element of C deserves.
  const auto load = [&](const T* row, int j) TILEWISE_INLINE_LAMBDA {
    if (!Masked || j < Vectors - 1) return V::load(row + j * width);
    return V::load(row + j * width, mask, Vectors > 1 ? V::load(row) : V::set1(row[j * width]));
  };

  Reg acc[Rows][Vectors];
  TILEWISE_UNROLL
  for (int i = 0; i < Rows; ++i) {
    TILEWISE_UNROLL
    for (int j = 0; j < Vectors; ++j) acc[i][j] = V::zero();
  }

  // Rows of A in groups of four, whose addresses share three offsets: one pointer a row would need
  // more registers than there are.
  constexpr int group = AllRows ? 4 : 1;
  constexpr int groups = (Rows + group - 1) / group;
  const T* a[groups];
  TILEWISE_UNROLL
  for (int g = 0; g < groups; ++g) {
    a[g] = t.a + (AllRows || g < t.rows ? group * g : t.rows - 1) * t.a_row_stride;
  }
  const T* b = t.b;
  T* const c = t.c;
  const index c_row = t.c_row_stride;
  const index a_row = t.a_row_stride;
  const index a_col = t.a_col_stride;
  const index b_row_stride = t.b_row_stride;
  const index b_prefetch_distance = t.b_prefetch_distance;
  const auto step = [&]() TILEWISE_INLINE_LAMBDA {
    Reg b_row[Vectors];
    TILEWISE_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      __builtin_prefetch(b + b_prefetch_distance + j * width);
      b_row[j] = load(b, j);
    }
    TILEWISE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const Reg a_i = V::set1(a[i / group][i % group * a_row]);
      TILEWISE_UNROLL
      for (int j = 0; j < Vectors; ++j) acc[i][j] = V::fmadd(a_i, b_row[j], acc[i][j]);
    }
    TILEWISE_UNROLL
    for (int g = 0; g < groups; ++g) a[g] += a_col;
    b += b_row_stride;
  };
  // C is needed last, so it is prefetched first: a row with each step, so that the loads of A and B
  // need not wait behind it.
  const index first_steps = t.k < Rows ? t.k : Rows;
  for (index p = 0; p < first_steps; ++p) {
    TILEWISE_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      __builtin_prefetch(c + p * c_row + j * width, 1);
    }
    step();
  }
  for (index p = first_steps; p < t.k; ++p) step();

  const auto write = [&](auto result) TILEWISE_INLINE_LAMBDA {
    TILEWISE_UNROLL
    for (int i = 0; i < Rows; ++i) {
      if (!AllRows && i >= t.rows) break;
      T* const row = c + i * c_row;
      TILEWISE_UNROLL
      for (int j = 0; j < Vectors; ++j) {
        const Reg r = result(row, i, j);
        if (Masked && j == Vectors - 1) {
          V::store(row + j * width, r, mask);
        } else {
          V::store(row + j * width, r);
        }
      }
    }
  };
  if (t.accumulate) {
    write([&](const T* row, int i, int j)
              TILEWISE_INLINE_LAMBDA { return load(row, j) + acc[i][j]; });
  } else {
    write([&](const T*, int i, int j) TILEWISE_INLINE_LAMBDA { return acc[i][j]; });
  }
}

}  // namespace tilewise::kernels
