#include "gemm/gemv.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "gemm/element_types.hpp"
#include "kernels/registry.hpp"

namespace tilewise::gemm {
namespace {

thread_local AlignedBuffer x_buffer;
thread_local AlignedBuffer y_buffer;

// Longer sums are cut into pieces and the pieces added, which bounds the rounding error: a chain of
// additions loses one rounding a step.
constexpr index longest_sum = 4096;

// x and y are contiguous, and so are the rows or the columns of A.
template <class T>
void gemv_contiguous(const MatrixView<const T>& a, const T* x, T* y) {
  const auto& kernels = kernels::in_use().gemm<T>();
  if (a.rows_contiguous()) {
    for (index p = 0; p < a.cols; p += longest_sum) {
      const index depth = std::min(longest_sum, a.cols - p);
      kernels.matvec({.a = a.data + p,
                      .rows = a.rows,
                      .cols = depth,
                      .a_row_stride = a.row_stride,
                      .x = x + p,
                      .y = y,
                      .accumulate = p > 0});
    }
    return;
  }
  for (index p = 0; p < a.cols; p += longest_sum) {
    const index depth = std::min(longest_sum, a.cols - p);
    kernels.vecmat({.a = a.data + p * a.col_stride,
                    .rows = depth,
                    .cols = a.rows,
                    .a_row_stride = a.col_stride,
                    .x = x + p,
                    .y = y,
                    .accumulate = p > 0});
  }
}

}  // namespace

template <class T>
T inner_product(const VectorView<const T>& a, const VectorView<const T>& b) {
  const auto dot = kernels::in_use().gemm<T>().dot;
  T sum = 0;
  for (index p = 0; p < a.size; p += longest_sum) {
    sum += dot(std::min(longest_sum, a.size - p), &a[p], a.stride, &b[p], b.stride);
  }
  return sum;
}

template <class T>
void gemv(const MatrixView<const T>& a, const VectorView<const T>& x, const VectorView<T>& y) {
  if (!a.rows_contiguous() && !a.cols_contiguous()) {
    for (index i = 0; i < a.rows; ++i) y[i] = inner_product(a.row(i), x);
    return;
  }
  const T* x_data = x.data;
  T* y_data = y.data;
  if (!y.contiguous()) y_data = y_buffer.reserve<T>(y.size);
  if (!x.contiguous()) {
    T* copied = x_buffer.reserve<T>(x.size);
    for (index p = 0; p < x.size; ++p) copied[p] = x[p];
    x_data = copied;
  }
  gemv_contiguous(a, x_data, y_data);
  if (y.contiguous()) return;
  for (index i = 0; i < y.size; ++i) y[i] = y_data[i];
}

#define TILEWISE_INSTANTIATE(T)                                                     \
  template T inner_product(const VectorView<const T>&, const VectorView<const T>&); \
  template void gemv(const MatrixView<const T>&, const VectorView<const T>&, const VectorView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
