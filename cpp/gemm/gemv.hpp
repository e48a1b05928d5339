// Products with vectors, and of them.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

// On the calling thread, for any strides.
template <class T>
T inner_product(const kernels::GemmKernels<T>& kernels, const VectorView<const T>& a,
                const VectorView<const T>& b);

// C = A B, where B and C are one column.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Gemv& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
