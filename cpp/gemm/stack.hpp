// Many products of one shape, in one call.
#pragma once

#include "gemm/strategies.hpp"

namespace tilewise::gemm {

// Matrices of one shape, `stride` elements apart. The stride may be 0.
template <class T>
struct MatrixStack {
  MatrixView<T> first;
  index stride;

  MatrixView<T> operator[](index i) const {
    MatrixView<T> matrix = first;
    matrix.data += i * stride;
    return matrix;
  }
};

// c[i] = a[i] b[i] for i = 0 .. count - 1, with the threads across the stack where the products are
// too small to share: if one of them throws std::bad_alloc then, some products are written. As
// multiply() otherwise.
template <class T>
void multiply_stack(const Options& options, index count, const MatrixStack<const T>& a,
                    const MatrixStack<const T>& b, const MatrixStack<T>& c);

}  // namespace tilewise::gemm
