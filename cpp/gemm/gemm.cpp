#include "gemm/gemm.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "gemm/copy.hpp"
#include "gemm/element_types.hpp"
#include "gemm/gemv.hpp"
#include "gemm/macro_kernel.hpp"
#include "gemm/small_n.hpp"
#include "kernels/registry.hpp"
#include "threads/of_this_thread.hpp"
#include "threads/pool.hpp"

namespace tilewise::gemm {
namespace {

// Where a part of a product packs its blocks.
struct Buffers {
  AlignedBuffer a;
  AlignedBuffer b;
};

// Of the calling thread.
struct Scratch {
  std::deque<Buffers> parts;
  AlignedBuffer c;
};

// Space for the packed blocks of a part of C; null where the plan packs nothing.
template <class T>
struct Packed {
  T* a = nullptr;
  T* b = nullptr;

  // Large enough for any part of at most m rows and n columns.
  Packed(const GemmPlan& plan, index m, index n, index k, index width, Buffers& buffers) {
    const index depth = std::min(k, plan.blocking.kc);
    const index rows = std::min(m, plan.blocking.mc);
    const index cols = std::min(n, plan.blocking.nc);
    if (plan.pack_a) a = buffers.a.reserve<T>(rows * depth);
    if (plan.pack_b) b = buffers.b.reserve<T>((cols + width) * depth);
  }
};

// C = A B on one thread. The rows of C are contiguous, and no side is 0.
template <class T>
void five_loops(const kernels::GemmKernels<T>& kernels, const GemmPlan& plan,
                const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c,
                const Packed<T>& packed) {
  const Blocking& size = plan.blocking;
  const index width = kernels.width;
  const auto n_blocks = EvenSplit::by_size(ceil_div(c.cols, width), ceil_div(size.nc, width));
  const auto k_blocks = EvenSplit::by_size(a.cols, size.kc);
  const auto m_blocks = EvenSplit::by_size(c.rows, size.mc);
  for (index jc = 0; jc < n_blocks.parts; ++jc) {
    const index col = n_blocks.begin(jc) * width;
    const index cols = std::min(n_blocks.size(jc) * width, c.cols - col);
    for (index pc = 0; pc < k_blocks.parts; ++pc) {
      const index p = k_blocks.begin(pc);
      const index depth = k_blocks.size(pc);
      const auto b_view = b.block(p, col, depth, cols);
      const auto b_block =
          packed.b != nullptr
              ? pack_b(b_view, kernels.tile_vectors, width, packed.b)
              : unpacked_b(b_view, kernels.tile_vectors, width, plan.prefetch_next_panel);
      for (index ic = 0; ic < m_blocks.parts; ++ic) {
        const index row = m_blocks.begin(ic);
        const index rows = m_blocks.size(ic);
        const auto a_view = a.block(row, p, rows, depth);
        const auto a_block = packed.a != nullptr ? pack_a(a_view, kernels.tile_rows, packed.a)
                                                 : unpacked_a(a_view, kernels.tile_rows);
        macro_kernel(kernels, a_block, b_block, c.block(row, col, rows, cols), pc > 0);
      }
    }
  }
}

}  // namespace

template <class T>
void gemm_with_plan(const GemmPlan& plan, const MatrixView<const T>& a,
                    const MatrixView<const T>& b, const MatrixView<T>& c) {
  const auto& kernels = kernels::in_use().gemm<T>();
  auto& part_buffers = threads::of_this_thread<Scratch>().parts;
  if (part_buffers.empty()) part_buffers.emplace_back();
  if (plan.grid.parts() == 1) {
    const Packed<T> packed(plan, c.rows, c.cols, a.cols, kernels.width, part_buffers[0]);
    return five_loops(kernels, plan, a, b, c, packed);
  }
  const EvenSplit rows = {c.rows, plan.grid.rows};
  const EvenSplit cols = {ceil_div(c.cols, kernels.width), plan.grid.cols};  // whole vectors

  // All memory is had before anything is written.
  while (static_cast<int>(part_buffers.size()) < plan.grid.parts()) part_buffers.emplace_back();
  std::vector<Packed<T>> packed;
  for (int part = 0; part < plan.grid.parts(); ++part) {
    packed.emplace_back(plan, rows.largest(), cols.largest() * kernels.width, a.cols, kernels.width,
                        part_buffers[part]);
  }
  threads::for_each_part(plan.grid.parts(), [&](int part) {
    const index i = part / plan.grid.cols;
    const index j = part % plan.grid.cols;
    const index row = rows.begin(i);
    const index col = cols.begin(j) * kernels.width;
    const index end = j + 1 == cols.parts ? c.cols : cols.begin(j + 1) * kernels.width;
    five_loops(kernels, plan, a.block(row, 0, rows.size(i), a.cols),
               b.block(0, col, b.rows, end - col), c.block(row, col, rows.size(i), end - col),
               packed[part]);
  });
}

namespace {

// C has contiguous rows.
template <class T>
void blocked(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  const auto& kernels = kernels::in_use().gemm<T>();
  const int threads = threads_for(flops_of(c.rows, c.cols, a.cols));
  gemm_with_plan(make_plan(problem_of(a, b), kernels, threads), a, b, c);
}

}  // namespace

template <class T>
void gemm(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c) {
  const Problem problem = problem_of(a, b);
  const Path path = path_of(problem);
  if (path == Path::empty) return fill(c, T{0});
  if (path == Path::tiny && c.rows_contiguous()) {
    const auto& kernels = kernels::in_use().gemm<T>();
    return macro_kernel(kernels, unpacked_a(a, kernels.tile_rows),
                        unpacked_b(b, kernels.tile_vectors, kernels.width), c, false);
  }
  if (path == Path::vector) {
    return c.cols == 1 ? gemv(a, b.col(0), c.col(0)) : gemv(b.transposed(), a.row(0), c.row(0));
  }
  if (path == Path::outer && c.rows_contiguous()) return outer_product(a.col(0), b, c);
  if (path == Path::small_n) {
    return by_columns(problem) ? small_n(a, b, c)
                               : small_n(b.transposed(), a.transposed(), c.transposed());
  }
  if (c.rows_contiguous()) return blocked(a, b, c);
  if (c.cols_contiguous()) return blocked(b.transposed(), a.transposed(), c.transposed());
  auto& buffer = threads::of_this_thread<Scratch>().c;
  const MatrixView<T> product = {buffer.reserve<T>(c.rows * c.cols), c.rows, c.cols, c.cols, 1};
  blocked(a, b, product);
  copy(product, c);
}

#define TILEWISE_INSTANTIATE(T)                                                   \
  template void gemm_with_plan(const GemmPlan&, const MatrixView<const T>&,       \
                               const MatrixView<const T>&, const MatrixView<T>&); \
  template void gemm(const MatrixView<const T>&, const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
