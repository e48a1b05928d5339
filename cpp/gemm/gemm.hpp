// C = A B by the five loops of BLIS (Van Zee and van de Geijn, 2015, doi:10.1145/2764454).
#pragma once

#include "base/matrix_view.hpp"
#include "gemm/plan.hpp"

namespace tilewise::gemm {

// Any shapes that fit each other, any strides; C overlaps neither A nor B. Throws std::bad_alloc
// before anything is written to C.
template <class T>
void gemm(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c);

// The five loops with a plan of the caller's, for measuring plans. C has contiguous rows, and no
// side is 0.
template <class T>
void gemm_with_plan(const GemmPlan& plan, const MatrixView<const T>& a,
                    const MatrixView<const T>& b, const MatrixView<T>& c);

// What plans are made from.
template <class T>
Problem problem_of(const MatrixView<const T>& a, const MatrixView<const T>& b) {
  const index row_bytes = b.row_stride * static_cast<index>(sizeof(T));
  return {.m = a.rows,
          .n = b.cols,
          .k = a.cols,
          .a_rows_contiguous = a.rows_contiguous(),
          .b_rows_contiguous = b.rows_contiguous(),
          .a_cols_contiguous = a.cols_contiguous(),
          .b_cols_contiguous = b.cols_contiguous(),
          .b_spread = row_bytes % 1024 == 0 && b.row_stride != b.cols};
}

}  // namespace tilewise::gemm
