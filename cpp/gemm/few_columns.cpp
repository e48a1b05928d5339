#include "gemm/few_columns.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/split.hpp"
#include "gemm/copy.hpp"
#include "gemm/element_types.hpp"
#include "gemm/gemv.hpp"
#include "gemm/plan.hpp"
#include "kernels/registry.hpp"
#include "threads/of_this_thread.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

using kernels::longest_sum;

// Of the calling thread.
struct Scratch {
  AlignedBuffer b_transposed;
};

// Every tile of some rows. B^T has contiguous rows.
template <class T>
void inner_tiles(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a,
                 const MatrixView<const T>& b_transposed, const MatrixView<T>& c) {
  for (index p = 0; p < a.cols; p += longest_sum) {
    const index depth = std::min(longest_sum, a.cols - p);
    for (index i = 0; i < c.rows; i += kernels.inner_rows) {
      for (index j = 0; j < c.cols; j += kernels.inner_cols) {
        const index rows = std::min(index{kernels.inner_rows}, c.rows - i);
        const index cols = std::min(index{kernels.inner_cols}, c.cols - j);
        kernels.inner_tile({.k = depth,
                            .a = &a(i, p),
                            .a_row_stride = a.row_stride,
                            .rows = static_cast<int>(rows),
                            .b = &b_transposed(j, p),
                            .b_row_stride = b_transposed.row_stride,
                            .cols = static_cast<int>(cols),
                            .c = &c(i, j),
                            .c_row_stride = c.row_stride,
                            .c_col_stride = c.col_stride,
                            .accumulate = p > 0});
      }
    }
  }
}

}  // namespace

template <class T>
void few_columns(const MatrixView<const T>& a, const MatrixView<const T>& b,
                 const MatrixView<T>& c) {
  auto& buffer = threads::of_this_thread<Scratch>().b_transposed;
  const auto& kernels = kernels::in_use().gemm<T>();
  const MatrixView<T> b_transposed = {buffer.reserve<T>(b.rows * b.cols), b.cols, b.rows, b.rows,
                                      1};
  copy(b.transposed(), b_transposed);
  const MatrixView<const T> packed = {b_transposed.data, b.cols, b.rows, b.rows, 1};

  const EvenSplit rows = {c.rows, parts_of(c.rows, flops_of(c.rows, c.cols, a.cols))};
  threads::for_each_part(static_cast<int>(rows.parts), [&](int part) {
    const index row = rows.begin(part);
    const index count = rows.size(part);
    inner_tiles(kernels, a.block(row, 0, count, a.cols), packed, c.block(row, 0, count, c.cols));
  });
}

#define TILEWISE_INSTANTIATE(T)                                                     \
  template void few_columns(const MatrixView<const T>&, const MatrixView<const T>&, \
                            const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
