// C = A B by the five loops of BLIS (Van Zee and van de Geijn, 2015, doi:10.1145/2764454).
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

// Any shapes that fit each other, any strides; C overlaps neither A nor B. Throws std::bad_alloc
// before anything is written to C.
template <class T>
void gemm(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c);

// A product that fits the first cache and needs no copy: no plan, no packing, no threads.
template <class T>
bool is_tiny(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  constexpr index most = 64;
  return c.rows <= most && c.cols <= most && a.cols <= most && a.cols > 0 && !c.empty() &&
         b.rows_contiguous() && c.rows_contiguous();
}

}  // namespace tilewise::gemm
