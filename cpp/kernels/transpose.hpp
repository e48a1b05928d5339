// A matrix copied to its transpose, a square of one vector by one vector at a time in registers.
#pragma once

#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// dst[j, i] = src[i, j]; the rows of both are contiguous.
template <class V>
void transpose(const Transpose<typename V::Element>& t) {
  constexpr index width = V::width;
  typename V::Reg square[width];
  for (index i = 0; i < t.rows; i += width) {
    const index rows = t.rows - i < width ? t.rows - i : width;
    for (index j = 0; j < t.cols; j += width) {
      const index cols = t.cols - j < width ? t.cols - j : width;
      const auto* src = t.src + i * t.src_stride + j;
      auto* dst = t.dst + j * t.dst_stride + i;
      if (rows == width && cols == width) {
        TILEWISE_UNROLL
        for (index r = 0; r < width; ++r) square[r] = V::load(src + r * t.src_stride);
        transpose_blocks<V>(square);
        TILEWISE_UNROLL
        for (index r = 0; r < width; ++r) V::store(dst + r * t.dst_stride, square[r]);
      } else {
        for (index r = 0; r < rows; ++r) {
          for (index c = 0; c < cols; ++c) dst[c * t.dst_stride + r] = src[r * t.src_stride + c];
        }
      }
    }
  }
}

}  // namespace tilewise::kernels
