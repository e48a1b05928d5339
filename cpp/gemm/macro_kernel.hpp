// The two inner loops: every tile of C for one block of A and one block of B.
#pragma once

#include "gemm/pack.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::gemm {

// One tile: A-panel i with B-panel j.
template <class T>
TILEWISE_INLINE void multiply_panels(const kernels::GemmKernels<T>& kernels, const ABlock<T>& a,
                                     index i, const BBlock<T>& b, index j, const MatrixView<T>& c,
                                     bool accumulate) {
  const auto a_panel = a.panel(i);
  const auto b_panel = b.panel(j);
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
template <class T>
void macro_kernel(const kernels::GemmKernels<T>& kernels, const ABlock<T>& a, const BBlock<T>& b,
                  const MatrixView<T>& c, bool accumulate) {
  // A B-panel stays in L2 while the block of A, which is there too, passes.
  for (index j = 0; j < b.panels.parts; ++j) {
    for (index i = 0; i < a.panels.parts; ++i) {
      multiply_panels(kernels, a, i, b, j, c, accumulate);
    }
  }
}

}  // namespace tilewise::gemm
