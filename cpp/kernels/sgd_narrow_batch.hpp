// SGD on rows of few features: a row, with a 1 after it for the bias, is one vector at most. The
// rows of a group are transposed in registers: they lie in the lanes then, and no step waits for
// the sum over a single row.
#pragma once

#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// The masks of a row, and the 1 that follows its features.
template <class V>
struct NarrowShape {
  typename V::Mask features;
  typename V::Mask parameters;  // the features and the bias
  typename V::Reg bias;         // 1 in its lane
  typename V::Reg of_features;  // 1 in their lanes

  explicit TILEWISE_INLINE NarrowShape(index count)
      : features(V::first(static_cast<int>(count))),
        parameters(V::first(static_cast<int>(count) + 1)) {
    typename V::Element lane[V::width] = {};
    lane[count] = 1;
    bias = V::load(lane);
    for (index j = 0; j < count; ++j) lane[j] = 1;
    lane[count] = 0;
    of_features = V::load(lane);
  }
};

// Row i, and after its last feature what `bias` has there: 1, unless it is given.
template <class V>
TILEWISE_INLINE typename V::Reg load_row(const SgdRows<typename V::Element>& rows, index i,
                                         const NarrowShape<V>& shape, const typename V::Reg& bias) {
  return V::load(rows.x + rows.row(i) * rows.x_row_stride, shape.features, bias);
}

template <class V>
TILEWISE_INLINE typename V::Reg load_row(const SgdRows<typename V::Element>& rows, index i,
                                         const NarrowShape<V>& shape) {
  return load_row<V>(rows, i, shape, shape.bias);
}

// The elements of `values`, which has one for each row, `stride` apart, of the rows i .. i + count.
// Built up in a register: a vector cannot be loaded at once from where single numbers were stored.
template <class V>
[[gnu::noinline]] typename V::Reg gather_values(const SgdRows<typename V::Element>& rows, index i,
                                                int count, const typename V::Element* values,
                                                index stride) {
  const bool in_order = rows.rows == nullptr;
  typename V::Reg lanes = {};
  TILEWISE_UNROLL
  for (int r = 0; r < V::width; ++r) {
    if (r < count) lanes[r] = values[(in_order ? i + r : rows.row(i + r)) * stride];
  }
  return lanes;
}

template <class V>
TILEWISE_INLINE typename V::Reg load_values(const SgdRows<typename V::Element>& rows, index i,
                                            int count, const typename V::Element* values,
                                            index stride) {
  if (rows.rows != nullptr || stride != 1) return gather_values<V>(rows, i, count, values, stride);
  return V::load(values + i, V::first(count), V::zero());
}

template <class V>
TILEWISE_INLINE typename V::Reg load_targets(const SgdRows<typename V::Element>& rows, index i,
                                             int count) {
  return load_values<V>(rows, i, count, rows.y, rows.y_stride);
}

template <class V>
TILEWISE_INLINE typename V::Reg load_sample_weights(const SgdRows<typename V::Element>& rows,
                                                    index i, int count) {
  return load_values<V>(rows, i, count, rows.sample_weights, 1);
}

// The first Count lanes of all rows as columns: lane i of column[j] is lane j of row[i].
template <class V, int Count, int Rows = V::width>
TILEWISE_INLINE void to_columns(typename V::Reg (&row)[V::width],
                                typename V::Reg (&column)[Count]) {
  if constexpr (Rows > Count) {
    constexpr int half = Rows / 2;
    TILEWISE_UNROLL
    for (int i = 0; i < half; ++i) {
      exchange<half>(row[i], row[i + half], std::make_index_sequence<V::width>());
    }
    to_columns<V, Count, half>(row, column);
  } else {
    TILEWISE_UNROLL
    for (int i = 0; i < Count; ++i) column[i] = row[i];
    transpose_blocks<V, Count>(column);
  }
}

// The predictions for a group of rows, less their targets.
template <class V, int Count>
TILEWISE_INLINE typename V::Reg residuals_of(const typename V::Reg (&column)[Count],
                                             const typename V::Reg& parameters,
                                             const typename V::Reg& targets) {
  typename V::Reg sum[2] = {-targets, V::zero()};
  each_index<Count>([&](auto column_index) TILEWISE_INLINE_LAMBDA {
    constexpr int j = decltype(column_index)::value;
    sum[j % 2] = V::fmadd(broadcast_lane<j, V>(parameters), column[j], sum[j % 2]);
  });
  return sum[0] + sum[1];
}

// Adds the gradient of the rows i .. i + count, lane by lane: the sum over the lanes is left for
// later. With Full the count is a whole vector.
template <class V, int Count, bool Full>
TILEWISE_INLINE void add_group(const SgdRows<typename V::Element>& rows, index i, int count,
                               const NarrowShape<V>& shape, const typename V::Reg& parameters,
                               typename V::Reg (&gradient)[Count]) {
  typename V::Reg row[V::width];
  typename V::Reg column[Count];
  TILEWISE_UNROLL
  for (int r = 0; r < V::width; ++r) {
    row[r] = Full || r < count ? load_row<V>(rows, i + r, shape) : V::zero();
  }
  to_columns<V, Count>(row, column);
  const int values = Full ? V::width : count;
  auto residuals = residuals_of<V, Count>(column, parameters, load_targets<V>(rows, i, values));
  if (rows.sample_weights != nullptr) residuals *= load_sample_weights<V>(rows, i, values);
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) gradient[j] = V::fmadd(residuals, column[j], gradient[j]);
}

// The gradient of the rows begin .. end: the weights' and then the bias'. Long code, in one place.
template <class V, int Count>
[[gnu::noinline]] typename V::Reg narrow_gradient(const SgdRows<typename V::Element>& rows,
                                                  index begin, index end,
                                                  const NarrowShape<V>& shape,
                                                  typename V::Reg parameters) {
  typename V::Reg gradient[Count] = {};
  index i = begin;
  for (; i + V::width <= end; i += V::width) {
    add_group<V, Count, true>(rows, i, V::width, shape, parameters, gradient);
  }
  if (i < end) {
    add_group<V, Count, false>(rows, i, static_cast<int>(end - i), shape, parameters, gradient);
  }
  return reduce_rows<V, Count>(gradient);
}

// What the steps change, in registers.
template <class V>
struct NarrowState {
  typename V::Reg parameters;
  typename V::Reg average;
  index averaged;  // steps

  // Takes in the parameters after each of `count` steps, which add up to `sum`.
  TILEWISE_INLINE void add_to_average(const typename V::Reg& sum, int count) {
    using T = typename V::Element;
    averaged += count;
    const T share = T{1} / static_cast<T>(averaged);
    average += V::set1(share) * (sum - V::set1(static_cast<T>(count)) * average);
  }
};

// One step, on the rows begin .. begin + size.
template <class V, int Count>
TILEWISE_INLINE void narrow_batch(const SgdSteps<typename V::Element>& steps, index step,
                                  index begin, index size, const NarrowShape<V>& shape,
                                  NarrowState<V>& state) {
  using T = typename V::Element;
  auto gradient =
      narrow_gradient<V, Count>(steps.rows, begin, begin + size, shape, state.parameters);
  T scale = steps.rates[step] / static_cast<T>(size);
  if (steps.inverse_clip != 0) {
    // Where a vector has room for several gradients, it has this one so many times.
    const auto part = gradient * V::set1(steps.inverse_clip / static_cast<T>(size));
    typename V::Reg squares[1] = {part * part * V::set1(T{Count} / V::width)};
    const auto sum = reduce_rows<V, 1>(squares);
    if (sum[0] > 1) scale /= V::sqrt(sum)[0];
  }
  gradient *= V::set1(scale);
  if (steps.weight_decay != 0) {
    const auto decay = V::set1(steps.rates[step] * steps.weight_decay);
    gradient += decay * state.parameters * shape.of_features;
  }
  state.parameters -= gradient;
  if (steps.average != nullptr) state.add_to_average(state.parameters, 1);
}

}  // namespace tilewise::kernels
