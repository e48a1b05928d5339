// The two inner loops: every tile of C for one block of A and one block of B.
#pragma once

#include "gemm/pack.hpp"
#include "gemm/tuning.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::gemm {

// Which tiles of C are computed.
struct AllTiles {
  TILEWISE_INLINE bool trim(index, index, index&, index&, index) const { return true; }
};

// Those that reach the diagonal of a larger C, or lie below it. The first row of this C is `below`
// rows below the diagonal.
struct LowerTiles {
  index below;

  // Leaves of a tile, whose rows end and whose columns begin there, the vectors that are computed.
  TILEWISE_INLINE bool trim(index end_row, index begin_col, index& vectors, index& cols,
                            index width) const {
    const index wanted = below + end_row - begin_col;
    if (wanted > (vectors - 1) * width) return true;
    vectors = ceil_div(wanted, width);
    cols = vectors * width;
    return wanted > 0;
  }
};

// One tile: A-panel i with B-panel j.
template <class T, class Tiles>
TILEWISE_INLINE void multiply_panels(const kernels::GemmKernels<T>& kernels, const ABlock<T>& a,
                                     index i, const BBlock<T>& b, index j, const MatrixView<T>& c,
                                     bool accumulate, const Tiles& tiles) {
  const auto a_panel = a.panel(i);
  auto b_panel = b.panel(j);
  const index end_row = a.panels.begin(i) + a.panels.size(i);
  if (!tiles.trim(end_row, b.panels.begin(j) * b.width, b_panel.vectors, b_panel.cols, b.width)) {
    return;
  }
  const index unused_lanes = b_panel.vectors * b.width - b_panel.cols;
  const auto tile = kernels.tile[a.panels.size(i) - 1][b_panel.vectors - 1][unused_lanes > 0];
  tile({.k = a.depth,
        .a = a_panel.data,
        .a_row_stride = a_panel.row_stride,
        .a_col_stride = a_panel.col_stride,
        .b = b_panel.data,
        .b_row_stride = b_panel.row_stride,
        .b_prefetch_distance = b.prefetch_next_panel ? b_panel.cols : 2 * b_panel.row_stride,
        .c = c.data + a.panels.begin(i) * c.row_stride + b.panels.begin(j) * b.width,
        .c_row_stride = c.row_stride,
        .rows = static_cast<int>(a.panels.size(i)),
        .last_width = static_cast<int>(b.width - unused_lanes),
        .accumulate = accumulate});
}

// C (+)= A B. The rows of C are contiguous; its shape is that of the blocks.
template <class T, class Tiles = AllTiles>
void macro_kernel(const kernels::GemmKernels<T>& kernels, const ABlock<T>& a, const BBlock<T>& b,
                  const MatrixView<T>& c, bool accumulate, const Tiles& tiles = {}) {
  if (a.depth <= tuning::short_depth) {
    for (index i = 0; i < a.panels.parts; ++i) {
      for (index j = 0; j < b.panels.parts; ++j) {
        multiply_panels(kernels, a, i, b, j, c, accumulate, tiles);
      }
    }
    return;
  }
  // A B-panel stays in L2 while the block of A, which is there too, passes.
  for (index j = 0; j < b.panels.parts; ++j) {
    for (index i = 0; i < a.panels.parts; ++i) {
      multiply_panels(kernels, a, i, b, j, c, accumulate, tiles);
    }
  }
}

}  // namespace tilewise::gemm
