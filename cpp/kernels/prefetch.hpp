// Requests to the memory.
#pragma once

#include "base/types.hpp"

namespace tilewise::kernels {

// Brings a line of each of `Rows` rows into L2, which takes more requests at once than L1: several
// rows in turn are more streams than the prefetchers of most CPUs see. What lies behind the matrix
// is never read.
//
// Kernels are compiled with it and without. A branch in their loops costs small products in the
// caches 2 to 15 % (Zen 5, GCC 12, 2026-11-29: matvec 64 x 64 4 % in float32 and 15 % in float64).
// dot_tiles alone, whose code would double, has the branch. Where they choose, prefetching is the
// unlikely way: the registers are given out well for the other then, which is the one that waits
// for no memory.
template <int Rows, class T>
TILEWISE_INLINE void prefetch_rows(const T* first, index row_stride) {
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) __builtin_prefetch(first + r * row_stride, 0, 2);
}

}  // namespace tilewise::kernels
