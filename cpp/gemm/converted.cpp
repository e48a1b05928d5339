#include "gemm/converted.hpp"

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "gemm/copy.hpp"
#include "gemm/macro_kernel.hpp"
#include "gemm/tuning.hpp"
#include "threads/pool.hpp"
#include "threads/scratch.hpp"

namespace tilewise::gemm {
namespace {

using kernels::sum_block;

// The kernels for the type that the numbers are stored in, and for the one that they are computed
// in.
template <class Stored>
struct Both {
  using T = ComputedAs<Stored>;

  const kernels::StoredKernels<Stored>& stored = kernels::in_use().stored<Stored>();
  const kernels::GemmKernels<T>& computed = kernels::in_use().gemm<T>();
};

// src to contiguous rows of the given stride, along whichever side of src is contiguous. What is
// converted next lies behind its rows mostly.
template <class Stored>
void widen(const Both<Stored>& kernels, const MatrixView<const Stored>& src,
           ComputedAs<Stored>* dst, index dst_stride) {
  using T = ComputedAs<Stored>;
  if (src.rows_contiguous()) {
    return kernels.stored.widen(
        {src.data, src.rows, src.cols, src.row_stride, dst, dst_stride, src.rows * src.row_stride});
  }
  constexpr index strip = 64;
  if (src.cols_contiguous()) {
    constexpr index columns = 16;
    T square[columns * strip];
    for (index i = 0; i < src.rows; i += strip) {
      for (index j = 0; j < src.cols; j += columns) {
        const index rows = std::min(strip, src.rows - i);
        const index cols = std::min(columns, src.cols - j);
        kernels.stored.widen({&src(i, j), cols, rows, src.col_stride, square, strip, 0});
        kernels.computed.transpose(
            {square, cols, rows, strip, dst + i * dst_stride + j, dst_stride});
      }
    }
    return;
  }
  Stored gathered[strip];
  for (index i = 0; i < src.rows; ++i) {
    for (index j = 0; j < src.cols; j += strip) {
      const index cols = std::min(strip, src.cols - j);
      const Stored* const from = &src(i, j);
      for (index s = 0; s < cols; ++s) gathered[s] = from[s * src.col_stride];
      kernels.stored.widen({gathered, 1, cols, strip, dst + i * dst_stride + j, dst_stride, 0});
    }
  }
}

// Rows of the given stride to C, in the type of the result.
template <class Stored, class Result>
void write_result(const Both<Stored>& kernels, const ComputedAs<Stored>* src, index src_stride,
                  const MatrixView<Result>& c) {
  if constexpr (std::is_same_v<Result, ComputedAs<Stored>>) {
    copy(MatrixView<const Result>{src, c.rows, c.cols, src_stride, 1}, c);
  } else {
    if (c.rows_contiguous()) {
      return kernels.stored.narrow({src, c.rows, c.cols, src_stride, c.data, c.row_stride, 0});
    }
    constexpr index strip = 64;
    Stored piece[strip];
    for (index i = 0; i < c.rows; ++i) {
      for (index j = 0; j < c.cols; j += strip) {
        const index cols = std::min(strip, c.cols - j);
        kernels.stored.narrow({src + i * src_stride + j, 1, cols, src_stride, piece, strip, 0});
        for (index s = 0; s < cols; ++s) c(i, j + s) = piece[s];
      }
    }
  }
}

// y = A x for a piece of x, and at most a strip of rows of A, of which as many elements as the
// first cache holds are converted at a time.
template <class Stored>
void gemv_piece(const Both<Stored>& kernels, const MatrixView<const Stored>& a,
                const ComputedAs<Stored>* x, ComputedAs<Stored>* y) {
  constexpr index side = tuning::converted_gemv_side;
  constexpr index length = tuning::converted_gemv_strip;
  constexpr index stride = length + side;  // rows a power of two apart would meet in the cache
  alignas(64) ComputedAs<Stored> block[side * stride];
  if (a.cols_contiguous() && !a.rows_contiguous()) {
    for (index p = 0; p < a.cols; p += side) {
      const index cols = std::min(side, a.cols - p);
      widen(kernels, a.block(0, p, a.rows, cols).transposed(), block, stride);
      kernels.computed.vecmat({block, cols, a.rows, stride, x + p, y, p > 0, 0});
    }
    return;
  }
  for (index i = 0; i < a.rows; i += side) {
    const index rows = std::min(side, a.rows - i);
    for (index p = 0; p < a.cols; p += length) {
      const index cols = std::min(length, a.cols - p);
      widen(kernels, a.block(i, p, rows, cols), block, stride);
      kernels.computed.matvec({block, rows, cols, stride, x + p, y + i, p > 0, 0});
    }
  }
}

// C = A B, where B and C are one column, which are converted in pieces too.
template <class Stored, class Result>
void gemv(int threads, const MatrixView<const Stored>& a, const MatrixView<const Stored>& b,
          const MatrixView<Result>& c) {
  using T = ComputedAs<Stored>;
  constexpr index unit = tuning::gemv_unit_bytes / sizeof(T);
  constexpr index strip = tuning::converted_gemv_strip;
  const Both<Stored> kernels;
  const index units = ceil_div(a.rows, unit);
  const index most = std::min(index{threads} * tuning::converted_parts_a_thread, units);
  const threads::Parts parts = {threads == 1 ? 1 : static_cast<int>(most), threads};
  threads::for_each_range(units, parts, [&](index begin, index end) {
    alignas(64) T x[sum_block];
    alignas(64) T y[strip];
    alignas(64) T piece[strip];
    const index last = std::min(end * unit, a.rows);
    for (index i = begin * unit; i < last; i += strip) {
      const index rows = std::min(strip, last - i);
      for (index p = 0; p < a.cols; p += sum_block) {
        const index depth = std::min(sum_block, a.cols - p);
        widen(kernels, b.block(p, 0, depth, 1).transposed(), x, depth);
        gemv_piece(kernels, a.block(i, p, rows, depth), x, p == 0 ? y : piece);
        for (index r = 0; p > 0 && r < rows; ++r) y[r] += piece[r];
      }
      write_result(kernels, y, rows, c.block(i, 0, rows, 1).transposed());
    }
  });
}

// The blocks of a large product: how they are cut, and room for one of each operand.
struct Blocks {
  EvenSplit rows;
  EvenSplit cols;  // in vectors
  EvenSplit depth;
  index a_rows;  // of a block of A, several of which make up the rows of one of C

  index count() const { return rows.parts * cols.parts; }
};

// Blocks of C that fit the caches, and no fewer than several for each thread.
Blocks blocks_of(const Problem& problem, const Blocking& size, index tile_rows, index width,
                 int threads) {
  constexpr index side = tuning::converted_side;
  const index tiles = ceil_div(problem.m, tile_rows);
  const index vectors = ceil_div(problem.n, width);
  index rows = ceil_div(problem.m, side);
  index cols = ceil_div(vectors, side / width);
  const index wanted = threads == 1 ? 1 : threads * tuning::converted_parts_a_thread;
  while (rows * cols < wanted && rows * cols % threads != 0) {
    const bool wide = problem.n / cols > problem.m / rows;
    if (wide ? cols >= vectors : rows >= tiles) break;
    (wide ? cols : rows) += 1;
  }
  return {{problem.m, rows}, {vectors, cols}, EvenSplit::by_size(problem.k, size.kc), size.mc};
}

// Of the calling thread.
struct Buffers {
  AlignedBuffer a;
  AlignedBuffer b;
  AlignedBuffer c;
};

// As pack_b().
template <class Stored>
BBlock<ComputedAs<Stored>> widen_b(const Both<Stored>& kernels, const MatrixView<const Stored>& b,
                                   ComputedAs<Stored>* buffer) {
  using T = ComputedAs<Stored>;
  constexpr index strip = 64;
  return pack_panels(kernels.computed, b, buffer, strip,
                     [&](const MatrixView<const Stored>& rows, T* dst, index stride) {
                       widen(kernels, rows, dst, stride);
                     });
}

// For all types that are computed in T.
template <class T>
[[gnu::noinline]] void multiply_packed(const kernels::GemmKernels<T>& kernels,
                                       const MatrixView<const T>& a, const BBlock<T>& b,
                                       const MatrixView<T>& c, bool accumulate) {
  macro_kernel(kernels, unpacked_a(a, a_panels(kernels, a.rows)), b, c, accumulate);
}

// One block of C, of which a copy in the type it is computed in waits for the end of k.
template <class Stored, class Result>
void multiply_block(const Both<Stored>& kernels, const Blocks& blocks,
                    const MatrixView<const Stored>& a, const MatrixView<const Stored>& b,
                    const MatrixView<Result>& c, ComputedAs<Stored>* a_buffer,
                    ComputedAs<Stored>* b_buffer, ComputedAs<Stored>* c_buffer) {
  using T = ComputedAs<Stored>;
  const auto product = MatrixView<T>::row_major(c_buffer, c.rows, c.cols);
  const auto m_blocks = EvenSplit::by_size(c.rows, blocks.a_rows);
  for (index pc = 0; pc < blocks.depth.parts; ++pc) {
    const index p = blocks.depth.begin(pc);
    const index depth = blocks.depth.size(pc);
    const auto b_block = widen_b(kernels, b.block(p, 0, depth, b.cols), b_buffer);
    for (index ic = 0; ic < m_blocks.parts; ++ic) {
      const index row = m_blocks.begin(ic);
      const index rows = m_blocks.size(ic);
      widen(kernels, a.block(row, p, rows, depth), a_buffer, depth);
      const auto a_view = MatrixView<const T>::row_major(a_buffer, rows, depth);
      multiply_packed(kernels.computed, a_view, b_block, product.block(row, 0, rows, c.cols),
                      pc > 0);
    }
  }
  write_result(kernels, c_buffer, c.cols, c);
}

// C = A B, block by block of C. The room for each thread is had before anything is written.
template <class Stored, class Result>
void multiply_blocks(int threads, const Problem& problem, const MatrixView<const Stored>& a,
                     const MatrixView<const Stored>& b, const MatrixView<Result>& c) {
  using T = ComputedAs<Stored>;
  const Both<Stored> kernels;
  const index width = kernels.computed.width;
  const Blocks blocks = blocks_of(problem, blocking_for(kernels.computed),
                                  kernels.computed.tile_rows, width, threads);
  const index row_size = blocks.cols.largest() * width;
  const index a_size = std::min(blocks.rows.largest(), blocks.a_rows) * blocks.depth.largest();
  const index b_size = row_size * blocks.depth.largest();
  const index c_size = row_size * blocks.rows.largest();
  auto& buffers = threads::of_this_thread<Buffers>();
  const threads::Scratch<T> a_room(buffers.a, threads * a_size);
  const threads::Scratch<T> b_room(buffers.b, threads * b_size);
  const threads::Scratch<T> c_room(buffers.c, threads * c_size);
  std::atomic<index> next = 0;
  threads::for_each_part({threads, threads}, [&](int room) {
    for (index block = next++; block < blocks.count(); block = next++) {
      const index i = block / blocks.cols.parts;
      const index j = block % blocks.cols.parts;
      const index row = blocks.rows.begin(i);
      const index rows = blocks.rows.size(i);
      const index col = blocks.cols.begin(j) * width;
      const index cols = std::min(blocks.cols.size(j) * width, c.cols - col);
      multiply_block(kernels, blocks, a.block(row, 0, rows, a.cols), b.block(0, col, b.rows, cols),
                     c.block(row, col, rows, cols), a_room.data() + room * a_size,
                     b_room.data() + room * b_size, c_room.data() + room * c_size);
    }
  });
}

template <class T>
MatrixStack<T> transposed(const MatrixStack<T>& s) {
  return {s.first.transposed(), s.stride};
}

// Whether all of a stack lies as one row.
template <class T>
bool is_dense(const MatrixStack<T>& s) {
  const auto& shape = s.first;
  return shape.rows_contiguous() && (shape.rows == 1 || shape.row_stride == shape.cols) &&
         s.stride == shape.rows * shape.cols;
}

// A copy, with contiguous rows or columns.
template <class Stored>
MatrixStack<const ComputedAs<Stored>> widen_stack(const Both<Stored>& kernels, index count,
                                                  const MatrixStack<const Stored>& s,
                                                  ComputedAs<Stored>* dst) {
  using T = ComputedAs<Stored>;
  const auto& shape = s.first;
  if (!shape.rows_contiguous() && shape.cols_contiguous()) {
    return transposed(widen_stack(kernels, count, transposed(s), dst));
  }
  const index size = shape.rows * shape.cols;
  const index copies = s.stride == 0 ? 1 : count;
  if (is_dense(s)) {
    kernels.stored.widen({shape.data, 1, count * size, 0, dst, 0, 0});
  } else {
    for (index i = 0; i < copies; ++i) widen(kernels, s[i], dst + i * size, shape.cols);
  }
  return {MatrixView<const T>::row_major(dst, shape.rows, shape.cols), copies == 1 ? 0 : size};
}

// Products of which all of A, B and C is converted.
template <class Stored, class Result>
void multiply_whole(const Options& options, index count, const MatrixStack<const Stored>& a,
                    const MatrixStack<const Stored>& b, const MatrixStack<Result>& c) {
  using T = ComputedAs<Stored>;
  const Both<Stored> kernels;
  const auto& shape = c.first;
  const index size = shape.rows * shape.cols;
  auto& buffers = threads::of_this_thread<Buffers>();
  const threads::Scratch<T> a_copy(buffers.a, count * a.first.rows * a.first.cols);
  const threads::Scratch<T> b_copy(buffers.b, count * b.first.rows * b.first.cols);
  const threads::Scratch<T> c_copy(buffers.c, count * size);
  multiply_stack<T>(options, count, widen_stack(kernels, count, a, a_copy.data()),
                    widen_stack(kernels, count, b, b_copy.data()),
                    {MatrixView<T>::row_major(c_copy.data(), shape.rows, shape.cols), size});
  if (is_dense(c)) {
    return write_result(kernels, c_copy.data(), 0,
                        MatrixView<Result>::row_major(shape.data, 1, count * size));
  }
  for (index i = 0; i < count; ++i) {
    write_result(kernels, c_copy.data() + i * size, shape.cols, c[i]);
  }
}

// How many products are converted together, which depends on their shape alone. 0: none, since a
// single one is converted in pieces.
index products_together(const Options& options, const Problem& problem) {
  if (options.strategy != Strategy::full) return 1;
  const auto real = [](index size) { return static_cast<double>(size); };
  const double size = real(problem.m) * real(problem.k) + real(problem.k) * real(problem.n) +
                      real(problem.m) * real(problem.n);
  const index most = tuning::converted_together;
  if (problem.n == 1 && size > real(tuning::converted_gemv)) return 0;
  if (size <= real(most)) return most / std::max(static_cast<index>(size), index{1});
  return size <= real(tuning::converted_whole) ? 1 : 0;
}

}  // namespace

template <class Stored, class Result>
void multiply_converted_stack(const Options& options, index count,
                              const MatrixStack<const Stored>& a,
                              const MatrixStack<const Stored>& b, const MatrixStack<Result>& c) {
  using T = ComputedAs<Stored>;
  const auto& shape = c.first;
  if ((shape.rows == 1 || !shape.rows_contiguous()) && shape.cols != 1 && shape.cols_contiguous() &&
      options.strategy == Strategy::full) {
    return multiply_converted_stack(options, count, transposed(b), transposed(a), transposed(c));
  }
  const auto problem = problem_of(MatrixView<const T>::row_major(nullptr, shape.rows, a.first.cols),
                                  MatrixView<const T>::row_major(nullptr, a.first.cols, shape.cols),
                                  MatrixView<T>::row_major(nullptr, shape.rows, shape.cols));
  const Shares shares = shares_of(count, work_of(problem));
  const index together = std::min(products_together(options, problem), count);
  const index groups = together > 0 ? ceil_div(count, together) : count;
  const int most = static_cast<int>(std::min(index{shares.ranges.count}, groups));
  const threads::Parts ranges = {most, shares.ranges.threads};
  threads::for_each_range(groups, ranges, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) {
      if (together > 0) {
        const index first = i * together;
        multiply_whole<Stored, Result>(options, std::min(together, count - first),
                                       {a[first], a.stride}, {b[first], b.stride},
                                       {c[first], c.stride});
      } else if (problem.k == 0) {
        fill(c[i], Result{});
      } else if (shape.cols == 1) {
        gemv(shares.threads, a[i], b[i], c[i]);
      } else {
        multiply_blocks(shares.threads, problem, a[i], b[i], c[i]);
      }
    }
  });
}

#define TILEWISE_INSTANTIATE(Stored, Result)                                                      \
  template void multiply_converted_stack(const Options&, index, const MatrixStack<const Stored>&, \
                                         const MatrixStack<const Stored>&,                        \
                                         const MatrixStack<Result>&);
TILEWISE_INSTANTIATE(Half, Half)
TILEWISE_INSTANTIATE(BFloat16, float)
TILEWISE_INSTANTIATE(std::uint8_t, std::uint8_t)
TILEWISE_INSTANTIATE(std::uint16_t, std::uint16_t)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::gemm
