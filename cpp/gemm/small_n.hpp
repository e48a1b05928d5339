// C = A B where B has few columns and the rows of A are long and contiguous.
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

// C overlaps neither A nor B. Throws std::bad_alloc before anything is written to C.
template <class T>
void small_n(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
