// Many matrices of one shape.
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

// Each is `stride` elements after the one before. The stride may be 0.
template <class T>
struct MatrixStack {
  MatrixView<T> first;
  index stride;

  MatrixView<T> operator[](index i) const {
    MatrixView<T> matrix = first;
    matrix.data += i * stride;
    return matrix;
  }

  MatrixStack transposed() const { return {first.transposed(), stride}; }
};

}  // namespace tilewise::gemm
