// SGD steps on rows of few features: a row is one vector at most, and the rows of a group lie in
// the lanes, so that no step waits for the sum of a single row.
#pragma once

#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

template <class V>
TILEWISE_INLINE typename V::Reg load_row(const SgdRun<typename V::Element>& run, std::int64_t row) {
  const auto mask = V::first(static_cast<int>(run.features));
  return V::load(run.x + row * run.x_row_stride, mask, V::zero());
}

// Adds the gradient of `count` rows, at most a vector's lanes, to `gradient`, and their residuals
// to `residuals`. With Full the count is a whole vector.
template <class V, bool Full>
TILEWISE_INLINE void add_group(const SgdRun<typename V::Element>& run, const std::int64_t* rows,
                               int count, const typename V::Reg& weights,
                               const typename V::Reg& bias, typename V::Reg& gradient,
                               typename V::Reg& residuals) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  Reg row[width];
  Reg terms[width];  // of each residual
  TILEWISE_UNROLL
  for (int i = 0; i < width; ++i) {
    row[i] = terms[i] = V::zero();
    if (Full || i < count) {
      row[i] = load_row<V>(run, rows[i]);
      const Reg target = V::load(run.y + rows[i], V::first(1), V::zero());
      terms[i] = V::fmadd(row[i], weights, bias - target);
    }
  }
  const Reg r = sums_of_rows<V>(terms);
  T residual[width];
  V::store(residual, r);
  residuals += r;
  Reg others = V::zero();  // a second sum, so that not all additions wait for one another
  TILEWISE_UNROLL
  for (int i = 0; i < width; i += 2) {
    gradient = V::fmadd(V::set1(residual[i]), row[i], gradient);
    others = V::fmadd(V::set1(residual[i + 1]), row[i + 1], others);
  }
  gradient += others;
}

// One step on a batch of any size.
template <class V>
TILEWISE_INLINE void narrow_step(const SgdRun<typename V::Element>& run, const std::int64_t* rows,
                                 index size, typename V::Reg& weights, typename V::Element& bias) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  const Reg bias_lane = V::load(&bias, V::first(1), V::zero());
  Reg gradient = V::zero();
  Reg residuals = V::zero();
  index i = 0;
  for (; i + V::width <= size; i += V::width) {
    add_group<V, true>(run, rows + i, V::width, weights, bias_lane, gradient, residuals);
  }
  if (i < size) {
    const int count = static_cast<int>(size - i);
    add_group<V, false>(run, rows + i, count, weights, bias_lane, gradient, residuals);
  }
  const T rate = run.learning_rate / static_cast<T>(size);
  weights -= V::set1(rate) * gradient;
  bias -= rate * V::sum(residuals);
}

// As many steps of batch size 1 as a group has rows, at once. A step changes the prediction for a
// later row j by -rate r_i (x_i x_j + 1): the products of the rows do not depend on the weights, so
// only a short recurrence is left of the chain of steps. The same steps, in another rounding.
template <class V>
TILEWISE_INLINE void narrow_single_steps(const SgdRun<typename V::Element>& run,
                                         const std::int64_t* rows, typename V::Reg& weights,
                                         typename V::Element& bias) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  const T rate = run.learning_rate;
  T target[width];
  Reg column[width];  // the rows, then feature k of every row
  TILEWISE_UNROLL
  for (int i = 0; i < width; ++i) {
    target[i] = run.y[rows[i]];
    column[i] = load_row<V>(run, rows[i]);
  }
  transpose_square<V>(column);
  T features[width * width];
  TILEWISE_UNROLL
  for (int k = 0; k < width; ++k) V::store(features + k * width, column[k]);

  T weight[width];
  V::store(weight, weights);
  Reg residuals = V::set1(bias) - V::load(target);  // with the weights of before the group
  Reg change[width];  // of all residuals, for a residual of 1 in row i
  TILEWISE_UNROLL
  for (int i = 0; i < width; ++i) change[i] = V::set1(rate);
  for (index k = 0; k < run.features; ++k) {
    const Reg feature = V::load(features + k * width);
    const Reg scaled = V::set1(rate) * feature;
    residuals = V::fmadd(V::set1(weight[k]), feature, residuals);
    TILEWISE_UNROLL
    for (int i = 0; i < width; ++i) {
      change[i] = V::fmadd(scaled, V::set1(features[k * width + i]), change[i]);
    }
  }
  Reg gradient = V::zero();
  Reg sum = V::zero();
  each_lane<V>([&](auto lane) TILEWISE_INLINE_LAMBDA {
    constexpr int i = decltype(lane)::value;
    const Reg r = broadcast_lane<i, V>(residuals);
    residuals -= change[i] * r;  // lanes up to i are done with, and of no use any more
    gradient = V::fmadd(r, load_row<V>(run, rows[i]), gradient);
    sum += r;
  });
  weights -= V::set1(rate) * gradient;
  bias -= rate * sum[0];
}

// All rows of the run, in batches of batch_size; the last may be smaller.
template <class V>
void sgd_narrow(const SgdRun<typename V::Element>& run) {
  using T = typename V::Element;
  const auto mask = V::first(static_cast<int>(run.features));
  typename V::Reg weights = V::load(run.weights, mask, V::zero());
  T bias = *run.bias;
  index begin = 0;
  if (run.batch_size == 1) {
    for (; begin + V::width <= run.count; begin += V::width) {
      narrow_single_steps<V>(run, run.rows + begin, weights, bias);
    }
  }
  for (; begin < run.count; begin += run.batch_size) {
    const index left = run.count - begin;
    narrow_step<V>(run, run.rows + begin, left < run.batch_size ? left : run.batch_size, weights,
                   bias);
  }
  V::store(run.weights, weights, mask);
  *run.bias = bias;
}

}  // namespace tilewise::kernels
