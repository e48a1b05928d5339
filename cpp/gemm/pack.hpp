// Packing: a block of A or B copied so that the micro-kernel reads it front to back.
#pragma once

#include "base/matrix_view.hpp"
#include "base/split.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::gemm {

// A block of A cut into A-panels of at most mr rows. Packed or the caller's own.
template <class T>
struct ABlock {
  const T* data;
  EvenSplit panels;  // of the rows
  index depth;       // columns: the k of this block
  index row_stride;
  index col_stride;
  bool packed;  // each panel is packed by columns as long as it has rows; the strides are unused

  struct Panel {
    const T* data;
    index row_stride;
    index col_stride;
  };

  Panel panel(index i) const {
    const index row = panels.begin(i);
    if (packed) return {data + row * depth, 1, panels.size(i)};
    return {data + row * row_stride, row_stride, col_stride};
  }
};

// A block of B cut into B-panels of at most nr / width vectors. Packed or the caller's own.
template <class T>
struct BBlock {
  const T* data;
  EvenSplit panels;  // of the vectors in a row
  index width;       // elements in a vector
  index cols;
  index depth;  // rows: the k of this block
  index row_stride;
  bool packed;  // each panel is packed by rows of just its vectors; the stride is unused
  bool prefetch_next_panel;  // each panel is met once or twice

  struct Panel {
    const T* data;
    index row_stride;
    index vectors;
    index cols;  // less than vectors * width in the last panel only
  };

  Panel panel(index j) const {
    const index vectors = panels.size(j);
    const index col = panels.begin(j) * width;
    const index in_panel = col + vectors * width > cols ? cols - col : vectors * width;
    if (packed) return {data + col * depth, vectors * width, vectors, in_panel};
    return {data + col, row_stride, vectors, in_panel};
  }
};

template <class T>
EvenSplit a_panels(const kernels::GemmKernels<T>& kernels, index rows) {
  return EvenSplit::by_size(rows, kernels.tile_rows);
}
template <class T>
EvenSplit b_panels(const kernels::GemmKernels<T>& kernels, index cols) {
  return EvenSplit::by_size(ceil_div(cols, kernels.width), kernels.tile_vectors);
}

// The caller's own matrix as a block. B has contiguous rows.
template <class T>
ABlock<T> unpacked_a(const MatrixView<const T>& a, const EvenSplit& panels) {
  return {a.data, panels, a.cols, a.row_stride, a.col_stride, false};
}
template <class T>
BBlock<T> unpacked_b(const MatrixView<const T>& b, const EvenSplit& panels, index width,
                     bool prefetch_next_panel = false) {
  return {b.data, panels, width, b.cols, b.rows, b.row_stride, false, prefetch_next_panel};
}

// Copies src to contiguous rows of the given stride, along whichever side of src is contiguous.
template <class T>
void copy_rows(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& src, T* dst,
               index dst_stride);

// Packs a block of B by copy(rows of a panel, to, stride), a strip of rows at a time across all
// panels: the reads run along the rows of B, which the prefetchers follow, and each panel is
// written in runs.
template <class T, class From, class Copy>
BBlock<T> pack_panels(const kernels::GemmKernels<T>& kernels, const MatrixView<const From>& b,
                      T* buffer, index strip, const Copy& copy) {
  const auto panels = b_panels(kernels, b.cols);
  const index width = kernels.width;
  const BBlock<T> packed = {buffer, panels, width, b.cols, b.rows, 0, true, false};
  for (index p = 0; p < b.rows; p += strip) {
    const index rows = b.rows - p < strip ? b.rows - p : strip;
    for (index j = 0; j < panels.parts; ++j) {
      const auto panel = packed.panel(j);
      copy(b.block(p, panels.begin(j) * width, rows, panel.cols),
           buffer + (panel.data - buffer) + p * panel.row_stride, panel.row_stride);
    }
  }
  return packed;
}

// Copies to `buffer`, of at least a.rows * a.cols elements, or of b.rows times the columns of B in
// whole vectors.
template <class T>
ABlock<T> pack_a(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a, T* buffer);
template <class T>
BBlock<T> pack_b(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& b, T* buffer);

}  // namespace tilewise::gemm
