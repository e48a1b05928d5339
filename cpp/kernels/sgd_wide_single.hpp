// Steps of batch size 1 on rows of a vector or more, a few at once: their products with the weights
// and with each other come from one loop over the features, the steps themselves are a recurrence
// of scalars (see sgd_narrow_single.hpp), and a second loop changes the weights.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_clamp.hpp"
#include "kernels/sgd_wide.hpp"

namespace tilewise::kernels {

// Two rows each have a product, and each row a register: with 16 registers they do not fit. For
// double they would be as much code again.
template <class V>
constexpr bool has_room_for_short_rows = V::tile_rows* V::tile_vectors >= 24 && V::width == 16;

// What the steps on a group of rows change, as multiples of what was there before and of the rows.
template <class T, int Rows>
struct WideChange {
  T of_weights = 1;
  T of_rows[Rows] = {};
};

// The products of Rows rows with the weights, and then with each other: 10 20 21 30 .. and, where
// gradients may be cut, each with itself.
template <class V, int Rows, bool Clip>
struct WideProducts {
  using T = typename V::Element;

  static constexpr int pairs = Rows * (Rows - 1) / 2;
  static constexpr int count = Rows + pairs + (Clip ? Rows : 0);

  T sum[padded<count, V>];

  TILEWISE_INLINE WideProducts(const SgdSteps<T>& steps, const RowGroup<V, Rows>& group,
                               RowPrefetcher<V, Rows>& prefetcher) {
    typename V::Reg acc[count] = {};
    each_vector<V>(steps.rows.features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      prefetcher.prefetch_some();
      const auto weights = v.load(steps.parameters);
      typename V::Reg x[Rows];
      TILEWISE_UNROLL
      for (int r = 0; r < Rows; ++r) {
        x[r] = v.load(group.x[r]);
        acc[r] = V::fmadd(x[r], weights, acc[r]);
        TILEWISE_UNROLL
        for (int q = 0; q < r; ++q) acc[of(r, q)] = V::fmadd(x[r], x[q], acc[of(r, q)]);
        if constexpr (Clip) acc[of_itself(r)] = V::fmadd(x[r], x[r], acc[of_itself(r)]);
      }
    });
    reduce_each<V, count>(acc, sum);
  }

  static constexpr int of(int r, int q) { return Rows + r * (r - 1) / 2 + q; }
  static constexpr int of_itself(int r) { return Rows + pairs + r; }
};

// The largest residuals whose gradients are not cut.
template <class V, int Rows>
TILEWISE_INLINE void limits_of(const WideProducts<V, Rows, true>& products,
                               const RowGroup<V, Rows>& group, typename V::Element inverse_clip,
                               typename V::Element* limit) {
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; r += V::width) {
    const auto squares = V::load(products.sum + products.of_itself(r)) + V::set1(1);
    V::store(limit + r, V::sqrt(squares));
  }
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r)
    limit[r] = 1 / (limit[r] * (inverse_clip * group.sample_weight[r]));
}

// The steps, which change the bias. `change` is what they do to the weights, and `iterates` the
// same for the sum of the weights after each step.
template <class V, int Rows, bool Clip>
TILEWISE_INLINE void take_wide_steps(const SgdSteps<typename V::Element>& steps, index i,
                                     const RowGroup<V, Rows>& group,
                                     const WideProducts<V, Rows, Clip>& products,
                                     WideChange<typename V::Element, Rows>& change,
                                     WideChange<typename V::Element, Rows>& iterates) {
  using T = typename V::Element;
  const T decay = steps.weight_decay;
  T& bias = steps.parameters[steps.rows.features];
  T limit[padded<Rows, V>];
  if constexpr (Clip) limits_of<V, Rows>(products, group, steps.inverse_clip, limit);
  T residual[Rows];      // of each row before the next step
  T without_bias[Rows];  // the part of it that decays: the weights times the row
  T bias_sum = 0;
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    without_bias[r] = products.sum[r];
    residual[r] = products.sum[r] + (bias - group.y[r]);
  }
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) {
    const T rate = steps.rates[i + r];
    if constexpr (Clip) residual[r] = clamp(residual[r], limit[r]);
    const T step = (-rate * group.sample_weight[r]) * residual[r];
    if (decay != 0) {
      const T lost = rate * decay;
      change.of_weights -= lost * change.of_weights;
      TILEWISE_UNROLL
      for (int q = 0; q < r; ++q) change.of_rows[q] -= lost * change.of_rows[q];
      TILEWISE_UNROLL
      for (int q = r + 1; q < Rows; ++q) {
        residual[q] -= lost * without_bias[q];
        without_bias[q] += products.sum[products.of(q, r)] * step - lost * without_bias[q];
      }
    }
    change.of_rows[r] = step;
    bias += step;
    TILEWISE_UNROLL
    for (int q = r + 1; q < Rows; ++q) residual[q] += (products.sum[products.of(q, r)] + 1) * step;
    if (steps.average == nullptr) continue;
    iterates.of_weights += change.of_weights;
    TILEWISE_UNROLL
    for (int q = 0; q <= r; ++q) iterates.of_rows[q] += change.of_rows[q];
    bias_sum += bias;
  }
  if (steps.average == nullptr) return;
  T& average = steps.average[steps.rows.features];
  average += (bias_sum - Rows * average) / static_cast<T>(steps.averaged + i + Rows);
}

// As many steps as Rows says.
template <class V, int Rows, bool Clip>
TILEWISE_INLINE void wide_single_steps(const SgdSteps<typename V::Element>& steps, index i) {
  using T = typename V::Element;
  const index features = steps.rows.features;
  const RowGroup<V, Rows> group(steps.rows, i);
  // Short rows in order are left to the CPU's own prefetchers.
  RowPrefetcher<V, Rows> prefetcher(
      steps.rows, i, steps.rows.rows != nullptr || features * index{sizeof(T)} > 128);
  const WideProducts<V, Rows, Clip> products(steps, group, prefetcher);
  WideChange<T, Rows> change;
  WideChange<T, Rows> iterates = {0, {}};
  take_wide_steps<V, Rows, Clip>(steps, i, group, products, change, iterates);
  typename V::Reg factor[Rows];
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) factor[r] = V::set1(change.of_rows[r]);
  const auto kept = V::set1(change.of_weights);
  if (steps.average == nullptr) {
    each_vector<V>(features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      prefetcher.prefetch_some();
      auto sum = kept * v.load(steps.parameters);
      TILEWISE_UNROLL
      for (int r = 0; r < Rows; ++r) sum = V::fmadd(factor[r], v.load(group.x[r]), sum);
      v.store(steps.parameters, sum);
    });
    return;
  }
  const T share = T{1} / static_cast<T>(steps.averaged + i + Rows);
  const auto of_average = V::set1(1 - Rows * share);
  const auto of_weights = V::set1(share * iterates.of_weights);
  typename V::Reg of_rows[Rows];
  TILEWISE_UNROLL
  for (int r = 0; r < Rows; ++r) of_rows[r] = V::set1(share * iterates.of_rows[r]);
  each_vector<V>(features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    prefetcher.prefetch_some();
    const auto weights = v.load(steps.parameters);
    auto sum = kept * weights;
    auto average = V::fmadd(of_weights, weights, of_average * v.load(steps.average));
    TILEWISE_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const auto x = v.load(group.x[r]);
      sum = V::fmadd(factor[r], x, sum);
      average = V::fmadd(of_rows[r], x, average);
    }
    v.store(steps.parameters, sum);
    v.store(steps.average, average);
  });
}

// Takes whole groups of steps, and returns their number.
template <class V, int Rows, bool Clip>
index wide_steps_of(const SgdSteps<typename V::Element>& steps) {
  index i = 0;
  for (; i + Rows <= steps.count; i += Rows) wide_single_steps<V, Rows, Clip>(steps, i);
  return i;
}

// Whether single_short_rows are taken together, and not single_rows, unless gradients may be cut.
template <class V>
constexpr bool are_short(index features) {
  return has_room_for_short_rows<V> && features < 2 * V::width;
}

template <class V, bool Clip>
index wide_single_steps(const SgdSteps<typename V::Element>& steps) {
  if constexpr (has_room_for_short_rows<V> && !Clip) {
    if (are_short<V>(steps.rows.features)) return wide_steps_of<V, single_short_rows, Clip>(steps);
  }
  return wide_steps_of<V, single_rows, Clip>(steps);
}

}  // namespace tilewise::kernels
