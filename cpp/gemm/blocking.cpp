#include "gemm/blocking.hpp"

#include <algorithm>

#include "gemm/tuning.hpp"

namespace tilewise::gemm {
namespace {

using namespace tuning;

// The multiple of step nearest below size, at least one.
index multiple(index size, index step) { return std::max(size / step, index{1}) * step; }

}  // namespace

Blocking blocking(const cpu::Caches& caches, index tile_rows, index tile_cols, index element_size) {
  // A tile reads and writes C once for kc steps, so kc is as large as keeps the B-panel (kc x nr)
  // in an eighth of L2, from where it streams for every A-panel of the block.
  const index kc = std::clamp(caches.l2 / kc_l2_share / (tile_cols * element_size), min_kc, max_kc);
  // The block of A is read once for each B-panel: a quarter of L2. The rest is for what passes
  // through: C, the next B-panel, and what the prefetchers bring.
  const index mc = multiple(caches.l2 / mc_l2_share / (kc * element_size), tile_rows);
  // The block of B is read once for each block of A.
  const index nc =
      multiple(std::min(caches.l3 / nc_l3_share, max_nc_bytes) / (kc * element_size), tile_cols);
  return {mc, kc, nc};
}

}  // namespace tilewise::gemm
