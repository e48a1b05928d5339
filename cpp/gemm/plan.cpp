#include "gemm/plan.hpp"

#include <algorithm>
#include <concepts>
#include <cstdlib>
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

template <class T>
bool is_rank_k(const Problem& problem, const kernels::GemmKernels<T>& kernels) {
  return kernels.rank_k != nullptr && problem.k <= rank_k_depth && problem.m >= rank_k_rows &&
         2 * problem.n > kernels.width;
}

bool is_small_n(const Problem& problem) {
  if (is_vector(problem) || !problem.a_rows_contiguous()) return false;
  return problem.n <= (problem.k >= small_n_depth ? small_n_cols : dot_cols);
}

// A is read in whole vectors, from one row into the next.
bool is_short_k(const Problem& problem, index width) {
  const bool without_gaps = problem.c.row == problem.n && problem.c_rows_contiguous();
  if (!without_gaps || !problem.a_rows_contiguous() || problem.a.row < problem.k) return false;
  if (problem.m < short_k_rows || 2 * problem.n > width) return false;
  const index together =
      kernels::ShortK<float>::rows_together(width, problem.k, problem.n, problem.a.row);
  const index most = problem.n <= dot_cols ? short_k_steps : short_k_most_steps;
  return problem.k <= most * together;
}

bool is_long_k(const Problem& problem, index width) {
  return problem.m <= long_k_rows && 1 < problem.n && problem.n <= width &&
         problem.k >= long_k_depth && problem.k >= long_k_depth_a_row * problem.m &&
         problem.a_rows_contiguous() && problem.b_rows_contiguous();
}

// Whether so many bytes are too many to stay in a cache. An L3 of a whole server is nearly as far
// away as memory, and counts as a smaller one.
bool in_memory(index bytes) {
  const index l3 = cpu::caches().l3 > server_l3 ? far_l3 : cpu::caches().l3;
  return bytes > l3 / 8 * in_memory_l3_share;
}

// How many parts a thread are worth it: then a thread that is late, or slower than the others,
// leaves more to those.
int parts_a_thread(double work, int threads) {
  if (threads == 1) return 1;
  return static_cast<int>(std::clamp(work / threads / extra_part_flops, 1.0, most_parts_a_thread));
}

threads::Parts parts_for(double work, int threads, index most) {
  const index wanted = index{threads} * parts_a_thread(work, threads);
  return {static_cast<int>(std::min(wanted, most)), threads};
}

// Cuts C along the columns first: then no part of B is packed twice, and A, which is mostly read
// where it lies, is shared. Rows are cut when the parts would be narrower than some tiles. More
// parts than threads come from columns alone, and only where A is not packed.
template <class T>
Grid make_grid(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads,
               bool pack_a) {
  const index row_tiles = ceil_div(problem.m, kernels.tile_rows);
  const index col_vectors = ceil_div(problem.n, kernels.width);
  const index narrow_part = min_part_tiles * kernels.tile_vectors;
  Grid best = {1, 1};
  index least_tiles = (row_tiles + 1) * (col_vectors + 1);
  for (int cols = 1; cols <= std::min(index{threads}, col_vectors); ++cols) {
    const int rows = static_cast<int>(std::min(index{threads / cols}, row_tiles));
    const index part_rows = ceil_div(row_tiles, rows);
    const index part_cols = ceil_div(col_vectors, cols);
    // Packing a panel of B takes about as long as a tile.
    const index tiles = (part_rows + 1) * (part_cols + (part_cols < narrow_part ? 1 : 0));
    if (tiles <= least_tiles) {
      least_tiles = tiles;
      best = {rows, cols};
    }
  }
  int more = pack_a ? 1 : parts_a_thread(problem.flops(), threads);
  const index narrowest = min_extra_part_tiles * kernels.tile_vectors;
  while (more > 1 && col_vectors / (best.cols * more) < narrowest) --more;
  return {best.rows, best.cols * more};
}

// Of a symmetric product columns, from the diagonal down.
template <class T>
Grid triangle_grid(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  const index vectors = ceil_div(problem.n, kernels.width);
  return {1, parts_for(problem.flops() / 2, threads, vectors).count};
}

// Whether a matrix whose vectors along k, `lines` of them, are `stride` elements apart is best read
// where it lies for a block of them: then it stays in L2, and copied it would be no nearer.
template <class T>
bool stays_in_l2(index lines, index stride, index kc) {
  const index bytes = std::abs(stride) * static_cast<index>(sizeof(T));
  return std::min(lines, kc) * bytes <= cpu::caches().l2 / 2 && bytes % spread_bytes != 0;
}

template <class T>
bool packs_a(const Problem& problem, const kernels::GemmKernels<T>& kernels, const Blocking& size) {
  if (problem.a_rows_contiguous()) return false;  // read element by element in any case
  constexpr index bytes = sizeof(T);
  if (problem.m * problem.k * bytes <= cpu::caches().l2 / 2) return false;
  if (problem.a.row != 1) return true;
  const index b_panels = ceil_div(problem.n, kernels.tile_cols());
  if (problem.symmetric && b_panels <= symmetric_pack_panels) return false;
  return !stays_in_l2<T>(problem.k, problem.a.col, size.kc);
}

template <class T>
Blocked blocked_of(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  constexpr index bytes = sizeof(T);
  const index b_bytes = problem.k * problem.n * bytes;
  const index l2 = cpu::caches().l2;
  Blocking size = blocking_for(kernels);
  // All of the time goes into reading B from memory, which is read best in long runs: a short kc
  // makes them. C, a few rows, waits in the cache meanwhile.
  const bool one_pass = problem.m <= one_pass_panels * kernels.tile_rows && in_memory(b_bytes);
  if (one_pass) {
    const index least = std::max(min_one_pass_kc, one_pass_bytes / (problem.n * bytes));
    size.kc = std::clamp(problem.k / one_pass_blocks, std::min(least, size.kc), size.kc);
  }
  // Rows of B that meet in a few sets of the cache, with other data between them.
  const bool spread = problem.b.row * bytes % spread_bytes == 0 && problem.b.row != problem.n;
  const bool pack_a = packs_a(problem, kernels, size);
  const Grid grid = problem.symmetric ? triangle_grid(problem, kernels, threads)
                                      : make_grid(problem, kernels, threads, pack_a);
  const bool near =
      (b_bytes <= l2 / 2 && !spread) || stays_in_l2<T>(problem.k, problem.b.row, size.kc);
  const index panels = ceil_div(ceil_div(problem.m, grid.rows), index{kernels.tile_rows});
  const bool as_it_lies =
      problem.b_rows_contiguous() && panels <= (near ? near_b_panels : unpacked_b_panels);
  return {.blocking = size,
          .pack_a = pack_a,
          .pack_b = !as_it_lies,
          .prefetch_next_panel = one_pass && as_it_lies,
          .grid = grid,
          .threads = threads,
          .symmetric = problem.symmetric};
}

// What computing a product in one call for many costs, in multiply-adds of a vector; nothing where
// it is too large for that, or lies otherwise.
std::optional<index> tiny_stack_steps(const Problem& problem, index width) {
  const index vectors = ceil_div(problem.n, width);
  if (problem.k > tiny_side || vectors > tiny_stack_vectors || problem.m > tiny_stack_vectors ||
      problem.m * vectors > tiny_stack_vectors || !problem.c_rows_contiguous()) {
    return std::nullopt;
  }
  const index steps = problem.m * vectors * problem.k;
  const index most = problem.n == 1 ? tiny_stack_lane_steps : tiny_stack_vector_steps;
  if (is_vector(problem) && steps > most) return std::nullopt;
  if (problem.b_rows_contiguous()) return steps;
  const index copied = problem.k * problem.n;
  return copied <= tiny_stack_copied ? std::optional(steps + 2 * copied) : std::nullopt;
}

template <class T>
bool is_vector_stack(const Problem& problem) {
  const bool one_call = problem.n == 1 && problem.k <= kernels::sum_block &&
                        !in_memory(problem.m * problem.k * static_cast<index>(sizeof(T)));
  const bool contiguous_x = problem.b.row == 1 || problem.k == 1;
  const bool contiguous_a = problem.a_rows_contiguous() || problem.a.row == 1;
  return one_call && contiguous_x && contiguous_a && problem.c_cols_contiguous();
}

// What the threads share where a strategy computes rows, columns or panels of C one by one.
ByStrategy by_strategy(const Options& options, const Problem& problem, int threads) {
  const bool panels = options.strategy == Strategy::block;
  const bool by_columns = panels || options.strategy == Strategy::column;
  const index width = panels ? std::min(options.block_size, problem.n) : 1;
  const index units = by_columns ? ceil_div(problem.n, width) : problem.m;
  return {options, parts_for(problem.flops(), threads, units), by_columns};
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
  const double work = work_of(problem);
  if constexpr (std::floating_point<T>) {
    if (is_long_k(problem, kernels.width)) {
      const index pieces = ceil_div(problem.k, long_k_piece) * ceil_div(problem.m, long_k_strip);
      return LongK{.parts = parts_for(work, threads, pieces), .pack_b = problem.b.row != problem.n};
    }
    if (is_short_k(problem, kernels.width)) {
      return ShortK{.parts = parts_for(work, threads, ceil_div(problem.m, short_k_rows))};
    }
  }
  if (!is_small_n(problem)) return std::nullopt;
  constexpr index size = sizeof(T);
  const index tile_cols = ceil_div(problem.n, ceil_div(problem.n, dot_cols));
  const index tile_rows = kernels.dot_sums / tile_cols;
  const bool prefetch =
      problem.k * size >= prefetch_row_bytes && in_memory(problem.m * problem.k * size);
  return SmallN{.parts = parts_for(work, threads, ceil_div(problem.m, tile_rows)),
                .tile_rows = tile_rows,
                .tile_cols = tile_cols,
                .pack_b = !problem.b_cols_contiguous(),
                .prefetch_distance = prefetch ? tile_rows : 0};
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
  if (!is_rank_k(problem, kernels)) return blocked_of(problem, kernels, threads);
  return RankK{
      .parts = parts_for(work_of(problem), threads, problem.m / rank_k_rows),
      .pack_b = !problem.b_rows_contiguous(),
      .stream = problem.k <= rank_k_stream_depth && in_memory(problem.m * problem.n * size)};
}

// Whether C^T = B^T A^T is computed though its rows are not contiguous: of a tall A that lies by
// columns and a B of few columns. The rows of A^T are read where they lie, and fill vectors that
// rows of B would leave partly empty.
template <class T>
bool fills_vectors_better(const Problem& problem, const Problem& other_way,
                          const kernels::GemmKernels<T>& kernels) {
  if (problem.k <= short_depth || !other_way.b_rows_contiguous()) return false;
  if (blocked_of(other_way, kernels, 1).pack_b) return false;
  const index steps = problem.m * ceil_div(problem.n, index{kernels.width});
  const index other_steps = problem.n * ceil_div(problem.m, index{kernels.width});
  const bool saves_packing = blocked_of(problem, kernels, 1).pack_a;
  return saves_packing ? 8 * other_steps <= 9 * steps : 4 * other_steps <= 3 * steps;
}

template <class T>
Plan plan_of_full(const Problem& problem, const kernels::GemmKernels<T>& kernels, int threads) {
  const Problem other_way = problem.transposed();
  if (const auto path = path_by_columns(problem, kernels, threads)) return {*path};
  if (const auto path = path_by_columns(other_way, kernels, threads)) return {*path, true};
  if (problem.n == 1) return {gemv_of<T>(problem, threads)};
  if (problem.m == 1) return {gemv_of<T>(other_way, threads), true};
  if (!problem.c_rows_contiguous() && problem.c_cols_contiguous()) {
    return {path_by_rows(other_way, kernels, threads), true};
  }
  if (fills_vectors_better(problem, other_way, kernels)) {
    return {path_by_rows(other_way, kernels, threads), true, !problem.c_cols_contiguous()};
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
  // Of few flops for each element of A, B and C, these take longer to read and write.
  const auto m = static_cast<double>(problem.m);
  const auto n = static_cast<double>(problem.n);
  const auto k = static_cast<double>(problem.k);
  return std::max(problem.flops(), 2 * memory_bound_factor * (m * k + k * n + m * n));
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
    const bool buffered = options.strategy == Strategy::block && !problem.c_rows_contiguous();
    return {by_strategy(options, problem, threads), false, buffered};
  }
  if (problem.is_tiny()) return {Tiny{}};
  return plan_of_full(problem, kernels, threads);
}

template <class T>
StackPath stack_path_of(const Options& options, const Problem& problem,
                        const kernels::GemmKernels<T>& kernels) {
  if (options.strategy != Strategy::full || problem.m == 0 || problem.n == 0 || problem.k == 0) {
    return {};
  }
  const Problem other_way = problem.transposed();
  const auto steps = tiny_stack_steps(problem, kernels.width);
  const auto other_steps = tiny_stack_steps(other_way, kernels.width);
  if (other_steps && (!steps || *other_steps < *steps)) {
    return TinyStack{.transposed = true, .pack_b = !other_way.b_rows_contiguous()};
  }
  if (steps) return TinyStack{.transposed = false, .pack_b = !problem.b_rows_contiguous()};
  if (is_vector_stack<T>(problem)) return VectorStack{.transposed = false};
  if (is_vector_stack<T>(other_way)) return VectorStack{.transposed = true};
  return {};
}

#define TILEWISE_INSTANTIATE(T)                                                               \
  template Plan plan_of(const Options&, const Problem&, const kernels::GemmKernels<T>&, int); \
  template StackPath stack_path_of(const Options&, const Problem&, const kernels::GemmKernels<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
