#include "gemm/rank_k.hpp"

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/pack.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

// Of the calling thread.
struct Buffers {
  AlignedBuffer b;
};

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const RankK& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const threads::Scratch<T> packed(threads::of_this_thread<Buffers>().b,
                                   plan.pack_b ? b.rows * b.cols : 0);
  if (plan.pack_b) copy_rows(kernels, b, packed.data(), b.cols);
  threads::for_each_range(c.rows, plan.parts, [&](index begin, index end) {
    kernels.rank_k({.k = a.cols,
                    .a = &a(begin, 0),
                    .a_row_stride = a.row_stride,
                    .a_col_stride = a.col_stride,
                    .b = plan.pack_b ? packed.data() : b.data,
                    .b_row_stride = plan.pack_b ? b.cols : b.row_stride,
                    .c = &c(begin, 0),
                    .rows = end - begin,
                    .cols = c.cols,
                    .c_row_stride = c.row_stride,
                    .stream = plan.stream});
  });
}

#define TILEWISE_INSTANTIATE(T)                                                               \
  template void run(const kernels::GemmKernels<T>&, const RankK&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
