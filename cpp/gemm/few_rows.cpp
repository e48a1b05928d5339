#include "gemm/few_rows.hpp"

#include <algorithm>

#include "base/element_types.hpp"
#include "gemm/macro_kernel.hpp"
#include "threads/for_each_range.hpp"

namespace tilewise::gemm {
namespace {

// A block of k, for all columns: wide tiles, and the micro-kernel's for the columns that are left.
template <class T>
void multiply_block(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a,
                    const MatrixView<const T>& b, const MatrixView<T>& c, bool accumulate) {
  const index step = kernels.wide_cols(c.rows);
  index j = 0;
  for (; j + step <= c.cols; j += step) {
    kernels.wide_tile[c.rows]({.k = a.cols,
                               .a = a.data,
                               .a_row_stride = a.row_stride,
                               .a_col_stride = a.col_stride,
                               .b = &b(0, j),
                               .b_row_stride = b.row_stride,
                               .b_prefetch_distance = b.row_stride,
                               .c = &c(0, j),
                               .c_row_stride = c.row_stride,
                               .rows = static_cast<int>(c.rows),
                               .last_width = kernels.width,
                               .accumulate = accumulate});
  }
  if (j == c.cols) return;
  const auto rest_of_b = b.block(0, j, b.rows, c.cols - j);
  macro_kernel(kernels, unpacked_a(a, a_panels(kernels, a.rows)),
               unpacked_b(rest_of_b, b_panels(kernels, rest_of_b.cols), kernels.width),
               c.block(0, j, c.rows, c.cols - j), accumulate);
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const FewRows& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const index step = kernels.wide_cols(c.rows);
  const auto k_blocks = EvenSplit::by_size(a.cols, plan.kc);
  threads::for_each_range(ceil_div(c.cols, step), plan.parts, [&](index begin, index end) {
    const index col = begin * step;
    const index cols = std::min(end * step, c.cols) - col;
    for (index pc = 0; pc < k_blocks.parts; ++pc) {
      const index p = k_blocks.begin(pc);
      const index depth = k_blocks.size(pc);
      multiply_block(kernels, a.block(0, p, a.rows, depth), b.block(p, col, depth, cols),
                     c.block(0, col, c.rows, cols), pc > 0);
    }
  });
}

#define TILEWISE_INSTANTIATE(T)                                                                 \
  template void run(const kernels::GemmKernels<T>&, const FewRows&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
