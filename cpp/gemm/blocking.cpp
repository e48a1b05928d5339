#include "gemm/blocking.hpp"

#include <algorithm>

namespace tilewise::gemm {
namespace {

// The multiple of step nearest below size, at least one.
index multiple(index size, index step) { return std::max(size / step, index{1}) * step; }

}  // namespace

Blocking blocking(const cpu::Caches& caches, index tile_rows, index tile_cols, index element_size) {
  // A tile reads and writes C once for kc multiply-adds, so kc is as large as keeps the A-panel
  // (mr x kc) in a third of L1, where it waits while a row of tiles passes.
  const index kc = std::clamp(caches.l1 / (3 * tile_rows * element_size), index{192}, index{512});
  // The block of A leaves a quarter of L2 to the B-panel and to C.
  const index mc = multiple(caches.l2 * 3 / 4 / (kc * element_size), tile_rows);
  const index nc = multiple(std::min(caches.l3 / 4, index{8} << 20) / (kc * element_size), tile_cols);
  return {mc, kc, nc};
}

}  // namespace tilewise::gemm
