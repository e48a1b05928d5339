// C = A B by the five loops of BLIS (Van Zee and van de Geijn, 2015, doi:10.1145/2764454).
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

// The rows of C are contiguous, and no side is 0. Throws std::bad_alloc before anything is written
// to C.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Blocked& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
