// C = A B where C is a few numbers, each the sum of very many products.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

// Throws std::bad_alloc before anything is written to C.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const LongK& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
