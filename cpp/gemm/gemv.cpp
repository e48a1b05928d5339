#include "gemm/gemv.hpp"

#include <algorithm>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "base/split.hpp"
#include "gemm/plan.hpp"
#include "kernels/registry.hpp"
#include "threads/of_this_thread.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

using kernels::sum_block;

// The threads share pieces of an inner product, and otherwise whole vectors of the result.
constexpr index longest_piece = 16 * sum_block;
template <class T>
constexpr index gemv_unit = 64 / sizeof(T);
// How far ahead of what they read the kernels prefetch rows of a matrix in memory: no less than
// they read together.
constexpr index rows_ahead = 16;

template <class T>
T product_of_piece(const VectorView<const T>& a, const VectorView<const T>& b, index i) {
  const index p = i * longest_piece;
  const auto dot = kernels::in_use().gemm<T>().dot;
  return dot(std::min(longest_piece, a.size - p), &a[p], a.stride, &b[p], b.stride);
}

template <class T>
T inner_product_of_a_thread(const VectorView<const T>& a, const VectorView<const T>& b) {
  T sum = 0;
  for (index i = 0; i * longest_piece < a.size; ++i) sum += product_of_piece(a, b, i);
  return sum;
}

// Contiguous copies, of the calling thread.
struct Scratch {
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
  constexpr index strip = 1024;
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
void gemv_by_parts(const MatrixView<const T>& a, const T* x, T* y) {
  constexpr index unit = gemv_unit<T>;
  const EvenSplit units = {ceil_div(a.rows, unit), gemv_parts<T>(a.rows, a.cols)};
  const index prefetch_distance = in_memory(a) ? rows_ahead : 0;
  threads::for_each_part(static_cast<int>(units.parts), [&](int part) {
    const index begin = units.begin(part) * unit;
    const index end = std::min((units.begin(part) + units.size(part)) * unit, a.rows);
    const auto own = a.block(begin, 0, end - begin, a.cols);
    const auto gemv_own = a.rows_contiguous() ? gemv_by_rows<T> : gemv_by_cols<T>;
    gemv_own(kernels::in_use().gemm<T>(), own, x, y + begin, prefetch_distance);
  });
}

}  // namespace

template <class T>
int gemv_parts(index rows, index cols) {
  const index units = rows == 1 ? ceil_div(cols, longest_piece) : ceil_div(rows, gemv_unit<T>);
  return parts_of(units, memory_bound * flops_of(rows, 1, cols));
}

int outer_parts(index rows, index cols) {
  return parts_of(rows, memory_bound * flops_of(rows, cols, 1));
}

template <class T>
T inner_product(const VectorView<const T>& a, const VectorView<const T>& b) {
  const index pieces = ceil_div(a.size, longest_piece);
  const EvenSplit shares = {pieces, gemv_parts<T>(1, a.size)};
  if (shares.parts == 1) return inner_product_of_a_thread(a, b);
  std::vector<T> sums(pieces);
  threads::for_each_part(static_cast<int>(shares.parts), [&](int part) {
    for (index i = shares.begin(part); i < shares.begin(part + 1); ++i) {
      sums[i] = product_of_piece(a, b, i);
    }
  });
  T sum = 0;
  for (const T term : sums) sum += term;  // in their order, whoever computed them
  return sum;
}

template <class T>
void outer_product(const VectorView<const T>& x, const MatrixView<const T>& y,
                   const MatrixView<T>& c) {
  const auto& kernels = kernels::in_use().gemm<T>();
  const EvenSplit rows = {c.rows, outer_parts(c.rows, c.cols)};
  threads::for_each_part(static_cast<int>(rows.parts), [&](int part) {
    const index i = rows.begin(part);
    kernels.outer({.x = &x[i],
                   .x_stride = x.stride,
                   .y = y.data,
                   .c = &c(i, 0),
                   .rows = rows.size(part),
                   .cols = c.cols,
                   .c_row_stride = c.row_stride,
                   .to_memory = in_memory(c)});
  });
}

template <class T>
void gemv(const MatrixView<const T>& a, const VectorView<const T>& x, const VectorView<T>& y) {
  if (a.rows == 1) {
    y[0] = inner_product(a.row(0), x);
    return;
  }
  if (!a.rows_contiguous() && !a.cols_contiguous()) {
    const EvenSplit rows = {a.rows, gemv_parts<T>(a.rows, a.cols)};
    return threads::for_each_part(static_cast<int>(rows.parts), [&](int part) {
      for (index i = rows.begin(part); i < rows.begin(part + 1); ++i) {
        y[i] = inner_product_of_a_thread(a.row(i), x);
      }
    });
  }
  const T* x_data = x.data;
  T* y_data = y.data;
  if (!y.contiguous()) y_data = threads::of_this_thread<Scratch>().y.reserve<T>(y.size);
  if (!x.contiguous()) {
    T* copied = threads::of_this_thread<Scratch>().x.reserve<T>(x.size);
    for (index p = 0; p < x.size; ++p) copied[p] = x[p];
    x_data = copied;
  }
  gemv_by_parts(a, x_data, y_data);
  if (y.contiguous()) return;
  for (index i = 0; i < y.size; ++i) y[i] = y_data[i];
}

#define TILEWISE_INSTANTIATE(T)                                                       \
  template int gemv_parts<T>(index, index);                                           \
  template T inner_product(const VectorView<const T>&, const VectorView<const T>&);   \
  template void outer_product(const VectorView<const T>&, const MatrixView<const T>&, \
                              const MatrixView<T>&);                                  \
  template void gemv(const MatrixView<const T>&, const VectorView<const T>&, const VectorView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
