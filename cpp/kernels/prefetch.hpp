// Requests to the memory.
#pragma once

#include "base/types.hpp"

namespace tilewise::kernels {

// Brings what a later group of rows will need into L2, which takes more requests at once than L1:
// several rows in turn are more streams than the prefetchers of most CPUs see. What lies behind
// the matrix is never read.
template <class T>
TILEWISE_INLINE void prefetch(const T* p) {
  __builtin_prefetch(p, 0, 2);
}

}  // namespace tilewise::kernels
