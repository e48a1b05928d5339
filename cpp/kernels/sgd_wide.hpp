// Gradients of long rows. A few rows at a time are read twice: from memory, for their residuals,
// and then from L1, for the gradient.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_tuning.hpp"

namespace tilewise::kernels {

// Prefetches the rows that lie the prefetch distance ahead of a group, to L2, which takes more
// requests at once than L1: all lines of one row, then
// those of the next, since the CPU's own prefetchers follow requests in the order of the addresses.
template <class V, int Rows>
class RowPrefetcher {
 public:
  using T = typename V::Element;

  TILEWISE_INLINE RowPrefetcher(const SgdRows<T>& rows, index i, bool enabled)
      : features_(rows.features), enabled_(enabled) {
    if (!enabled_) return;
    const index distance = distance_for(rows.features);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const index row = rows.row(i + distance + r < rows.available ? i + distance + r : i + r);
      x_[r] = rows.x + row * rows.x_row_stride;
      __builtin_prefetch(x_[r] + features_ - 1, 0, 2);  // a row may end in one line more
      __builtin_prefetch(rows.y + row * rows.y_stride, 0, 3);
    }
    at_ = x_[0];
  }

  // Prefetches a few lines. Called for every vector of the features in both passes over a group, it
  // prefetches all lines of all rows.
  TILEWISE_INLINE void prefetch_some() {
    if (!enabled_) return;
    constexpr int requests = Rows * V::width / line / 2;
    TILEWISE_UNROLL
    for (int q = 0; q < (requests > 0 ? requests : 1); ++q) prefetch_line();
  }

 private:
  static constexpr int line = 64 / static_cast<int>(sizeof(T));

  static TILEWISE_INLINE index distance_for(index features) {
    const index rows = prefetch_bytes / (features * index{sizeof(T)});
    return rows < Rows ? index{Rows} : rows < max_prefetch_rows ? rows : max_prefetch_rows;
  }

  TILEWISE_INLINE void prefetch_line() {
    __builtin_prefetch(at_, 0, 2);
    at_ += line;
    if (at_ - x_[row_] < features_) return;
    row_ += row_ + 1 < Rows;
    at_ = x_[row_];
  }

  index features_;
  bool enabled_;
  const T* x_[Rows];
  int row_ = 0;
  const T* at_ = nullptr;  // the next line to prefetch
};

// Where the rows i .. i + Rows begin, their targets and their sample weights. With fewer rows than
// that, the last one is repeated.
template <class V, int Rows>
struct RowGroup {
  using T = typename V::Element;

  const T* x[Rows];
  T y[Rows];
  T sample_weight[Rows];

  TILEWISE_INLINE RowGroup(const SgdRows<T>& rows, index i, index count = Rows) {
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const index row = rows.row(i + (r < count ? r : count - 1));
      x[r] = rows.x + row * rows.x_row_stride;
      y[r] = rows.y[row * rows.y_stride];
      sample_weight[r] = rows.sample_weights == nullptr ? 1 : rows.sample_weights[row];
    }
  }
};

// sum[i] = the lanes of acc[i], added up.
template <class V, int Count>
TILEWISE_INLINE void reduce_each(const typename V::Reg (&acc)[Count], typename V::Element* sum) {
  constexpr int width = V::width;
  constexpr int side = Count <= width / 2 ? width / 2 : width;
  TILEWISE_UNROLL
  for (int first = 0; first < Count; first += side) {
    typename V::Reg some[side];
    TILEWISE_UNROLL
    for (int i = 0; i < side; ++i) some[i] = first + i < Count ? acc[first + i] : V::zero();
    V::store(sum + first, reduce_rows<V, side>(some));
  }
}

// Room for what reduce_each() stores.
template <int Count, class V>
constexpr int padded = Count + V::width;

// residual[r]: the prediction, whose products are in acc[r], less the target, times the sample
// weight.
template <class V, int Rows>
TILEWISE_INLINE void residuals_of(const SgdRows<typename V::Element>& rows,
                                  const RowGroup<V, Rows>& group,
                                  const typename V::Reg (&acc)[Rows],
                                  const typename V::Element* parameters,
                                  typename V::Element* residual) {
  reduce_each<V, Rows>(acc, residual);
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    residual[r] += parameters[rows.features] - group.y[r];
    if (rows.sample_weights != nullptr) residual[r] *= group.sample_weight[r];
  }
}

// Adds factor[r] x[r] of every row to `to`.
template <class V, int Rows>
TILEWISE_INLINE void add_rows(const RowGroup<V, Rows>& group, RowPrefetcher<V, Rows>& prefetcher,
                              index features, const typename V::Element* factor,
                              typename V::Element* to) {
  typename V::Reg factors[Rows];
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) factors[r] = V::set1(factor[r]);
  each_vector<V>(features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    prefetcher.prefetch_some();
    auto sum = v.load(to);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) sum = V::fmadd(factors[r], v.load(group.x[r]), sum);
    v.store(to, sum);
  });
}

template <class V, int Rows>
TILEWISE_INLINE void add_gradient(const SgdRows<typename V::Element>& rows, index i,
                                  const typename V::Element* parameters,
                                  typename V::Element* gradient) {
  using T = typename V::Element;
  const RowGroup<V, Rows> group(rows, i);
  RowPrefetcher<V, Rows> prefetcher(rows, i, true);
  typename V::Reg acc[Rows] = {};
  each_vector<V>(rows.features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    prefetcher.prefetch_some();
    const auto weights = v.load(parameters);
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) acc[r] = V::fmadd(v.load(group.x[r]), weights, acc[r]);
  });
  T residual[padded<Rows, V>];
  residuals_of<V, Rows>(rows, group, acc, parameters, residual);
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) gradient[rows.features] += residual[r];
  add_rows<V, Rows>(group, prefetcher, rows.features, residual, gradient);
}

template <class V>
void sgd_wide_gradient(const SgdRows<typename V::Element>& rows, index size,
                       const typename V::Element* parameters, typename V::Element* gradient) {
  for (index j = 0; j <= rows.features; ++j) gradient[j] = 0;
  index i = 0;
  for (; i + rows_at_once <= size; i += rows_at_once) {
    add_gradient<V, rows_at_once>(rows, i, parameters, gradient);
  }
  for (; i < size; ++i) add_gradient<V, 1>(rows, i, parameters, gradient);
}

}  // namespace tilewise::kernels
