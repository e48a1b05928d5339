// How a product will be computed: decided once, from its shape and layout, before any work.
#pragma once

#include "gemm/blocking.hpp"

namespace tilewise::gemm {

// What the plan depends on. C has contiguous rows.
struct Problem {
  index m;
  index n;
  index k;
  bool a_rows_contiguous;
  bool b_rows_contiguous;
};

// As a floating-point number, which a product of sizes does not overflow.
double flops_of(index m, index n, index k);

// How many of `most` threads this much work is worth.
int threads_worth(double flops, int most);

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
  Grid grid;
};

// The order of the additions of an element of C depends on everything here but the grid and the
// packing, so the result is bitwise the same for every number of threads.
template <class T>
GemmPlan make_plan(const Problem& problem, const kernels::KernelSet<T>& kernels, int max_threads);

}  // namespace tilewise::gemm
