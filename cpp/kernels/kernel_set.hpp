// What an instruction set offers to the layers above: a table of functions for each element type,
// with the arguments they take. Plain data, the same for every instruction set.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/element_types.hpp"
#include "base/types.hpp"

namespace tilewise::kernels {

// The longest sum that is added up in one go. Longer ones are cut into pieces and the pieces added,
// since a chain of additions gains a rounding a step.
constexpr index sum_block = 4096;

// One call of the micro-kernel: C (+)= A B for one tile.
template <class T>
struct GemmTile {
  index k;
  const T* a;
  index a_row_stride;
  index a_col_stride;
  const T* b;
  index b_row_stride;
  index
      b_prefetch_distance;  // from a row of B to what is prefetched: a later row, or the next panel
  T* c;
  index c_row_stride;
  int rows;
  int last_width;   // lanes in use of the last vector of a row
  bool accumulate;  // false: C is written without being read
};

// C (+)= A B for 2 to 4 columns. The rows of A and the columns of B are contiguous.
template <class T>
struct DotTiles {
  index k;
  const T* a;
  index a_row_stride;
  index rows;
  const T* b;
  index b_col_stride;
  int cols;
  T* c;
  index c_row_stride;
  index c_col_stride;
  bool accumulate;
  index prefetch_distance;  // rows from what is read to what is prefetched; 0: none
};

// C = A B for a few columns and a short k. The rows of A are contiguous; C has no gaps.
template <class T>
struct ShortK {
  index k;
  const T* a;
  index a_row_stride;
  index rows;  // at least one
  const T* b;
  index b_row_stride;
  index b_col_stride;
  index cols;
  T* c;

  // Rows of C in a vector, and of A in two of them; 0 if not even one fits.
  static TILEWISE_INLINE index rows_together(index width, index k, index cols, index a_row_stride) {
    if (k > 2 * width) return 0;
    const index of_a = (2 * width - k) / a_row_stride + 1;
    const index of_c = width / cols;
    return of_a < of_c ? of_a : of_c;
  }
};

// C = A B for few rows, rows of B no longer than a vector, and a long k. The rows of A are
// contiguous; B and C have no gaps.
template <class T>
struct LongK {
  index k;
  index beyond;  // columns of A and rows of B that exist after the k, and may be read
  const T* a;
  index a_row_stride;
  index rows;
  const T* b;
  index cols;
  T* c;
};

// A matrix of contiguous rows times a vector, or a vector times it.
template <class T>
struct Gemv {
  const T* a;
  index rows;
  index cols;
  index a_row_stride;
  const T* x;
  T* y;
  bool accumulate;
  index prefetch_distance;  // rows from what is read to what is prefetched; 0: none
};

// Rows of C that rank_k writes together: it has at least as many.
constexpr int rank_k_rows_at_once = 4;

// C = A B for k columns of A, at least one. The rows of B and C are contiguous.
template <class T>
struct RankK {
  index k;
  const T* a;
  index a_row_stride;
  index a_col_stride;
  const T* b;
  index b_row_stride;
  T* c;
  index rows;
  index cols;
  index c_row_stride;
  bool stream;  // C is too large to stay in a cache
};

// C = A B for each of `count` products of m x k and k x n, k at least one. Stacks are `*_stride`
// apart. The rows of B and C are contiguous.
template <class T>
struct TinyStack {
  index count;
  index m;
  index n;
  index k;
  const T* a;
  index a_stride;
  index a_row_stride;
  index a_col_stride;
  const T* b;
  index b_stride;
  index b_row_stride;
  T* c;
  index c_stride;
  index c_row_stride;
};

// src, rows x cols with contiguous rows, to its transpose at dst.
template <class T>
struct Transpose {
  const T* src;
  index rows;
  index cols;
  index src_stride;
  T* dst;
  index dst_stride;
};

// src to dst, of another type and the same shape. The rows of both are contiguous.
template <class From, class To>
struct Convert {
  const From* src;
  index rows;
  index cols;
  index src_stride;
  To* dst;
  index dst_stride;
  index prefetch_distance;  // elements from what is read to what is prefetched
};

// Rows of X, y and the sample weights, for SGD: rows[0], rows[1], .. or, without `rows`, the first
// ones in order. X has contiguous rows.
template <class T>
struct SgdRows {
  const T* x;
  index x_row_stride;
  index features;
  const T* y;
  index y_stride;            // from the target of a row to that of the next
  const T* sample_weights;   // may be null: all 1
  const std::int64_t* rows;  // may be null: 0, 1, 2, ..
  index available;           // rows that exist: those after the last one may be prefetched

  TILEWISE_INLINE index row(index i) const {
    return rows == nullptr ? i : static_cast<index>(rows[i]);
  }

  // Those from number `first` on.
  TILEWISE_INLINE SgdRows from(index first) const {
    SgdRows later = *this;
    later.available -= first;
    if (rows != nullptr) {
      later.rows += first;
      return later;
    }
    later.x += first * x_row_stride;
    later.y += first * y_stride;
    if (sample_weights != nullptr) later.sample_weights += first;
    return later;
  }
};

// Steps of plain SGD over the first `count` rows, in batches. The parameters, which the steps
// change, are a weight for each feature and then the bias. The gradient of a batch is cut to the
// norm 1 / inverse_clip; then weight_decay times the weights, not the bias, is added.
template <class T>
struct SgdSteps {
  SgdRows<T> rows;
  index count;
  index batch_size;
  const T* rates;  // one for each step
  T weight_decay;
  T inverse_clip;  // 0: gradients are never cut
  T* parameters;
  T* gradient;     // room for as many numbers
  T* average;      // the mean of the parameters after each of some steps; null: not kept
  index averaged;  // the steps of that mean, without those to be taken
};

// lengths[i] = |row i of A|^2. The rows are contiguous.
template <class T>
struct SquaredLengths {
  const T* a;
  index rows;
  index cols;
  index a_row_stride;
  T* lengths;
  index prefetch_distance;  // rows from what is read to what is prefetched
};

template <class T>
struct GemmKernels {
  static constexpr int max_tile_rows = 8;
  static constexpr int max_tile_vectors = 3;
  static constexpr int max_wide_rows = 4;
  using Tile = void (*)(const GemmTile<T>&);

  int width;                                      // elements in a vector
  int tile_rows;                                  // mr
  int tile_vectors;                               // nr / width
  Tile tile[max_tile_rows][max_tile_vectors][2];  // [rows - 1][vectors - 1][last one is partial]
  // For few rows of A, or null.
  Tile wide_tile[max_wide_rows + 1];  // [rows], two or more, of accumulators / rows vectors
  int dot_sums;                       // rows * cols of a dot tile at most
  void (*dot_tiles)(const DotTiles<T>&);
  // Of floating-point numbers alone, or null.
  void (*short_k)(const ShortK<T>&);
  void (*long_k)(const LongK<T>&);
  void (*rank_k)(const RankK<T>&);
  T (*dot)(index k, const T* a, index a_stride, const T* b, index b_stride);
  void (*matvec)(const Gemv<T>&);  // y = A x
  void (*vecmat)(const Gemv<T>&);  // y = x A
  void (*tiny_stack)(const TinyStack<T>&);
  void (*transpose)(const Transpose<T>&);

  int tile_cols() const { return tile_vectors * width; }  // nr
  int wide_cols(index rows) const {
    return tile_rows * tile_vectors / static_cast<int>(rows) * width;
  }
};

// For operands that are stored in fewer bits than they are computed in.
template <class Stored>
struct StoredKernels {
  using T = ComputedAs<Stored>;

  void (*widen)(const Convert<Stored, T>&);
  void (*narrow)(const Convert<T, Stored>&);  // null where the result is not stored so
};

template <class T>
struct SgdKernels {
  // gradient[j] = sum_i r_i x_ij and, after the last feature, sum_i r_i, over the first `size`
  // rows: r_i = x_i w + bias - y_i, times the row's sample weight.
  void (*gradient)(const SgdRows<T>& rows, index size, const T* parameters, T* gradient);
  void (*steps)(const SgdSteps<T>&);
  // How many steps are taken together, counted from the first row. Another count rounds otherwise,
  // so a run that is cut in pieces has the same bits if it is cut between them.
  index (*steps_together)(index features, index batch_size);
  // sum_i (predictions[i] + bias - y[i])^2
  double (*squared_error)(index count, const T* predictions, T bias, const T* y);
  void (*squared_lengths)(const SquaredLengths<T>&);
};

template <class T>
struct PeakKernels {
  T (*peak_fma)(index steps);
  int flops_in_a_step;
};

// All kernels for an element type.
template <class T>
struct Kernels : GemmKernels<T> {};

template <std::floating_point T>
struct Kernels<T> : GemmKernels<T>, SgdKernels<T>, PeakKernels<T> {};

struct KernelSetName {
  const char* name;
};

// One instruction set: its name, then the kernels for each element type.
#define TILEWISE_THEN_KERNELS(T) , Kernels<T>
#define TILEWISE_THEN_STORED_KERNELS(Stored) , StoredKernels<Stored>
struct KernelSet : KernelSetName TILEWISE_FOR_EACH_ELEMENT_TYPE(TILEWISE_THEN_KERNELS)
                       TILEWISE_FOR_EACH_STORED_TYPE(TILEWISE_THEN_STORED_KERNELS) {
  template <class T>
  const GemmKernels<T>& gemm() const {
    return *this;
  }
  template <class Stored>
  const StoredKernels<Stored>& stored() const {
    return *this;
  }
  template <class T>
  const SgdKernels<T>& sgd() const {
    return *this;
  }
  template <class T>
  const PeakKernels<T>& peak() const {
    return *this;
  }
};
#undef TILEWISE_THEN_STORED_KERNELS
#undef TILEWISE_THEN_KERNELS

}  // namespace tilewise::kernels
