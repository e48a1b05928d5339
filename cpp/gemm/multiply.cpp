#include "gemm/multiply.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/blocked.hpp"
#include "gemm/copy.hpp"
#include "gemm/few_rows.hpp"
#include "gemm/gemv.hpp"
#include "gemm/long_k.hpp"
#include "gemm/macro_kernel.hpp"
#include "gemm/rank_k.hpp"
#include "gemm/short_k.hpp"
#include "gemm/small_n.hpp"
#include "gemm/strategies.hpp"
#include "gemm/tiny_stack.hpp"
#include "gemm/tuning.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

// The paths whose work is one line; the others have files of their own.

template <class T>
void run(const kernels::GemmKernels<T>&, const Empty&, const MatrixView<const T>&,
         const MatrixView<const T>&, const MatrixView<T>& c) {
  fill(c, T{0});
}

// Of the calling thread.
struct Buffers {
  AlignedBuffer c;
};

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Tiny&, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  macro_kernel(kernels, unpacked_a(a, a_panels(kernels, a.rows)),
               unpacked_b(b, b_panels(kernels, b.cols), kernels.width), c, false);
}

// Those of a stack, whose panels are cut once.
template <class T>
void run_tiny(const kernels::GemmKernels<T>& kernels, index begin, index end,
              const MatrixStack<const T>& a, const MatrixStack<const T>& b,
              const MatrixStack<T>& c) {
  auto a_block = unpacked_a(a.first, a_panels(kernels, c.first.rows));
  auto b_block = unpacked_b(b.first, b_panels(kernels, c.first.cols), kernels.width);
  for (index i = begin; i < end; ++i) {
    a_block.data = a.first.data + i * a.stride;
    b_block.data = b.first.data + i * b.stride;
    macro_kernel(kernels, a_block, b_block, c[i], false);
  }
}

template <class T>
void run_path(const kernels::GemmKernels<T>& kernels, const Plan& plan,
              const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  std::visit([&](const auto& path) { run(kernels, path, a, b, c); }, plan.path);
}

template <class T>
void run_buffered(const kernels::GemmKernels<T>& kernels, const Plan& plan,
                  const MatrixView<const T>& a, const MatrixView<const T>& b,
                  const MatrixView<T>& c) {
  if (!plan.buffered) return run_path(kernels, plan, a, b, c);
  const threads::Scratch<T> buffer(threads::of_this_thread<Buffers>().c, c.rows * c.cols);
  const auto product = MatrixView<T>::row_major(buffer.data(), c.rows, c.cols);
  run_path(kernels, plan, a, b, product);
  copy(product, c);
}

// Whether all of a stack lies as one tall matrix, each matrix below the one before.
template <class T>
bool is_tall(const MatrixStack<T>& s) {
  return s.stride == s.first.rows * s.first.row_stride;
}

template <class T>
MatrixView<T> tall(const MatrixStack<T>& s, index count) {
  MatrixView<T> matrix = s.first;
  matrix.rows *= count;
  return matrix;
}

template <class T, class Stack>
void share_stack(const Stack& plan, const kernels::GemmKernels<T>& kernels, double work,
                 index count, const MatrixStack<const T>& a, const MatrixStack<const T>& b,
                 const MatrixStack<T>& c) {
  threads::for_each_range(count, shares_of(count, work).ranges,
                          [&](index begin, index end) { run(kernels, plan, begin, end, a, b, c); });
}

template <class T>
void multiply_one(const Options& options, const MatrixView<const T>& a,
                  const MatrixView<const T>& b, const MatrixView<T>& c) {
  const auto& kernels = kernels::in_use().gemm<T>();
  const Problem problem = problem_of(a, b, c);
  const Plan plan = plan_of(options, problem, kernels);
  execute(kernels, plan, a, b, c);
}

}  // namespace

template <class T>
void execute(const kernels::GemmKernels<T>& kernels, const Plan& plan, const MatrixView<const T>& a,
             const MatrixView<const T>& b, const MatrixView<T>& c) {
  plan.transposed ? run_buffered(kernels, plan, b.transposed(), a.transposed(), c.transposed())
                  : run_buffered(kernels, plan, a, b, c);
}

template <class T>
void multiply(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  multiply_one({}, a, b, c);
}

Shares shares_of(index count, double work) {
  const int all = threads_for(work * static_cast<double>(count));
  const int of_one = threads_for(work);
  if (all == 1) return {{1, 1}, 1};
  const index rounds = ceil_div(count, all);  // in which the last one may leave threads idle
  if (count < of_one * rounds) return {{1, 1}, of_one};
  return {{static_cast<int>(std::min(index{all} * tuning::ranges_a_thread, count)), all}, 1};
}

template <class T>
void multiply_stack(const Options& options, index count, const MatrixStack<const T>& a,
                    const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  if (count == 1) return multiply_one(options, a.first, b.first, c.first);
  if (b.stride == 0 && is_tall(a) && is_tall(c) && options.strategy == Strategy::full) {
    return multiply_one(options, tall(a, count), b.first, tall(c, count));  // one B for all
  }
  Problem problem = problem_of(a.first, b.first, c.first);
  problem.symmetric &= a.stride == b.stride;
  const auto& kernels = kernels::in_use().gemm<T>();
  const StackPath path = stack_path_of(options, problem, kernels);
  if (const auto* tiny = std::get_if<TinyStack>(&path)) {
    return share_stack(*tiny, kernels, work_of(problem) + tuning::tiny_stack_flops, count, a, b, c);
  }
  if (const auto* vectors = std::get_if<VectorStack>(&path)) {
    return share_stack(*vectors, kernels, work_of(problem), count, a, b, c);
  }
  share_products<T>(options, problem, count,
                    [&](const auto&, const Plan& plan, index begin, index end) {
                      if (std::holds_alternative<Tiny>(plan.path))
                        return run_tiny(kernels, begin, end, a, b, c);
                      for (index i = begin; i < end; ++i) execute(kernels, plan, a[i], b[i], c[i]);
                    });
}

#define TILEWISE_INSTANTIATE(T)                                                                  \
  template void execute(const kernels::GemmKernels<T>&, const Plan&, const MatrixView<const T>&, \
                        const MatrixView<const T>&, const MatrixView<T>&);                       \
  template void multiply(const MatrixView<const T>&, const MatrixView<const T>&,                 \
                         const MatrixView<T>&);                                                  \
  template void multiply_stack(const Options&, index, const MatrixStack<const T>&,               \
                               const MatrixStack<const T>&, const MatrixStack<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
