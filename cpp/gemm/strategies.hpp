// The chapter's ways to compute C = A B, on all threads.
#pragma once

#include "gemm/plan.hpp"

namespace tilewise::gemm {

// The rows of C are contiguous if the strategy is block. If it throws std::bad_alloc, a part of C
// may be written.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const ByStrategy& plan,
         const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c);

}  // namespace tilewise::gemm
