// How a product will be computed: decided once, from its shape and layout, before any work.
#pragma once

#include "base/matrix_view.hpp"
#include "cpu/topology.hpp"
#include "gemm/blocking.hpp"

namespace tilewise::gemm {

// What the plan depends on.
struct Problem {
  index m;
  index n;
  index k;
  bool a_rows_contiguous;
  bool b_rows_contiguous;
  bool a_cols_contiguous;
  bool b_cols_contiguous;
  // The rows of B are some multiple of 1 KiB apart, with other data between them: they would meet
  // in a few sets of the cache.
  bool b_spread;
};

enum class Path {
  empty,    // nothing to add up: C is filled with zeros, or has no elements
  tiny,     // fits the first cache and needs no copy: no plan, no packing, no threads
  vector,   // one row or one column: matrix times vector
  outer,    // one column times one row: C is written row by row
  small_n,  // few rows or few columns: tiles of inner products
  blocked,  // the five loops
};

// Few columns would leave most lanes of the micro-kernel's vectors empty. Where the rows of A are
// contiguous, vectors along k are full. With short rows the sum of the lanes costs more.
inline bool by_columns(const Problem& problem) {
  constexpr index few = 8;
  constexpr index long_rows = 64;
  return problem.n <= few && problem.k >= long_rows && problem.a_rows_contiguous;
}

// The same for the transposed product.
inline bool by_rows(const Problem& problem) {
  return by_columns({problem.n, problem.m, problem.k, problem.b_cols_contiguous,
                     problem.a_cols_contiguous, false, false, false});
}

inline Path path_of(const Problem& problem) {
  constexpr index tiny_side = 64;
  if (problem.m == 0 || problem.n == 0 || problem.k == 0) return Path::empty;
  if (problem.m == 1 || problem.n == 1) return Path::vector;
  const bool small = problem.m <= tiny_side && problem.n <= tiny_side && problem.k <= tiny_side;
  if (small && problem.b_rows_contiguous) return Path::tiny;
  if (problem.k == 1 && problem.b_rows_contiguous) return Path::outer;
  return by_columns(problem) || by_rows(problem) ? Path::small_n : Path::blocked;
}

// Whether a matrix is too large to stay in a cache, which holds other data too. An L3 of hundreds
// of MiB is that of a whole server, nearly as far away as memory: it counts as one of 32 MiB.
template <class T>
bool in_memory(const MatrixView<T>& a) {
  constexpr index mib = index{1} << 20;
  const index l3 = cpu::caches().l3 > 128 * mib ? 32 * mib : cpu::caches().l3;
  return a.rows * a.cols * static_cast<index>(sizeof(T)) > l3 / 4 * 3;
}

// As a floating-point number, which a product of sizes does not overflow.
double flops_of(index m, index n, index k);

// How many of `most` threads this much work is worth.
int threads_worth(double flops, int most);

// How many of the threads that are free now this much work is worth.
int threads_for(double flops);

// Where a multiply-add waits for its operands from a cache, it is worth as much time as so many.
constexpr double memory_bound = 4;

// How many threads share a product whose result is cut in one direction only, into at most `units`.
int parts_of(index units, double flops);

// The parts of C that the threads compute: a grid of rows x cols of them.
struct Grid {
  int rows;
  int cols;

  int parts() const { return rows * cols; }
};

struct GemmPlan {
  Blocking blocking;
  bool pack_a;
  bool pack_b;
  bool prefetch_next_panel;  // each B-panel is met once or twice: unpacked, the next one is
                             // prefetched
  Grid grid;
};

// For Path::blocked, where C has contiguous rows.
// The order of the additions of an element of C depends on everything here but the grid and the
// packing, so the result is bitwise the same for every number of threads.
template <class T>
GemmPlan make_plan(const Problem& problem, const kernels::GemmKernels<T>& kernels, int max_threads);

}  // namespace tilewise::gemm
