#include "gemm/blocking.hpp"

#include <algorithm>

namespace tilewise::gemm {
namespace {

// The multiple of step nearest below size, at least one.
index multiple(index size, index step) { return std::max(size / step, index{1}) * step; }

}  // namespace

Blocking blocking(const cpu::Caches& caches, index tile_rows, index tile_cols, index element_size) {
  // A tile reads and writes C once for kc steps, so kc is as large as keeps the B-panel (kc x nr)
  // in an eighth of L2, from where it streams for every A-panel of the block.
  const index kc = std::clamp(caches.l2 / 8 / (tile_cols * element_size), index{192}, index{512});
  // The block of A is read once for each B-panel: a quarter of L2. The rest is for what passes
  // through: C, the next B-panel, and what the prefetchers bring.
  const index mc = multiple(caches.l2 / 4 / (kc * element_size), tile_rows);
  // The block of B is read once for each block of A.
  const index nc =
      multiple(std::min(caches.l3 / 4, index{8} << 20) / (kc * element_size), tile_cols);
  return {mc, kc, nc};
}

}  // namespace tilewise::gemm
