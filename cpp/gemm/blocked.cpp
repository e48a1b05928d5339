#include "gemm/blocked.hpp"

#include <algorithm>
#include <cmath>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/macro_kernel.hpp"
#include "gemm/tuning.hpp"
#include "threads/for_each_range.hpp"
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

// C = A B on one thread. The rows of C are contiguous, and no side is 0. Of a symmetric product, C
// begins at the diagonal, and what lies above it is left out.
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
        if (plan.symmetric && row + rows <= col) continue;
        const auto a_view = a.block(row, p, rows, depth);
        const auto a_block = packed.a != nullptr ? pack_a(kernels, a_view, packed.a)
                                                 : unpacked_a(a_view, a_panels(kernels, rows));
        const auto c_block = c.block(row, col, rows, cols);
        plan.symmetric
            ? macro_kernel(kernels, a_block, b_block, c_block, pc > 0, LowerTiles{row - col})
            : macro_kernel(kernels, a_block, b_block, c_block, pc > 0);
      }
    }
  }
}

// Where the vectors of C's columns are cut so that the parts of a lower triangle have equal areas:
// right of a share s of the columns lies a share (1 - s)^2 of it.
index triangle_begin(index vectors, int part, int parts) {
  const double right = static_cast<double>(parts - part) / parts;
  return vectors - std::lround(static_cast<double>(vectors) * std::sqrt(right));
}

// The parts of C: blocks of a grid, and of a symmetric product columns from the diagonal down.
struct Part {
  index row;
  index rows;
  index col;
  index cols;
};

Part part_of(const Blocked& plan, index m, index n, index width, int part) {
  const index vectors = ceil_div(n, width);
  const auto part_from = [&](index row, index rows, index begin, index end) {
    return Part{row, rows, begin * width, std::min(end * width, n) - begin * width};
  };
  if (plan.symmetric) {
    const index begin = triangle_begin(vectors, part, plan.grid.cols);
    const index end = triangle_begin(vectors, part + 1, plan.grid.cols);
    return part_from(begin * width, m - begin * width, begin, end);
  }
  const EvenSplit rows = {m, plan.grid.rows};
  const EvenSplit cols = {vectors, plan.grid.cols};  // whole vectors
  const index i = part / plan.grid.cols;
  const index j = part % plan.grid.cols;
  return part_from(rows.begin(i), rows.size(i), cols.begin(j), cols.begin(j + 1));
}

// The elements above the diagonal from those below it, a square at a time.
template <class T>
void mirror(const kernels::GemmKernels<T>& kernels, const threads::Parts& parts,
            const MatrixView<T>& c) {
  constexpr index side = tuning::mirror_side;
  threads::for_each_range(ceil_div(c.rows, side), parts, [&](index begin, index end) {
    for (index i = begin * side; i < std::min(end * side, c.rows); i += side) {
      const index rows = std::min(side, c.rows - i);
      kernels.transpose({&c(i, 0), rows, i, c.row_stride, &c(0, i), c.row_stride});
      for (index row = i; row < i + rows; ++row) {
        for (index col = i; col < row; ++col) c(col, row) = c(row, col);
      }
    }
  });
}

}  // namespace

template <class T>
void run(const kernels::GemmKernels<T>& kernels, const Blocked& plan, const MatrixView<const T>& a,
         const MatrixView<const T>& b, const MatrixView<T>& c) {
  const threads::Parts parts = {plan.grid.parts(), plan.threads};
  const auto part_at = [&](int i) { return part_of(plan, c.rows, c.cols, kernels.width, i); };
  Part largest{};
  for (int i = 0; i < parts.count; ++i) {
    largest.rows = std::max(largest.rows, part_at(i).rows);
    largest.cols = std::max(largest.cols, part_at(i).cols);
  }
  const PackedParts<T> packed(plan, largest.rows, largest.cols, a.cols, kernels.width);
  threads::for_each_part(parts, [&](int i) {
    const Part part = part_at(i);
    if (part.cols == 0) return;
    five_loops(kernels, plan, a.block(part.row, 0, part.rows, a.cols),
               b.block(0, part.col, b.rows, part.cols),
               c.block(part.row, part.col, part.rows, part.cols), packed[i]);
  });
  if (plan.symmetric) mirror(kernels, parts, c);
}

#define TILEWISE_INSTANTIATE(T)                                                                 \
  template void run(const kernels::GemmKernels<T>&, const Blocked&, const MatrixView<const T>&, \
                    const MatrixView<const T>&, const MatrixView<T>&);
TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
