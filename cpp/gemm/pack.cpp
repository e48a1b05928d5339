#include "gemm/pack.hpp"

#include <algorithm>

#include "base/element_types.hpp"
#include "gemm/tuning.hpp"

namespace tilewise::gemm {

template <class T>
void copy_rows(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& src, T* dst,
               index dst_stride) {
  if (src.rows_contiguous()) {
    for (index i = 0; i < src.rows; ++i) std::copy_n(&src(i, 0), src.cols, dst + i * dst_stride);
    return;
  }
  if (src.cols_contiguous()) {
    return kernels.transpose({src.data, src.cols, src.rows, src.col_stride, dst, dst_stride});
  }
  // A strip of rows at a time, so that a line of src that holds several of them is read once.
  for (index i0 = 0; i0 < src.rows; i0 += tuning::pack_strip) {
    const index end = std::min(i0 + tuning::pack_strip, src.rows);
    for (index j = 0; j < src.cols; ++j) {
      for (index i = i0; i < end; ++i) dst[i * dst_stride + j] = src(i, j);
    }
  }
}

// The same where a row of src has no more than `most` elements. As many of them, the usual number,
// are copied without a call.
template <int most, class T>
void copy_short_rows(const MatrixView<const T>& src, T* dst) {
  for (index i = 0; i < src.rows; ++i) {
    const T* const row = src.data + i * src.row_stride;
    src.cols == most ? std::copy_n(row, most, dst) : std::copy_n(row, src.cols, dst);
    dst += src.cols;
  }
}

template <class T>
ABlock<T> pack_a(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& a, T* buffer) {
  const auto panels = a_panels(kernels, a.rows);
  if (a.rows_contiguous()) {
    copy_rows(kernels, a, buffer, a.cols);
    return {buffer, panels, a.cols, a.cols, 1, false};
  }
  // As in pack_panels: the reads run along the columns of A, through all panels.
  constexpr int most_rows = kernels::GemmKernels<T>::max_tile_rows;
  for (index p = 0; p < a.cols; p += tuning::pack_strip) {
    const index cols = std::min(tuning::pack_strip, a.cols - p);
    for (index i = 0; i < panels.parts; ++i) {
      const index row = panels.begin(i);
      const auto panel = a.block(row, p, panels.size(i), cols).transposed();
      T* const dst = buffer + row * a.cols + p * panel.cols;
      panel.rows_contiguous() ? copy_short_rows<most_rows>(panel, dst)
                              : copy_rows(kernels, panel, dst, panel.cols);
    }
  }
  return {buffer, panels, a.cols, 0, 0, true};
}

template <class T>
BBlock<T> pack_b(const kernels::GemmKernels<T>& kernels, const MatrixView<const T>& b, T* buffer) {
  return pack_panels(kernels, b, buffer, tuning::pack_strip,
                     [&](const MatrixView<const T>& rows, T* dst, index stride) {
                       copy_rows(kernels, rows, dst, stride);
                     });
}

#define TILEWISE_INSTANTIATE(T)                                                                   \
  template void copy_rows(const kernels::GemmKernels<T>&, const MatrixView<const T>&, T*, index); \
  template ABlock<T> pack_a(const kernels::GemmKernels<T>&, const MatrixView<const T>&, T*);      \
  template BBlock<T> pack_b(const kernels::GemmKernels<T>&, const MatrixView<const T>&, T*);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
