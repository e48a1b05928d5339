#include "gemm/strategies.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/gemv.hpp"
#include "gemm/macro_kernel.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

// A matrix times a vector within a part.
constexpr Gemv alone = {.parts = 1, .prefetch_distance = 0};

// One inner product an element: a row of A with a column of B, which strides through memory.
template <class T>
void by_element(const kernels::GemmKernels<T>& kernels, int parts, const MatrixView<const T>& a,
                const MatrixView<const T>& b, const MatrixView<T>& c) {
  threads::for_each_range(c.rows, parts, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) {
      for (index j = 0; j < c.cols; ++j) c(i, j) = inner_product(kernels, a.row(i), b.col(j));
    }
  });
}

// One matrix-vector product a column: all of A is read for each.
template <class T>
void by_column(const kernels::GemmKernels<T>& kernels, int parts, const MatrixView<const T>& a,
               const MatrixView<const T>& b, const MatrixView<T>& c) {
  threads::for_each_range(c.cols, parts, [&](index begin, index end) {
    for (index j = begin; j < end; ++j) {
      run(kernels, alone, a, b.block(0, j, b.rows, 1), c.block(0, j, c.rows, 1));
    }
  });
}

// One vector-matrix product a row: all of B is read for each.
template <class T>
void by_row(const kernels::GemmKernels<T>& kernels, int parts, const MatrixView<const T>& a,
            const MatrixView<const T>& b, const MatrixView<T>& c) {
  by_column(kernels, parts, b.transposed(), a.transposed(), c.transposed());
}

// Of the calling thread.
struct Buffers {
  AlignedBuffer b;
};

// A panel of columns at a time through the micro-kernel: all of A is read, where it lies, for each
// packed panel of B.
template <class T>
void by_block(const kernels::GemmKernels<T>& kernels, int parts, index panel_cols,
              const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  const auto k_blocks = EvenSplit::by_size(a.cols, blocking_for(kernels).kc);
  const auto panel = [&](index col, index cols) {
    const threads::Scratch<T> packed_b(threads::of_this_thread<Buffers>().b,
                                       (cols + kernels.width) * k_blocks.largest());
    for (index pc = 0; pc < k_blocks.parts; ++pc) {
      const index p = k_blocks.begin(pc);
      const index depth = k_blocks.size(pc);
      const auto a_block = unpacked_a(a.block(0, p, a.rows, depth), a_panels(kernels, a.rows));
      const auto b_block = pack_b(kernels, b.block(p, col, depth, cols), packed_b.data());
      macro_kernel(kernels, a_block, b_block, c.block(0, col, c.rows, cols), pc > 0);
    }
  };
  threads::for_each_range(ceil_div(c.cols, panel_cols), parts, [&](index begin, index end) {
    for (index j = begin; j < end; ++j) {
      panel(j * panel_cols, std::min(panel_cols, c.cols - j * panel_cols));
    }
  });
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const ByStrategy& plan,
         const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  switch (plan.options.strategy) {
    case Strategy::element: return by_element(kernels, plan.parts, a, b, c);
    case Strategy::row: return by_row(kernels, plan.parts, a, b, c);
    case Strategy::column: return by_column(kernels, plan.parts, a, b, c);
    case Strategy::block:
      return by_block(kernels, plan.parts, std::min(plan.options.block_size, c.cols), a, b, c);
    case Strategy::full: return;  // has paths of its own
  }
}

#define TILEWISE_INSTANTIATE(T)                                                                    \
  template void run(const kernels::GemmKernels<T>&, const ByStrategy&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
