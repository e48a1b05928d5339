#include "gemm/tiny_stack.hpp"

#include <algorithm>

#include "base/element_types.hpp"
#include "gemm/tuning.hpp"

namespace tilewise::gemm {
namespace {

template <class T>
kernels::TinyStack<T> arguments(index begin, index count, const MatrixStack<const T>& a,
                                const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  return {.count = count,
          .m = c.first.rows,
          .n = c.first.cols,
          .k = a.first.cols,
          .a = a[begin].data,
          .a_stride = a.stride,
          .a_row_stride = a.first.row_stride,
          .a_col_stride = a.first.col_stride,
          .b = b[begin].data,
          .b_stride = b.stride,
          .b_row_stride = b.first.row_stride,
          .c = c[begin].data,
          .c_stride = c.stride,
          .c_row_stride = c.first.row_stride};
}

// Some products at a time, whose B are copied to contiguous rows first: that long before the kernel
// loads whole vectors of them, the copies are in the cache.
template <class T>
void run_packed(const kernels::GemmKernels<T>& kernels, index begin, index end,
                const MatrixStack<const T>& a, const MatrixStack<const T>& b,
                const MatrixStack<T>& c) {
  constexpr index room = tuning::tiny_stack_copied;
  T packed[room];
  const index k = b.first.rows;
  const index n = b.first.cols;
  const index batch = room / (k * n);
  for (index first = begin; first < end; first += batch) {
    const index count = std::min(batch, end - first);
    T* to = packed;
    for (index i = first; i < first + count; ++i) {
      const MatrixView<const T> from = b[i];
      for (index p = 0; p < k; ++p) {
        for (index j = 0; j < n; ++j) *to++ = from(p, j);
      }
    }
    auto s = arguments(first, count, a, b, c);
    s.b = packed;
    s.b_stride = k * n;
    s.b_row_stride = n;
    kernels.tiny_stack(s);
  }
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const TinyStack& plan, index begin, index end,
         const MatrixStack<const T>& a, const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  if (plan.transposed) {
    const TinyStack this_way = {.transposed = false, .pack_b = plan.pack_b};
    return run(kernels, this_way, begin, end, b.transposed(), a.transposed(), c.transposed());
  }
  if (plan.pack_b) return run_packed(kernels, begin, end, a, b, c);
  kernels.tiny_stack(arguments(begin, end - begin, a, b, c));
}

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const VectorStack& plan, index begin, index end,
         const MatrixStack<const T>& a, const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  if (plan.transposed) {
    const VectorStack this_way = {.transposed = false};
    return run(kernels, this_way, begin, end, b.transposed(), a.transposed(), c.transposed());
  }
  const MatrixView<const T> matrix = a.first;
  if (matrix.rows == 1) {
    for (index i = begin; i < end; ++i) {
      *c[i].data = kernels.dot(matrix.cols, a[i].data, matrix.col_stride, b[i].data, 1);
    }
    return;
  }
  const bool by_rows = matrix.rows_contiguous();
  const MatrixView<const T> lying = by_rows ? matrix : matrix.transposed();
  const auto gemv = by_rows ? kernels.matvec : kernels.vecmat;
  for (index i = begin; i < end; ++i) {
    gemv({a[i].data, lying.rows, lying.cols, lying.row_stride, b[i].data, c[i].data, false, 0});
  }
}

#define TILEWISE_INSTANTIATE(T)                                                       \
  template void run(const kernels::GemmKernels<T>&, const TinyStack&, index, index,   \
                    const MatrixStack<const T>&, const MatrixStack<const T>&,         \
                    const MatrixStack<T>&);                                           \
  template void run(const kernels::GemmKernels<T>&, const VectorStack&, index, index, \
                    const MatrixStack<const T>&, const MatrixStack<const T>&,         \
                    const MatrixStack<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
