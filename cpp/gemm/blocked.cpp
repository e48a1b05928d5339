#include "gemm/blocked.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/macro_kernel.hpp"
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
};

// Space for the packed blocks of a part of C; null where the plan packs nothing.
template <class T>
struct Packed {
  T* a = nullptr;
  T* b = nullptr;

  // Large enough for any part of at most m rows and n columns.
  Packed(const Blocked& plan, index m, index n, index k, index width, Buffers& buffers) {
    const index depth = std::min(k, plan.blocking.kc);
    const index rows = std::min(m, plan.blocking.mc);
    const index cols = std::min(n, plan.blocking.nc);
    if (plan.pack_a) a = buffers.a.reserve<T>(rows * depth);
    if (plan.pack_b) b = buffers.b.reserve<T>((cols + width) * depth);
  }
};

// C = A B on one thread. The rows of C are contiguous, and no side is 0.
template <class T>
void five_loops(const kernels::GemmKernels<T>& kernels, const Blocked& plan,
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
      const auto b_block = packed.b != nullptr ? pack_b(kernels, b_view, packed.b)
                                               : unpacked_b(b_view, b_panels(kernels, cols), width,
                                                            plan.prefetch_next_panel);
      for (index ic = 0; ic < m_blocks.parts; ++ic) {
        const index row = m_blocks.begin(ic);
        const index rows = m_blocks.size(ic);
        const auto a_view = a.block(row, p, rows, depth);
        const auto a_block = packed.a != nullptr ? pack_a(kernels, a_view, packed.a)
                                                 : unpacked_a(a_view, a_panels(kernels, rows));
        macro_kernel(kernels, a_block, b_block, c.block(row, col, rows, cols), pc > 0);
      }
    }
  }
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Blocked& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
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

#define TILEWISE_INSTANTIATE(T)                                                                 \
  template void run(const kernels::GemmKernels<T>&, const Blocked&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
