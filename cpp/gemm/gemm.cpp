#include "gemm/gemm.hpp"

#include "base/aligned_buffer.hpp"
#include "gemm/blocking.hpp"
#include "gemm/copy.hpp"
#include "gemm/macro_kernel.hpp"
#include "kernels/registry.hpp"

namespace tilewise::gemm {
namespace {

thread_local AlignedBuffer a_buffer;
thread_local AlignedBuffer b_buffer;
thread_local AlignedBuffer c_buffer;

// The rows of C are contiguous, and no side is 0.
template <class T>
void five_loops(const MatrixView<const T>& a, const MatrixView<const T>& b,
                const MatrixView<T>& c) {
  const auto& kernels = kernels::in_use().kernels<T>();
  const Blocking size = blocking_for(kernels);
  const auto n_blocks = EvenSplit::by_size(c.cols, size.nc);
  const auto k_blocks = EvenSplit::by_size(a.cols, size.kc);
  const auto m_blocks = EvenSplit::by_size(c.rows, size.mc);
  T* const packed_a = a_buffer.reserve<T>(m_blocks.largest() * k_blocks.largest());
  T* const packed_b =
      b_buffer.reserve<T>((n_blocks.largest() + kernels.width) * k_blocks.largest());

  for (index jc = 0; jc < n_blocks.parts; ++jc) {
    const index col = n_blocks.begin(jc);
    const index cols = n_blocks.size(jc);
    for (index pc = 0; pc < k_blocks.parts; ++pc) {
      const index p = k_blocks.begin(pc);
      const index depth = k_blocks.size(pc);
      const auto b_block =
          pack_b(b.block(p, col, depth, cols), kernels.tile_vectors, kernels.width, packed_b);
      for (index ic = 0; ic < m_blocks.parts; ++ic) {
        const index row = m_blocks.begin(ic);
        const index rows = m_blocks.size(ic);
        const auto a_block = pack_a(a.block(row, p, rows, depth), kernels.tile_rows, packed_a);
        macro_kernel(kernels, a_block, b_block, c.block(row, col, rows, cols), pc > 0);
      }
    }
  }
}

}  // namespace

template <class T>
void gemm(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  if (c.empty()) return;
  if (a.cols == 0) return fill(c, T{0});
  if (c.rows_contiguous()) return five_loops(a, b, c);
  if (c.cols_contiguous()) return five_loops(b.transposed(), a.transposed(), c.transposed());
  const MatrixView<T> product = {c_buffer.reserve<T>(c.rows * c.cols), c.rows, c.cols, c.cols, 1};
  five_loops(a, b, product);
  copy(product, c);
}

template void gemm(const MatrixView<const float>&, const MatrixView<const float>&,
                   const MatrixView<float>&);
template void gemm(const MatrixView<const double>&, const MatrixView<const double>&,
                   const MatrixView<double>&);

}  // namespace tilewise::gemm
