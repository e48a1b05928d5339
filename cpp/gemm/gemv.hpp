// Products with vectors, for any strides.
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

// How many threads share a matrix-vector product, and an outer product.
template <class T>
int gemv_parts(index rows, index cols);
int outer_parts(index rows, index cols);

template <class T>
T inner_product(const VectorView<const T>& a, const VectorView<const T>& b);

// y = A x. y overlaps neither A nor x. Throws std::bad_alloc before anything is written to y.
template <class T>
void gemv(const MatrixView<const T>& a, const VectorView<const T>& x, const VectorView<T>& y);

// C = x y for a column x and a row y, both of any length but 0. The rows of y and C are contiguous:
// C is written in the order of memory, which is all the work there is.
template <class T>
void outer_product(const VectorView<const T>& x, const MatrixView<const T>& y,
                   const MatrixView<T>& c);

}  // namespace tilewise::gemm
