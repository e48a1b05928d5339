// Fills the tables of one instruction set from its vector trait, at compile time.
#pragma once

#include <type_traits>

#include "kernels/dot.hpp"
#include "kernels/dot_tiles.hpp"
#include "kernels/gemm_tile.hpp"
#include "kernels/gemv.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/long_k.hpp"
#include "kernels/peak_fma.hpp"
#include "kernels/rank_k.hpp"
#include "kernels/sgd.hpp"
#include "kernels/short_k.hpp"
#include "kernels/squared_error.hpp"
#include "kernels/squared_lengths.hpp"
#include "kernels/stored.hpp"
#include "kernels/tiny_stack.hpp"
#include "kernels/transpose.hpp"

namespace tilewise::kernels {

// Integers have one tile for any number of rows: with one for each, they would be a third of all
// code.
template <class V, int Rows, int Vectors>
constexpr void fill_tiles(GemmKernels<typename V::Element>& set) {
  constexpr bool all_rows = std::is_floating_point_v<typename V::Element>;
  constexpr int rows = all_rows ? Rows : V::tile_rows;
  set.tile[Rows - 1][Vectors - 1][0] = gemm_tile<V, rows, Vectors, false, all_rows>;
  set.tile[Rows - 1][Vectors - 1][1] = gemm_tile<V, rows, Vectors, true, all_rows>;
  if constexpr (Vectors > 1) {
    fill_tiles<V, Rows, Vectors - 1>(set);
  } else if constexpr (Rows > 1) {
    fill_tiles<V, Rows - 1, V::tile_vectors>(set);
  }
}

template <class V, int Rows>
constexpr auto wide_tile = gemm_tile<V, Rows, V::tile_rows * V::tile_vectors / Rows, false>;

template <class V>
constexpr GemmKernels<typename V::Element> make_gemm_kernels() {
  using Set = GemmKernels<typename V::Element>;
  static_assert(V::tile_rows <= Set::max_tile_rows && V::tile_vectors <= Set::max_tile_vectors,
                "raise the limits in GemmKernels");
  Set set{};
  set.width = V::width;
  set.tile_rows = V::tile_rows;
  set.tile_vectors = V::tile_vectors;
  fill_tiles<V, V::tile_rows, V::tile_vectors>(set);
  set.dot_sums = V::dot_sums;
  set.dot_tiles = dot_tiles<V>;
  if constexpr (std::is_floating_point_v<typename V::Element>) {
    set.wide_tile[2] = wide_tile<V, 2>;
    set.wide_tile[3] = wide_tile<V, 3>;
    set.wide_tile[4] = wide_tile<V, 4>;
    set.rank_k = rank_k<V>;
    set.short_k = short_k<V>;
    set.long_k = long_k<V>;
  }
  set.dot = dot<V>;
  set.matvec = matvec<V>;
  set.vecmat = vecmat<V>;
  set.tiny_stack = tiny_stack<V>;
  set.transpose = transpose<V>;
  return set;
}

template <class V>
constexpr Kernels<typename V::Element> make_kernels() {
  if constexpr (std::floating_point<typename V::Element>) {
    return {make_gemm_kernels<V>(),
            {sgd_gradient<V>, sgd_steps<V>, sgd_steps_together<V>, squared_error<V>,
             squared_lengths<V>},
            {peak_fma<V>, 2 * V::width * peak_fma_chains<V>}};
  } else {
    return {make_gemm_kernels<V>()};
  }
}

template <template <class> class V>
constexpr KernelSet make_kernel_set(const char* name) {
#define TILEWISE_THEN_MAKE(T) , make_kernels<V<T>>()
#define TILEWISE_THEN_MAKE_STORED(Stored) , make_stored_kernels<V, Stored>()
  return {{name} TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_THEN_MAKE)
              TILEWISE_FOR_EACH_STORED_TYPE(TILEWISE_THEN_MAKE_STORED)};
#undef TILEWISE_THEN_MAKE_STORED
#undef TILEWISE_THEN_MAKE
}

}  // namespace tilewise::kernels
