// C = A B where B has few columns and the rows of A are long and contiguous.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

// Throws std::bad_alloc before anything is written to C.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const SmallN& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
