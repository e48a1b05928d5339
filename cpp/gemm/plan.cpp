#include "gemm/plan.hpp"

#include <algorithm>
#include <limits>

#include "base/split.hpp"
#include "gemm/element_types.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

// A thread is worth its waking, some microseconds, from about this much work on: 20 microseconds at
// 100 GFLOP/s.
constexpr double flops_worth_a_thread = 2e6;

// Cuts C along the columns first: then no part of B is packed twice, and A, which is mostly read
// where it lies, is shared. Rows are cut when the parts would be narrower than four tiles.
template <class T>
Grid make_grid(const Problem& problem, const kernels::GemmKernels<T>& kernels, int max_threads) {
  const int threads = threads_worth(flops_of(problem.m, problem.n, problem.k), max_threads);
  const index row_tiles = ceil_div(problem.m, kernels.tile_rows);
  const index col_vectors = ceil_div(problem.n, kernels.width);
  Grid best = {1, 1};
  index least_tiles = row_tiles * (col_vectors + 1);
  for (int cols = 1; cols <= std::min(index{threads}, col_vectors); ++cols) {
    const int rows = static_cast<int>(std::min(index{threads / cols}, row_tiles));
    const index part_rows = ceil_div(row_tiles, rows);
    const index part_cols = ceil_div(col_vectors, cols);
    const index narrow = part_cols < 4 * kernels.tile_vectors ? 1 : 0;
    const index tiles = part_rows * (part_cols + narrow);
    if (tiles <= least_tiles) {
      least_tiles = tiles;
      best = {rows, cols};
    }
  }
  return best;
}

}  // namespace

double flops_of(index m, index n, index k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

int threads_worth(double flops, int most) {
  return static_cast<int>(std::clamp(flops / flops_worth_a_thread, 1.0, 1.0 * most));
}

int threads_for(double flops) {
  return threads::free_threads(threads_worth(flops, std::numeric_limits<int>::max()));
}

int parts_of(index units, double flops) {
  return static_cast<int>(std::min(index{threads_for(flops)}, units));
}

template <class T>
GemmPlan make_plan(const Problem& problem, const kernels::GemmKernels<T>& kernels,
                   int max_threads) {
  const index l2 = cpu::caches().l2 / static_cast<index>(sizeof(T));
  Blocking size = blocking_for(kernels);
  const bool b_fits = problem.k * problem.n <= l2 / 2 && !problem.b_spread;
  const bool one_pass = problem.m <= 2 * kernels.tile_rows;
  // So few rows of A that all of the time goes into reading B, which is read best in long runs: a
  // short kc makes them. C, a few rows, waits in the cache meanwhile. Not more than 256 blocks,
  // since each adds a rounding.
  if (one_pass && !b_fits) size.kc = std::clamp(problem.k / 256, index{16}, size.kc);
  // With a few rows more, a block of B is packed, used and never met again: it stays in L2.
  const bool few_rows = problem.m <= 8 * kernels.tile_rows;
  if (few_rows && !one_pass) {
    const index tiles = l2 / 2 / std::min(size.kc, problem.k) / kernels.tile_cols();
    size.nc = std::max(tiles, index{1}) * kernels.tile_cols();
  }
  const bool pack_a = !problem.a_rows_contiguous && problem.m * problem.k > l2 / 2;
  // Packing costs as much as some A-panels of work, and saves some of each.
  const bool few_uses = problem.m <= 32 * kernels.tile_rows;
  const bool as_it_lies = problem.b_rows_contiguous && (one_pass || (b_fits && few_uses));
  return {size, pack_a, !as_it_lies, one_pass && !b_fits, make_grid(problem, kernels, max_threads)};
}

#define TILEWISE_INSTANTIATE(T) \
  template GemmPlan make_plan(const Problem&, const kernels::GemmKernels<T>&, int);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
