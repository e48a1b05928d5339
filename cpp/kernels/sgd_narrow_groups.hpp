// Steps on batches of two or a few rows of few features, as many at once as have room in the lanes
// of a vector: as sgd_narrow_single.hpp has it, but that the rows of a batch do not change each
// other's residuals. Plain SGD, with sample weights and averages.
#pragma once

#include "kernels/sgd_narrow_single.hpp"

namespace tilewise::kernels {

// How many steps are taken together. Where there would be few, batches go one by one.
template <class V>
constexpr index narrow_steps_together(index batch_size) {
  if (batch_size == 1) return V::width;
  return batch_size * least_steps_of_a_group <= V::width ? V::width / batch_size : 1;
}

// The places of batches in a group.
template <class V>
struct NarrowGroup {
  using T = typename V::Element;

  index batch_size;
  index steps;
  int rows;
  T ends[V::width];                 // 1 for the last row of a batch, else 0
  typename V::Reg later[V::width];  // for each row, 1 in the lanes of later batches

  explicit TILEWISE_INLINE NarrowGroup(index size)
      : batch_size(size), steps(V::width / size), rows(static_cast<int>(steps * size)) {
    T lane[V::width] = {};
    for (int r = V::width - 1; r >= 0; --r) {
      ends[r] = r < rows && (r + 1) % size == 0;
      if (r == V::width - 1 || ends[r] != 0) held_ = V::load(lane);
      later[r] = held_;
      lane[r] = 1;
    }
  }

 private:
  typename V::Reg held_;
};

// The batches of the rows from i on, the first of which is step number `step`.
template <class V, int Count>
TILEWISE_INLINE void group_of_batches(const SgdSteps<typename V::Element>& steps, index step,
                                      index i, const NarrowGroup<V>& group,
                                      const NarrowShape<V>& shape, NarrowState<V>& state) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  const auto load = [&](int r) TILEWISE_INLINE_LAMBDA {
    return r < group.rows ? load_row<V>(steps.rows, i + r, shape) : V::zero();
  };
  Reg row[width];
  Reg column[Count];
  TILEWISE_UNROLL
  for (int r = 0; r < width; ++r) row[r] = load(r);
  to_columns<V, Count>(row, column);

  T factor[width] = {}, scaled[Count][width];
  for (index s = 0; s < group.steps; ++s) {
    const T rate = steps.rates[step + s] / static_cast<T>(group.batch_size);
    for (index b = 0; b < group.batch_size; ++b) factor[s * group.batch_size + b] = rate;
  }
  Reg factors = V::load(factor);
  if (steps.rows.sample_weights != nullptr) {
    factors *= load_sample_weights<V>(steps.rows, i, group.rows);
    V::store(factor, factors);
  }
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) V::store(scaled[j], column[j] * factors);
  TILEWISE_CLOBBER(factor);
  TILEWISE_CLOBBER(scaled);
  Reg change[width];
  changes_of<V, Count>(column, scaled, steps.rows.features, change);
  TILEWISE_UNROLL
  for (int r = 0; r < width; ++r) change[r] *= group.later[r];

  const Reg residuals =
      residuals_of<V, Count>(column, state.parameters, load_targets<V>(steps.rows, i, group.rows));
  const bool averages = steps.average != nullptr;
  Reg sum = V::zero();  // of the parameters after each step
  state.parameters = take_pairs<V>(
      change, residuals, state.parameters,
      [&](int r) TILEWISE_INLINE_LAMBDA { return load(r) * V::set1(factor[r]); },
      [&](int r, const Reg& iterate) TILEWISE_INLINE_LAMBDA {
        if (averages) sum += V::set1(group.ends[r]) * iterate;
      });
  if (averages) state.add_to_average(sum, static_cast<int>(group.steps));
}

}  // namespace tilewise::kernels
