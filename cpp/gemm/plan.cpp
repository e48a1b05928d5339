#include "gemm/plan.hpp"

#include <algorithm>
#include <limits>

#include "base/element_types.hpp"
#include "base/split.hpp"
#include "cpu/topology.hpp"
#include "gemm/tuning.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

using namespace tuning;

bool is_vector(const Problem& problem) { return problem.m == 1 || problem.n == 1; }

bool is_rank_k(const Problem& problem, index width) {
  // Packing B is worth it for some rows.
  return problem.k <= rank_k_depth && 2 * problem.n > width &&
         (problem.b_rows_contiguous() || problem.m >= rank_k_pack_rows);
}

bool is_small_n(const Problem& problem) {
  return problem.n <= small_n_cols && problem.k >= small_n_depth && problem.a_rows_contiguous();
}

// Bytes of L3. That of a whole server is nearly as far away as memory, and counts as a smaller one.
index last_cache() { return cpu::caches().l3 > server_l3 ? far_l3 : cpu::caches().l3; }

// Whether so many bytes are too many to stay in a cache, which holds other data too.
bool in_memory(index bytes) { return bytes > last_cache() / 4 * 3; }

// Several parts for each thread if they are worth it: then a thread that is late, or slower than
// the others, leaves more to those.
int parts_for(double work, int threads, index most) {
  if (threads == 1) return 1;
  const double for_each = std::clamp(work / threads / extra_part_flops, 1.0, most_parts_a_thread);
  return static_cast<int>(std::min(index{threads * static_cast<int>(for_each)}, most));
}

// Cuts C along the columns first: then no part of B is packed twice, and A, which is mostly read
// where it lies, is shared. Rows are cut when the parts would be narrower than some tiles.
template <class T>
Grid make_grid(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  const index row_tiles = ceil_div(problem.m, kernels.tile_rows);
  const index col_vectors = ceil_div(problem.n, kernels.width);
  const int most = parts_for(problem.flops(), threads, row_tiles * col_vectors);
  Grid best = {1, 1};
  index least_tiles = row_tiles * (col_vectors + 1);  // of the thread that has most
  for (int cols = 1; cols <= std::min(index{most}, col_vectors); ++cols) {
    const int rows = static_cast<int>(std::min(index{most / cols}, row_tiles));
    const index part_rows = ceil_div(row_tiles, rows);
    const index part_cols = ceil_div(col_vectors, cols);
    const index narrow = part_cols < min_part_tiles * kernels.tile_vectors ? 1 : 0;
    const index rounds = ceil_div(index{rows} * cols, threads);
    const index tiles = rounds * part_rows * (part_cols + narrow);
    if (tiles <= least_tiles) {
      least_tiles = tiles;
      best = {rows, cols};
    }
  }
  return best;
}

template <class T>
Blocked blocked_of(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  constexpr index bytes = sizeof(T);
  const index b_bytes = problem.k * problem.n * bytes;
  const index l2 = cpu::caches().l2;
  Blocking size = blocking_for(kernels);
  const auto few_panels = [&](index panels) { return problem.m <= panels * kernels.tile_rows; };
  // All of the time goes into reading B from memory, which is read best in long runs: a short kc
  // makes them. C, a few rows, waits in the cache meanwhile.
  const bool one_pass = few_panels(one_pass_panels) && in_memory(b_bytes);
  if (one_pass) size.kc = std::clamp(problem.k / one_pass_blocks, min_one_pass_kc, size.kc);
  // Rows of B that meet in a few sets of the cache, with other data between them.
  const bool spread = problem.b.row * bytes % spread_bytes == 0 && problem.b.row != problem.n;
  const bool b_fits = b_bytes <= l2 / 2 && !spread;
  const bool as_it_lies =
      problem.b_rows_contiguous() && few_panels(b_fits ? fitting_b_panels : unpacked_b_panels);
  return {.blocking = size,
          .pack_a = !problem.a_rows_contiguous() && problem.m * problem.k * bytes > l2 / 2,
          .pack_b = !as_it_lies,
          .prefetch_next_panel = one_pass && as_it_lies,
          .grid = make_grid(problem, kernels, threads)};
}

// Rows, columns or panels of C, which the threads share where a strategy computes them one by one.
index units_of(const Options& options, const Problem& problem) {
  switch (options.strategy) {
    case Strategy::column: return problem.n;
    case Strategy::block: return ceil_div(problem.n, std::min(options.block_size, problem.n));
    default: return problem.m;
  }
}

template <class T>
Gemv gemv_of(const Problem& problem, int threads) {
  constexpr index size = sizeof(T);
  const index units =
      problem.m == 1 ? ceil_div(problem.k, dot_piece) : ceil_div(problem.m, gemv_unit_bytes / size);
  // The CPU's own prefetchers follow longer rows better.
  const index row = problem.a_rows_contiguous() ? problem.k : problem.m;
  const bool prefetch = row <= gemv_prefetch_row && in_memory(problem.m * problem.k * size);
  return {.parts = parts_for(work_of(problem), threads, units),
          .prefetch_distance = prefetch ? gemv_prefetch_bytes / (row * size) : 0};
}

// The path where B has few columns, if there is one.
template <class T>
std::optional<Path> path_by_columns(const Problem& problem, const kernels::GemmKernels<T>& kernels,
                                    int threads) {
  constexpr index size = sizeof(T);
  if (!is_small_n(problem)) return std::nullopt;
  const bool prefetch =
      problem.k * size >= prefetch_row_bytes && in_memory(problem.m * problem.k * size);
  return SmallN{.parts = parts_for(work_of(problem), threads, problem.m),
                .prefetch_distance = prefetch ? index{kernels.dot_rows} : 0};
}

template <class T>
bool is_few_rows(const Problem& problem, const kernels::GemmKernels<T>& kernels) {
  constexpr index size = sizeof(T);
  return problem.m <= kernels.max_wide_rows && kernels.wide_tile[problem.m] != nullptr &&
         problem.n >= kernels.wide_cols(problem.m) && problem.b_rows_contiguous() &&
         !in_memory(problem.k * problem.n * size);
}

// The path that writes contiguous rows of C.
template <class T>
Path path_by_rows(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  constexpr index size = sizeof(T);
  if (is_few_rows(problem, kernels)) {
    const index tiles = ceil_div(problem.n, index{kernels.wide_cols(problem.m)});
    return FewRows{.parts = parts_for(work_of(problem), threads, tiles),
                   .kc = blocking_for(kernels).kc};
  }
  if (!is_rank_k(problem, kernels.width)) return blocked_of(problem, kernels, threads);
  const index share = problem.k == 1 ? rank_1_l3_share : rank_k_l3_share;
  return RankK{.parts = parts_for(work_of(problem), threads, problem.m),
               .pack_b = !problem.b_rows_contiguous(),
               .stream = problem.m * problem.n * size > last_cache() / 8 * share};
}

template <class T>
Plan plan_of_full(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  const Problem other_way = problem.transposed();
  if (problem.n == 1) return {gemv_of<T>(problem, threads)};
  if (problem.m == 1) return {gemv_of<T>(other_way, threads), true};
  if (const auto path = path_by_columns(problem, kernels, threads)) return {*path};
  if (const auto path = path_by_columns(other_way, kernels, threads)) return {*path, true};
  if (!problem.c_rows_contiguous() && problem.c_cols_contiguous()) {
    return {path_by_rows(other_way, kernels, threads), true};
  }
  return {path_by_rows(problem, kernels, threads), false, !problem.c_rows_contiguous()};
}

}  // namespace

std::optional<Strategy> strategy_named(std::string_view name) {
  const auto found = std::find(strategy_names.begin(), strategy_names.end(), name);
  if (found == strategy_names.end()) return std::nullopt;
  return static_cast<Strategy>(found - strategy_names.begin());
}

double work_of(const Problem& problem) {
  if (is_vector(problem)) return memory_bound_factor * problem.flops();
  // With few steps, writing C takes longer than the flops.
  const double steps = std::max(static_cast<double>(problem.k), memory_bound_factor);
  return 2 * static_cast<double>(problem.m) * static_cast<double>(problem.n) * steps;
}

int threads_for(double work) {
  const double most = std::numeric_limits<int>::max();
  return threads::free_threads(static_cast<int>(std::min(work / thread_flops, most)));
}

template <class T>
Plan plan_of(const Options& options, const Problem& problem, const kernels::GemmKernels<T>& kernels,
             int threads) {
  if (problem.m == 0 || problem.n == 0 || problem.k == 0) return {Empty{}};
  if (options.strategy != Strategy::full) {
    const int parts = parts_for(problem.flops(), threads, units_of(options, problem));
    const bool buffered = options.strategy == Strategy::block && !problem.c_rows_contiguous();
    return {ByStrategy{options, parts}, false, buffered};
  }
  if (problem.is_tiny()) return {Tiny{}};
  return plan_of_full(problem, kernels, threads);
}

#define TILEWISE_INSTANTIATE(T) \
  template Plan plan_of(const Options&, const Problem&, const kernels::GemmKernels<T>&, int);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
