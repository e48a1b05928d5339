// Fills the table of one instruction set from its vector trait, at compile time.
#pragma once

#include "kernels/dot.hpp"
#include "kernels/gemm_tile.hpp"
#include "kernels/gemv.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_gradient.hpp"
#include "kernels/transpose.hpp"

namespace tilewise::kernels {

template <class V, int Rows, int Vectors>
constexpr void fill_tiles(KernelSet<typename V::Element>& set) {
  set.tile[Rows - 1][Vectors - 1][0] = gemm_tile<V, Rows, Vectors, false>;
  set.tile[Rows - 1][Vectors - 1][1] = gemm_tile<V, Rows, Vectors, true>;
  if constexpr (Vectors > 1) {
    fill_tiles<V, Rows, Vectors - 1>(set);
  } else if constexpr (Rows > 1) {
    fill_tiles<V, Rows - 1, V::tile_vectors>(set);
  }
}

template <class V>
constexpr KernelSet<typename V::Element> make_kernel_set() {
  using Set = KernelSet<typename V::Element>;
  static_assert(V::tile_rows <= Set::max_tile_rows && V::tile_vectors <= Set::max_tile_vectors);
  Set set{};
  set.width = V::width;
  set.tile_rows = V::tile_rows;
  set.tile_vectors = V::tile_vectors;
  fill_tiles<V, V::tile_rows, V::tile_vectors>(set);
  set.dot = dot<V>;
  set.matvec = matvec<V>;
  set.vecmat = vecmat<V>;
  set.transpose = transpose<V>;
  set.sgd_gradient = sgd_gradient<V>;
  return set;
}

}  // namespace tilewise::kernels
