// Filling and copying views of any strides.
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

template <class T>
void fill(const MatrixView<T>& dst, T value) {
  for (index i = 0; i < dst.rows; ++i) {
    for (index j = 0; j < dst.cols; ++j) dst(i, j) = value;
  }
}

template <class From, class T>
void copy(const MatrixView<From>& src, const MatrixView<T>& dst) {
  for (index i = 0; i < dst.rows; ++i) {
    for (index j = 0; j < dst.cols; ++j) dst(i, j) = src(i, j);
  }
}

}  // namespace tilewise::gemm
