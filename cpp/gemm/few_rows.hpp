// C = A B where A has two to four rows.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const FewRows& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
