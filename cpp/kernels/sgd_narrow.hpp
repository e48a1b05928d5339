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

  explicit TILEWISE_INLINE NarrowShape(index count)
      : features(V::first(static_cast<int>(count))),
        parameters(V::first(static_cast<int>(count) + 1)) {
    typename V::Element lane[V::width] = {};
    lane[count] = 1;
    bias = V::load(lane);
  }
};

// Row i, and 1 after its last feature.
template <class V>
TILEWISE_INLINE typename V::Reg load_row(const SgdRows<typename V::Element>& rows, index i,
                                         const NarrowShape<V>& shape) {
  return V::load(rows.x + rows.row(i) * rows.x_row_stride, shape.features, shape.bias);
}

// The elements of `values`, which has one for each row, of the rows i .. i + count: their targets
// or their sample weights.
template <class V>
TILEWISE_INLINE typename V::Reg load_values(const SgdRows<typename V::Element>& rows, index i,
                                            int count, const typename V::Element* values) {
  if (rows.rows == nullptr) return V::load(values + i, V::first(count), V::zero());
  typename V::Element lane[V::width] = {};
  for (int r = 0; r < count; ++r) lane[r] = values[rows.row(i + r)];
  return V::load(lane);
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
  auto residuals =
      residuals_of<V, Count>(column, parameters, load_values<V>(rows, i, values, rows.y));
  if (rows.sample_weights != nullptr) {
    residuals *= load_values<V>(rows, i, values, rows.sample_weights);
  }
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) gradient[j] = V::fmadd(residuals, column[j], gradient[j]);
}

// The gradient of the rows begin .. end: the weights' and then the bias'.
template <class V, int Count>
TILEWISE_INLINE typename V::Reg narrow_gradient(const SgdRows<typename V::Element>& rows,
                                                index begin, index end, const NarrowShape<V>& shape,
                                                const typename V::Reg& parameters) {
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

// As many steps of batch size 1 as a group has rows, at once. A step changes the residual of a
// later row j by -rate_i r_i (x_i x_j + 1): the products of the rows do not depend on the weights,
// so only a short recurrence is left of the chain of steps. The same steps, in another rounding.
template <class V, int Count>
TILEWISE_INLINE typename V::Reg group_of_single_steps(const SgdSteps<typename V::Element>& steps,
                                                      index i, const NarrowShape<V>& shape,
                                                      const typename V::Reg& parameters) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  Reg row[width];
  Reg column[Count];
  TILEWISE_UNROLL
  for (int r = 0; r < width; ++r) row[r] = load_row<V>(steps.rows, i + r, shape);
  to_columns<V, Count>(row, column);

  const T* const rates = steps.rates + i;
  T scaled[Count][width];
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) V::store(scaled[j], column[j] * V::load(rates));
  TILEWISE_CLOBBER(scaled);
  Reg change[width] = {};  // of all residuals, for a residual of 1 in row r
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) {
    if (j > steps.rows.features) break;
    TILEWISE_UNROLL
    for (int r = 0; r < width; ++r) {
      change[r] = V::fmadd(V::set1(scaled[j][r]), column[j], change[r]);
    }
  }

  Reg residuals = residuals_of<V, Count>(column, parameters,
                                         load_values<V>(steps.rows, i, width, steps.rows.y));
  Reg result = parameters;
  // A block of rows goes through the chain together: its own small triangle is solved beforehand,
  // for the changes and for what the rows add to the gradient alike.
  constexpr int block = 2;
  each_index<width / block>([&](auto index_of_block) TILEWISE_INLINE_LAMBDA {
    constexpr int first = decltype(index_of_block)::value * block;
    Reg term[block];
    TILEWISE_UNROLL
    for (int b = 0; b < block; ++b) {
      term[b] = load_row<V>(steps.rows, i + first + b, shape) * V::set1(rates[first + b]);
    }
    each_index<block>([&](auto reversed) TILEWISE_INLINE_LAMBDA {
      constexpr int b = block - 1 - decltype(reversed)::value;
      const Reg own = change[first + b];
      each_index<block - 1 - b>([&](auto next) TILEWISE_INLINE_LAMBDA {
        constexpr int a = b + 1 + decltype(next)::value;
        const Reg factor = broadcast_lane<first + a, V>(own);
        change[first + b] -= factor * change[first + a];
        term[b] -= factor * term[a];
      });
    });
    Reg sum[2] = {residuals, V::zero()};
    Reg step[2] = {result, V::zero()};
    each_index<block>([&](auto row_of_block) TILEWISE_INLINE_LAMBDA {
      constexpr int b = decltype(row_of_block)::value;
      const Reg residual = broadcast_lane<first + b, V>(residuals);
      sum[b % 2] -= change[first + b] * residual;
      step[b % 2] -= term[b] * residual;
    });
    residuals = sum[0] + sum[1];
    result = step[0] + step[1];
  });
  return result;
}

template <class V, int Count>
void narrow_steps_of(const SgdSteps<typename V::Element>& steps) {
  const NarrowShape<V> shape(steps.rows.features);
  auto parameters = V::load(steps.parameters, shape.parameters, V::zero());
  index begin = 0;
  if (steps.batch_size == 1) {
    for (; begin + V::width <= steps.count; begin += V::width) {
      parameters = group_of_single_steps<V, Count>(steps, begin, shape, parameters);
    }
  }
  for (index step = begin / steps.batch_size; begin < steps.count; ++step) {
    const index left = steps.count - begin;
    const index size = left < steps.batch_size ? left : steps.batch_size;
    const auto rate = V::set1(steps.rates[step] / static_cast<typename V::Element>(size));
    parameters -=
        rate * narrow_gradient<V, Count>(steps.rows, begin, begin + size, shape, parameters);
    begin += size;
  }
  V::store(steps.parameters, parameters, shape.parameters);
}

// Calls run<Columns>() with the fewest columns that hold the features and the bias.
template <int Columns, class Run>
TILEWISE_INLINE void with_columns(index features, const Run& run) {
  if constexpr (Columns > 2) {
    if (features + 1 <= Columns / 2) return with_columns<Columns / 2>(features, run);
  }
  run.template operator()<Columns>();
}

template <class V>
void sgd_narrow_steps(const SgdSteps<typename V::Element>& steps) {
  with_columns<V::width>(steps.rows.features,
                         [&]<int Count>() { narrow_steps_of<V, Count>(steps); });
}

template <class V>
void sgd_narrow_gradient(const SgdRows<typename V::Element>& rows, index size,
                         const typename V::Element* parameters, typename V::Element* gradient) {
  with_columns<V::width>(rows.features, [&]<int Count>() {
    const NarrowShape<V> shape(rows.features);
    const auto held = V::load(parameters, shape.parameters, V::zero());
    V::store(gradient, narrow_gradient<V, Count>(rows, 0, size, shape, held), shape.parameters);
  });
}

}  // namespace tilewise::kernels
