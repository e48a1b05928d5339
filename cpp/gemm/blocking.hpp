// How large the blocks of the five loops are, from the cache sizes alone.
#pragma once

#include "cpu/topology.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::gemm {

struct Blocking {
  index mc;  // rows of a packed block of A, which stays in L2
  index kc;  // depth of both packed blocks
  index nc;  // columns of a packed block of B, which stays in L3, or in L2 for few rows
};

// Depends on the caches and the tile only, never on the number of threads: the kc boundaries fix
// the order of additions, and so the result.
Blocking blocking(const cpu::Caches& caches, index tile_rows, index tile_cols, index element_size);

template <class T>
Blocking blocking_for(const kernels::GemmKernels<T>& kernels) {
  return blocking(cpu::caches(), kernels.tile_rows, kernels.tile_cols(), sizeof(T));
}

}  // namespace tilewise::gemm
