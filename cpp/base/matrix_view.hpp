// Vectors and matrices that somebody else owns: any strides, counted in elements, zero and negative
// ones included.
#pragma once

#include "base/types.hpp"

namespace tilewise {

template <class T>
struct VectorView {
  T* data;
  index size;
  index stride;

  T& operator[](index i) const { return data[i * stride]; }

  bool contiguous() const { return stride == 1 || size <= 1; }
};

template <class T>
struct MatrixView {
  T* data;
  index rows;
  index cols;
  index row_stride;
  index col_stride;

  // Row by row, without gaps.
  static MatrixView row_major(T* data, index rows, index cols) {
    return {data, rows, cols, cols, 1};
  }

  T& operator()(index i, index j) const { return data[i * row_stride + j * col_stride]; }

  MatrixView block(index i, index j, index block_rows, index block_cols) const {
    return {data + i * row_stride + j * col_stride, block_rows, block_cols, row_stride, col_stride};
  }

  VectorView<T> row(index i) const { return {data + i * row_stride, cols, col_stride}; }
  VectorView<T> col(index j) const { return {data + j * col_stride, rows, row_stride}; }

  MatrixView transposed() const { return {data, cols, rows, col_stride, row_stride}; }

  // The elements of a row, or of a column, lie side by side.
  bool rows_contiguous() const { return col_stride == 1 || cols <= 1; }
  bool cols_contiguous() const { return row_stride == 1 || rows <= 1; }
};

}  // namespace tilewise
