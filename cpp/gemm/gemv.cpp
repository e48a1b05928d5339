#include "gemm/gemv.hpp"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/tuning.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

using kernels::sum_block;
using tuning::dot_piece;

template <class T>
T product_of_piece(const kernels::GemmKernels<T>& kernels, const VectorView<const T>& a,
                   const VectorView<const T>& b, index i) {
  const index p = i * dot_piece;
  return kernels.dot(std::min(dot_piece, a.size - p), &a[p], a.stride, &b[p], b.stride);
}

template <class T>
T shared_inner_product(const kernels::GemmKernels<T>& kernels, int parts,
                       const VectorView<const T>& a, const VectorView<const T>& b) {
  std::vector<T> sums(ceil_div(a.size, dot_piece));
  threads::for_each_range(static_cast<index>(sums.size()), parts, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) sums[i] = product_of_piece(kernels, a, b, i);
  });
  T sum = 0;
  for (const T term : sums) sum += term;  // in their order, whoever computed them
  return sum;
}

// Contiguous copies, of the calling thread.
struct Buffers {
  AlignedBuffer x;
  AlignedBuffer y;
};

// y = A x where the rows of A are contiguous, as are x and y.
template <class T>
void gemv_by_rows(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a, const T* x,
                  T* y, index prefetch_distance) {
  for (index p = 0; p < a.cols; p += sum_block) {
    const index depth = std::min(sum_block, a.cols - p);
    kernels.matvec({a.data + p, a.rows, depth, a.row_stride, x + p, y, p > 0, prefetch_distance});
  }
}

// y = A x where the columns of A are contiguous, as are x and y.
template <class T>
void gemv_by_cols(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a, const T* x,
                  T* y, index prefetch_distance) {
  if (a.cols <= sum_block) {
    return kernels.vecmat({a.data, a.cols, a.rows, a.col_stride, x, y, false, prefetch_distance});
  }
  // The pieces of long sums are added up aside, a strip of y at a time.
  constexpr index strip = tuning::gemv_strip;
  T piece[strip];
  for (index i = 0; i < a.rows; i += strip) {
    const index rows = std::min(strip, a.rows - i);
    std::fill_n(y + i, rows, T{0});
    for (index p = 0; p < a.cols; p += sum_block) {
      const index depth = std::min(sum_block, a.cols - p);
      const T* const block = a.data + i + p * a.col_stride;
      kernels.vecmat({block, depth, rows, a.col_stride, x + p, piece, false, prefetch_distance});
      for (index r = 0; r < rows; ++r) y[i + r] += piece[r];
    }
  }
}

// x and y are contiguous, and so are the rows or the columns of A. The threads take whole vectors
// of y, so that each element is computed in the same way for every number of them.
template <class T>
void gemv_by_units(const kernels::GemmKernels<T>& kernels, const Gemv& plan,
                   const MatrixView<const T>& a, const T* x, T* y) {
  constexpr index unit = tuning::gemv_unit_bytes / sizeof(T);
  threads::for_each_range(ceil_div(a.rows, unit), plan.parts, [&](index begin, index end) {
    const index row = begin * unit;
    const index rows = std::min(end * unit, a.rows) - row;
    const auto gemv = a.rows_contiguous() ? gemv_by_rows<T> : gemv_by_cols<T>;
    gemv(kernels, a.block(row, 0, rows, a.cols), x, y + row, plan.prefetch_distance);
  });
}

}  // namespace

template <class T>
T inner_product(const kernels::GemmKernels<T>& kernels, const VectorView<const T>& a,
                const VectorView<const T>& b) {
  T sum = 0;
  for (index i = 0; i * dot_piece < a.size; ++i) sum += product_of_piece(kernels, a, b, i);
  return sum;
}

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Gemv& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const VectorView<const T> x = b.col(0);
  const VectorView<T> y = c.col(0);
  if (a.rows == 1) {
    y[0] = plan.parts == 1 ? inner_product(kernels, a.row(0), x)
                           : shared_inner_product(kernels, plan.parts, a.row(0), x);
    return;
  }
  if (!a.rows_contiguous() && !a.cols_contiguous()) {
    return threads::for_each_range(a.rows, plan.parts, [&](index begin, index end) {
      for (index i = begin; i < end; ++i) y[i] = inner_product(kernels, a.row(i), x);
    });
  }
  if (x.contiguous() && y.contiguous()) return gemv_by_units(kernels, plan, a, x.data, y.data);
  auto& buffers = threads::of_this_thread<Buffers>();
  const threads::Scratch<T> x_copy(buffers.x, x.contiguous() ? 0 : x.size);
  const threads::Scratch<T> y_copy(buffers.y, y.contiguous() ? 0 : y.size);
  const T* const x_data = x.contiguous() ? x.data : x_copy.data();
  T* const y_data = y.contiguous() ? y.data : y_copy.data();
  for (index p = 0; p < x.size && !x.contiguous(); ++p) x_copy.data()[p] = x[p];
  gemv_by_units(kernels, plan, a, x_data, y_data);
  if (y.contiguous()) return;
  for (index i = 0; i < y.size; ++i) y[i] = y_data[i];
}

#define TILEWISE_INSTANTIATE(T)                                                              \
  template T inner_product(const kernels::GemmKernels<T>&, const VectorView<const T>&,       \
                           const VectorView<const T>&);                                      \
  template void run(const kernels::GemmKernels<T>&, const Gemv&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);

TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
