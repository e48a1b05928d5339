// Steps on rows of few features: batches one after the other, single rows in groups.
#pragma once

#include "kernels/sgd_narrow_batch.hpp"
#include "kernels/sgd_narrow_groups.hpp"
#include "kernels/sgd_narrow_single.hpp"

namespace tilewise::kernels {

template <class V, int Count>
void narrow_steps_of(const SgdSteps<typename V::Element>& steps) {
  const NarrowShape<V> shape(steps.rows.features);
  NarrowState<V> state = {V::load(steps.parameters, shape.parameters, V::zero()), V::zero(),
                          steps.averaged};
  if (steps.average != nullptr) state.average = V::load(steps.average, shape.parameters, V::zero());
  NarrowDecay<V> decay;
  const NarrowGroup<V> group(narrow_steps_together<V>(steps.batch_size) > 1 ? steps.batch_size : 1);
  const bool is_plain = steps.weight_decay == 0 && steps.inverse_clip == 0;
  const bool groups = group.batch_size > 1 && is_plain;
  index begin = 0;
  for (index step = 0; begin < steps.count;) {
    const index left = steps.count - begin;
    if constexpr (Count <= most_columns_of_a_group) {
      if (groups && left >= group.rows) {
        group_of_batches<V, Count>(steps, step, begin, group, shape, state);
        begin += group.rows;
        step += group.steps;
        continue;
      }
    }
    const bool is_group = steps.batch_size == 1 && begin % V::width == 0 && left >= V::width;
    if (is_group && narrow_single_steps<V, Count>(steps, begin, shape, state, decay)) {
      begin += V::width;
      step += V::width;
      continue;
    }
    const index size = left < steps.batch_size ? left : steps.batch_size;
    narrow_batch<V, Count>(steps, step, begin, size, shape, state);
    begin += size;
    ++step;
  }
  V::store(steps.parameters, state.parameters, shape.parameters);
  if (steps.average != nullptr) V::store(steps.average, state.average, shape.parameters);
}

// Calls run<Columns>() with the fewest columns that hold the features and the bias.
template <int Columns, class Run>
TILEWISE_INLINE void with_columns(index features, const Run& run) {
  if constexpr (Columns > 4) {
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
