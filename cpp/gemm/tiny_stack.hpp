// Stacks of small products, without a plan to execute for each.
#pragma once

#include "gemm/matrix_stack.hpp"
#include "gemm/plan.hpp"

namespace tilewise::gemm {

// c[i] = a[i] b[i] for i = begin .. end - 1.
template <class T>
void run(const kernels::GemmKernels<T>& kernels, const TinyStack& plan, index begin, index end,
         const MatrixStack<const T>& a, const MatrixStack<const T>& b, const MatrixStack<T>& c);

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const VectorStack& plan, index begin, index end,
         const MatrixStack<const T>& a, const MatrixStack<const T>& b, const MatrixStack<T>& c);

}  // namespace tilewise::gemm
