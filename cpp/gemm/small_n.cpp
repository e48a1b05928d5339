#include "gemm/small_n.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/pack.hpp"
#include "gemm/tuning.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

using kernels::sum_block;

// Of the calling thread.
struct Buffers {
  AlignedBuffer b;
};

// Every tile of some rows. The columns of B are contiguous.
template <class T>
void dot_tiles(const kernels::GemmKernels<T>& kernels, const SmallN& plan,
               const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  const auto cols = EvenSplit::by_size(c.cols, plan.tile_cols);
  const index strip = cols.parts > 1 ? tuning::dot_strip : c.rows;
  for (index p = 0; p < a.cols; p += sum_block) {
    const index depth = std::min(sum_block, a.cols - p);
    for (index i = 0; i < c.rows; i += strip) {
      for (index part = 0; part < cols.parts; ++part) {
        const index j = cols.begin(part);
        kernels.dot_tiles({.k = depth,
                           .a = &a(i, p),
                           .a_row_stride = a.row_stride,
                           .rows = std::min(strip, c.rows - i),
                           .b = &b(p, j),
                           .b_col_stride = b.col_stride,
                           .cols = static_cast<int>(cols.size(part)),
                           .c = &c(i, j),
                           .c_row_stride = c.row_stride,
                           .c_col_stride = c.col_stride,
                           .accumulate = p > 0,
                           .prefetch_distance = plan.prefetch_distance});
      }
    }
  }
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const SmallN& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const threads::Scratch<T> packed(threads::of_this_thread<Buffers>().b,
                                   plan.pack_b ? b.rows * b.cols : 0);
  auto by_cols = b;
  if (plan.pack_b) {
    copy_rows(kernels, b.transposed(), packed.data(), b.rows);
    by_cols = {packed.data(), b.rows, b.cols, 1, b.rows};
  }
  threads::for_each_range(c.rows, plan.parts, [&](index begin, index end) {
    dot_tiles(kernels, plan, a.block(begin, 0, end - begin, a.cols), by_cols,
              c.block(begin, 0, end - begin, c.cols));
  });
}

#define TILEWISE_INSTANTIATE(T)                                                                \
  template void run(const kernels::GemmKernels<T>&, const SmallN&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
