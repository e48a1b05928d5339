// C = A B, for one product and for many of one shape.
#pragma once

#include "gemm/matrix_stack.hpp"
#include "gemm/plan.hpp"
#include "kernels/registry.hpp"
#include "threads/for_each_range.hpp"

namespace tilewise::gemm {

// Executes the plan of these operands, which fit each other and have any strides; C overlaps
// neither A nor B. Throws std::bad_alloc, and then nothing is written to C, unless the plan is
// ByStrategy.
template <class T>
void execute(const kernels::GemmKernels<T>& kernels, const Plan& plan, const MatrixView<const T>& a,
             const MatrixView<const T>& b, const MatrixView<T>& c);

// Plans and executes, with the kernels in use and the threads that are free.
template <class T>
void multiply(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c);

// How `count` products of one shape are shared: by ranges of them, or each by several threads.
struct Shares {
  threads::Parts ranges;
  int threads;  // of each product
};
Shares shares_of(index count, double work);

// Calls products(kernels, plan, begin, end) for ranges that make up 0 .. count - 1, from several
// threads.
template <class T, class Products>
void share_products(const Options& options, const Problem& problem, index count,
                    const Products& products) {
  const auto& kernels = kernels::in_use().gemm<T>();
  const Shares shares = shares_of(count, work_of(problem));
  const Plan plan = plan_of(options, problem, kernels, shares.threads);
  threads::for_each_range(count, shares.ranges,
                          [&](index begin, index end) { products(kernels, plan, begin, end); });
}

// c[i] = a[i] b[i] for i = 0 .. count - 1, planned once. If it throws std::bad_alloc, some products
// may be written.
template <class T>
void multiply_stack(const Options& options, index count, const MatrixStack<const T>& a,
                    const MatrixStack<const T>& b, const MatrixStack<T>& c);

}  // namespace tilewise::gemm
