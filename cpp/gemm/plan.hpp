// How a product will be computed: decided once, from its shape and layout, before any work.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "base/matrix_view.hpp"
#include "gemm/blocking.hpp"
#include "gemm/tuning.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::gemm {

// The chapter's ways to compute C = A B, from one element at a time to the whole.
enum class Strategy { element, row, column, block, full };

// In the order of the enumerators.
constexpr std::array<std::string_view, 5> strategy_names = {"element", "row", "column", "block",
                                                            "full"};

std::optional<Strategy> strategy_named(std::string_view name);

// What a caller asks for.
struct Options {
  Strategy strategy = Strategy::full;
  index block_size = 64;  // columns in a panel of Strategy::block
};

// Elements from one row, and from one column, to the next.
struct Strides {
  index row;
  index col;

  Strides transposed() const { return {col, row}; }
};

// What the plan of C = A B depends on: C is m x n, A is m x k and B is k x n.
struct Problem {
  index m;
  index n;
  index k;
  Strides a;
  Strides b;
  Strides c;

  // That of C^T = B^T A^T.
  Problem transposed() const { return {n, m, k, b.transposed(), a.transposed(), c.transposed()}; }

  bool a_rows_contiguous() const { return a.col == 1 || k == 1; }
  bool b_rows_contiguous() const { return b.col == 1 || n == 1; }
  bool c_rows_contiguous() const { return c.col == 1 || n == 1; }
  bool c_cols_contiguous() const { return c.row == 1 || m == 1; }

  // Fits the first cache, where the micro-kernel can read B and write C.
  bool is_tiny() const {
    const auto is_small = [](index side) { return side > 1 && side <= tuning::tiny_side; };
    return is_small(m) && is_small(n) && k > 0 && k <= tuning::tiny_side && b_rows_contiguous() &&
           c_rows_contiguous();
  }

  // As a floating-point number, which a product of sizes does not overflow.
  double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
};

template <class T>
Problem problem_of(const MatrixView<const T>& a, const MatrixView<const T>& b,
                   const MatrixView<T>& c) {
  return {c.rows,
          c.cols,
          a.cols,
          {a.row_stride, a.col_stride},
          {b.row_stride, b.col_stride},
          {c.row_stride, c.col_stride}};
}

// The parts of C that the threads compute: a grid of rows x cols of them.
struct Grid {
  int rows;
  int cols;

  int parts() const { return rows * cols; }
};

// The paths. In their words, C is m x n: that of the caller or, if the plan is transposed, C^T.

// Nothing to add up: C is filled with zeros, or has no elements.
struct Empty {};

// Fits the first cache: straight to the micro-kernel, without packing or threads. The rows of B and
// C are contiguous.
struct Tiny {};

// One column: a matrix times a vector.
struct Gemv {
  int parts;
  index prefetch_distance;  // rows; 0: A is in a cache
};

// A few columns times a few rows: C is written row by row. The rows of C are contiguous.
struct RankK {
  int parts;
  bool pack_b;
  bool stream;  // C goes to memory
};

// Few columns, which would leave most lanes of the micro-kernel's vectors empty: tiles of inner
// products. The rows of A are contiguous.
struct SmallN {
  int parts;
  index prefetch_distance;  // rows; 0: A is in a cache, or its rows are short
};

// Two to four rows of A, and B in a cache: tiles of few rows and many columns, along the rows of B
// where it lies, on which no other A-panel waits. The rows of B and C are contiguous.
struct FewRows {
  int parts;
  index kc;
};

// The five loops of BLIS. The rows of C are contiguous.
struct Blocked {
  Blocking blocking;
  bool pack_a;
  bool pack_b;
  bool prefetch_next_panel;  // each B-panel is met once or twice, unpacked
  Grid grid;
};

// As a strategy other than full says.
struct ByStrategy {
  Options options;
  int parts;
};

using Path = std::variant<Empty, Tiny, Gemv, RankK, SmallN, FewRows, Blocked, ByStrategy>;

struct Plan {
  Path path;
  bool transposed = false;  // C^T = B^T A^T is computed
  bool buffered = false;    // C is computed elsewhere, with contiguous rows, and copied
};

// The plan for at most so many threads. The order of the additions of an element of C does not
// depend on their number, so the result is bitwise the same for every number.
template <class T>
Plan plan_of(const Options& options, const Problem& problem, const kernels::GemmKernels<T>& kernels,
             int threads);

// How many of the threads that are free so much work is worth. Asks for them only if it is more
// than one.
int threads_for(double work);

// The flops that a product takes as long as: one that waits for memory takes longer than its own.
double work_of(const Problem& problem);

// The plan for as many of the threads that are free as the product is worth.
template <class T>
Plan plan_of(const Options& options, const Problem& problem,
             const kernels::GemmKernels<T>& kernels) {
  if (options.strategy == Strategy::full && problem.is_tiny()) return {Tiny{}};
  return plan_of(options, problem, kernels, threads_for(work_of(problem)));
}

}  // namespace tilewise::gemm
