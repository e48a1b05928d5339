#include "gemm/stack.hpp"

#include <algorithm>
#include <atomic>
#include <new>

#include "base/split.hpp"
#include "gemm/element_types.hpp"
#include "gemm/gemm.hpp"
#include "gemm/macro_kernel.hpp"
#include "kernels/registry.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

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

// The products of a part of the stack. Tiny ones are planned once for all.
template <class T>
void multiply_range(const Options& options, index begin, index end, const MatrixStack<const T>& a,
                    const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  const bool tiny = path_of(problem_of(a.first, b.first)) == Path::tiny;
  if (options.strategy != Strategy::full || !tiny || !c.first.rows_contiguous()) {
    for (index i = begin; i < end; ++i) multiply(options, a[i], b[i], c[i]);
    return;
  }
  const auto& kernels = kernels::in_use().gemm<T>();
  auto a_block = unpacked_a(a.first, kernels.tile_rows);
  auto b_block = unpacked_b(b.first, kernels.tile_vectors, kernels.width);
  for (index i = begin; i < end; ++i) {
    a_block.data = a[i].data;
    b_block.data = b[i].data;
    macro_kernel(kernels, a_block, b_block, c[i], false);
  }
}

}  // namespace

template <class T>
void multiply_stack(const Options& options, index count, const MatrixStack<const T>& a,
                    const MatrixStack<const T>& b, const MatrixStack<T>& c) {
  if (count == 1) return multiply(options, a.first, b.first, c.first);
  if (b.stride == 0 && is_tall(a) && is_tall(c) && options.strategy == Strategy::full) {
    return multiply(options, tall(a, count), b.first, tall(c, count));  // one B for all
  }
  const double flops = flops_of(c.first.rows, c.first.cols, a.first.cols);
  const int parts = threads_for(flops * static_cast<double>(count));
  if (parts == 1 || threads_worth(flops, parts) > 1) {
    return multiply_range(options, 0, count, a, b, c);
  }

  const EvenSplit ranges = {count, std::min(index{parts}, count)};
  std::atomic<bool> out_of_memory = false;
  threads::for_each_part(static_cast<int>(ranges.parts), [&](int part) {
    try {
      multiply_range(options, ranges.begin(part), ranges.begin(part + 1), a, b, c);
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  });
  if (out_of_memory) throw std::bad_alloc();
}

#define TILEWISE_INSTANTIATE(T)                                                    \
  template void multiply_stack(const Options&, index, const MatrixStack<const T>&, \
                               const MatrixStack<const T>&, const MatrixStack<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
