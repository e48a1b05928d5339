#include "gemm/blocked.hpp"

#include <algorithm>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/macro_kernel.hpp"
#include "threads/pool.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

// Of the calling thread.
struct Buffers {
  AlignedBuffer packed;
};

// Space for the packed blocks of a part of C; null where the plan packs nothing.
template <class T>
struct Packed {
  T* a;
  T* b;
};

// The packed blocks of all parts, each of at most m rows and n columns: had before anything is
// written.
template <class T>
class PackedParts {
 public:
  PackedParts(const Blocked& plan, index m, index n, index k, index width)
      : a_size_(plan.pack_a ? in_pages(std::min(m, plan.blocking.mc) * depth(plan, k)) : 0),
        b_size_(plan.pack_b ? in_pages((std::min(n, plan.blocking.nc) + width) * depth(plan, k))
                            : 0),
        scratch_(threads::of_this_thread<Buffers>().packed,
                 plan.grid.parts() * (a_size_ + b_size_)) {}

  Packed<T> operator[](int part) const {
    T* const a = scratch_.data() + part * (a_size_ + b_size_);
    return {a_size_ > 0 ? a : nullptr, b_size_ > 0 ? a + a_size_ : nullptr};
  }

 private:
  static index depth(const Blocked& plan, index k) { return std::min(k, plan.blocking.kc); }
  // Whole small pages, so that no two threads write to one line.
  static index in_pages(index count) {
    constexpr index page = 4096 / sizeof(T);
    return ceil_div(count, page) * page;
  }

  index a_size_;
  index b_size_;
  threads::Scratch<T> scratch_;
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
  const EvenSplit rows = {c.rows, plan.grid.rows};
  const EvenSplit cols = {ceil_div(c.cols, kernels.width), plan.grid.cols};  // whole vectors
  const PackedParts<T> packed(plan, rows.largest(), cols.largest() * kernels.width, a.cols,
                              kernels.width);
  if (plan.grid.parts() == 1) return five_loops(kernels, plan, a, b, c, packed[0]);
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
