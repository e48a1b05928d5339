#include "gemm/small_n.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

using kernels::sum_block;

// Of the calling thread.
struct Buffers {
  AlignedBuffer b;
};

// Packs B for the tiles of its columns, one behind the other: for each vector along k, those of all
// columns of the tile. A vector that lacks rows has zeros.
template <class T>
void pack(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& b, T* packed) {
  const index width = kernels.width;
  for (index j = 0; j < b.cols; j += kernels.dot_cols) {
    const index end = std::min(j + kernels.dot_cols, b.cols);
    for (index p = 0; p < b.rows; p += width) {
      const index rows = std::min(width, b.rows - p);
      for (index col = j; col < end; ++col) {
        const T* const from = &b(p, col);
        for (index row = 0; row < rows; ++row) packed[row] = from[row * b.row_stride];
        std::fill(packed + rows, packed + width, T{0});
        packed += width;
      }
    }
  }
}

// Every tile of some rows.
template <class T>
void dot_tiles(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a, const T* b,
               const MatrixView<T>& c, index prefetch_distance) {
  const index padded_depth = ceil_div(a.cols, index{kernels.width}) * kernels.width;
  for (index p = 0; p < a.cols; p += sum_block) {
    const index depth = std::min(sum_block, a.cols - p);
    for (index i = 0; i < c.rows; i += kernels.dot_rows) {
      for (index j = 0; j < c.cols; j += kernels.dot_cols) {
        const index rows = std::min(index{kernels.dot_rows}, c.rows - i);
        const index cols = std::min(index{kernels.dot_cols}, c.cols - j);
        kernels.dot_tile({.k = depth,
                          .a = &a(i, p),
                          .a_row_stride = a.row_stride,
                          .rows = static_cast<int>(rows),
                          .b = b + j * padded_depth + p * cols,
                          .cols = static_cast<int>(cols),
                          .c = &c(i, j),
                          .c_row_stride = c.row_stride,
                          .c_col_stride = c.col_stride,
                          .accumulate = p > 0,
                          .prefetch_distance = prefetch_distance});
      }
    }
  }
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const SmallN& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const index padded_rows = ceil_div(b.rows, index{kernels.width}) * kernels.width;
  const threads::Scratch<T> packed(threads::of_this_thread<Buffers>().b, padded_rows * b.cols);
  pack(kernels, b, packed.data());
  threads::for_each_range(c.rows, plan.parts, [&](index begin, index end) {
    dot_tiles(kernels, a.block(begin, 0, end - begin, a.cols), packed.data(),
              c.block(begin, 0, end - begin, c.cols), plan.prefetch_distance);
  });
}

#define TILEWISE_INSTANTIATE(T)                                                                \
  template void run(const kernels::GemmKernels<T>&, const SmallN&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
