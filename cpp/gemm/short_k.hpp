// C = A B where both B and the rows of A are a few numbers.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const ShortK& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
