#include "gemm/strategies.hpp"

#include <algorithm>
#include <array>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/blocking.hpp"
#include "gemm/copy.hpp"
#include "gemm/gemm.hpp"
#include "gemm/gemv.hpp"
#include "gemm/macro_kernel.hpp"
#include "kernels/registry.hpp"
#include "threads/of_this_thread.hpp"

namespace tilewise::gemm {
namespace {

constexpr std::array<std::string_view, 5> names = {"element", "row", "column", "block", "full"};

// One inner product an element: a row of A with a column of B, which strides through memory.
template <class T>
void by_element(const MatrixView<const T>& a, const MatrixView<const T>& b,
                const MatrixView<T>& c) {
  for (index i = 0; i < c.rows; ++i) {
    for (index j = 0; j < c.cols; ++j) c(i, j) = inner_product(a.row(i), b.col(j));
  }
}

// One vector-matrix product a row: all of B is read for each.
template <class T>
void by_row(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  for (index i = 0; i < c.rows; ++i) gemv(b.transposed(), a.row(i), c.row(i));
}

// One matrix-vector product a column: all of A is read for each.
template <class T>
void by_column(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  for (index j = 0; j < c.cols; ++j) gemv(a, b.col(j), c.col(j));
}

// Of the calling thread.
struct Scratch {
  AlignedBuffer b;
  AlignedBuffer c;
};

// A panel of columns at a time through the micro-kernel: all of A is read, where it lies, for each
// packed panel of B.
template <class T>
void by_block(index block_size, const MatrixView<const T>& a, const MatrixView<const T>& b,
              const MatrixView<T>& c) {
  auto& buffers = threads::of_this_thread<Scratch>();
  const auto& kernels = kernels::in_use().gemm<T>();
  const index panel_cols = std::min(block_size, c.cols);
  const auto k_blocks = EvenSplit::by_size(a.cols, blocking_for(kernels).kc);
  T* const packed_b = buffers.b.reserve<T>((panel_cols + kernels.width) * k_blocks.largest());
  T* const scratch = c.rows_contiguous() ? nullptr : buffers.c.reserve<T>(c.rows * panel_cols);

  for (index col = 0; col < c.cols; col += panel_cols) {
    const index cols = std::min(panel_cols, c.cols - col);
    const auto c_panel = c.block(0, col, c.rows, cols);
    const MatrixView<T> product =
        scratch == nullptr ? c_panel : MatrixView<T>{scratch, c.rows, cols, cols, 1};
    for (index pc = 0; pc < k_blocks.parts; ++pc) {
      const index p = k_blocks.begin(pc);
      const index depth = k_blocks.size(pc);
      const auto b_panel =
          pack_b(b.block(p, col, depth, cols), kernels.tile_vectors, kernels.width, packed_b);
      const auto a_block = unpacked_a(a.block(0, p, a.rows, depth), kernels.tile_rows);
      macro_kernel(kernels, a_block, b_panel, product, pc > 0);
    }
    if (scratch != nullptr) copy(product, c_panel);
  }
}

}  // namespace

std::span<const std::string_view> strategy_names() { return names; }

std::optional<Strategy> strategy_named(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Strategy>(found - names.begin());
}

template <class T>
void multiply(const Options& options, const MatrixView<const T>& a, const MatrixView<const T>& b,
              const MatrixView<T>& c) {
  if (c.empty()) return;
  if (a.cols == 0) return fill(c, T{0});
  switch (options.strategy) {
    case Strategy::element: return by_element(a, b, c);
    case Strategy::row: return by_row(a, b, c);
    case Strategy::column: return by_column(a, b, c);
    case Strategy::block: return by_block(options.block_size, a, b, c);
    case Strategy::full: return gemm(a, b, c);
  }
}

#define TILEWISE_INSTANTIATE(T)                                                                  \
  template void multiply(const Options&, const MatrixView<const T>&, const MatrixView<const T>&, \
                         const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
