#include "gemm/long_k.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/pack.hpp"
#include "gemm/tuning.hpp"
#include "threads/for_each_range.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

using tuning::long_k_piece;
using tuning::long_k_strip;

// Of the calling thread.
struct Sums {
  AlignedBuffer c;
};

// Of each thread.
struct Buffers {
  AlignedBuffer b;
};

// The product of one piece of k, without gaps. So many steps of k come after it.
template <class T>
void product_of_piece(const kernels::GemmKernels<T>& kernels, const LongK& plan,
                      const MatrixView<const T>& a, const MatrixView<const T>& b, index later,
                      T* c) {
  const threads::Scratch<T> packed(threads::of_this_thread<Buffers>().b,
                                   plan.pack_b ? b.rows * b.cols : 0);
  if (plan.pack_b) copy_rows(kernels, b, packed.data(), b.cols);
  kernels.long_k({.k = a.cols,
                  .beyond = plan.pack_b ? 0 : later,
                  .a = a.data,
                  .a_row_stride = a.row_stride,
                  .rows = a.rows,
                  .b = plan.pack_b ? packed.data() : b.data,
                  .cols = b.cols,
                  .c = c});
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const LongK& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const index pieces = ceil_div(a.cols, long_k_piece);
  const index strips = ceil_div(c.rows, long_k_strip);
  const index size = c.rows * c.cols;
  const threads::Scratch<T> sums(threads::of_this_thread<Sums>().c, pieces * size);
  threads::for_each_range(pieces * strips, plan.parts, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) {
      const index p = i / strips * long_k_piece;
      const index row = i % strips * long_k_strip;
      const index depth = std::min(long_k_piece, a.cols - p);
      const index rows = std::min(long_k_strip, c.rows - row);
      product_of_piece(kernels, plan, a.block(row, p, rows, depth), b.block(p, 0, depth, b.cols),
                       a.cols - p - depth, sums.data() + i / strips * size + row * c.cols);
    }
  });
  for (index i = 0; i < c.rows; ++i) {
    for (index j = 0; j < c.cols; ++j) {
      const T* const terms = sums.data() + i * c.cols + j;
      T sum = terms[0];
      for (index piece = 1; piece < pieces; ++piece) sum += terms[piece * size];
      c(i, j) = sum;
    }
  }
}

#define TILEWISE_INSTANTIATE(T)                                                               \
  template void run(const kernels::GemmKernels<T>&, const LongK&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
