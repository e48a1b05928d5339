#include "gemm/short_k.hpp"

#include "base/element_types.hpp"
#include "threads/for_each_range.hpp"

namespace tilewise::gemm {

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const ShortK& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  threads::for_each_range(c.rows, plan.parts, [&](index begin, index end) {
    kernels.short_k({.k = a.cols,
                     .a = &a(begin, 0),
                     .a_row_stride = a.row_stride,
                     .rows = end - begin,
                     .b = b.data,
                     .b_row_stride = b.row_stride,
                     .b_col_stride = b.col_stride,
                     .cols = c.cols,
                     .c = &c(begin, 0)});
  });
}

#define TILEWISE_INSTANTIATE(T)                                                                \
  template void run(const kernels::GemmKernels<T>&, const ShortK&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
