// Gradients and steps of SGD, each in the way that suits the rows.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_medium.hpp"
#include "kernels/sgd_narrow.hpp"
#include "kernels/sgd_wide.hpp"
#include "kernels/sgd_wide_single.hpp"

namespace tilewise::kernels {

template <class V>
void sgd_gradient(const SgdRows<typename V::Element>& rows, index size,
                  const typename V::Element* parameters, typename V::Element* gradient) {
  const bool in_order = rows.rows == nullptr;
  const auto run = rows.features < V::width ? sgd_narrow_gradient<V>
                   : in_order && rows.features <= most_medium_vectors<V>() * V::width
                       ? sgd_medium_gradient<V>
                       : sgd_wide_gradient<V>;
  run(rows, size, parameters, gradient);
}

// The second half of a step on a batch: all but the gradient.
template <class V>
void sgd_apply_gradient(const SgdSteps<typename V::Element>& steps, index step, index size) {
  using T = typename V::Element;
  const index features = steps.rows.features;
  const T rate = steps.rates[step];
  T scale = rate / static_cast<T>(size);
  if (steps.inverse_clip != 0) {
    const auto part = V::set1(steps.inverse_clip / static_cast<T>(size));
    auto squares = V::zero();
    each_vector<V>(features + 1, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      const auto g = part * v.load(steps.gradient);
      squares = V::fmadd(g, g, squares);
    });
    const T sum = V::sum(squares);
    if (sum > 1) scale /= V::sqrt(V::set1(sum))[0];
  }
  const auto factor = V::set1(scale);
  const auto kept = V::set1(1 - rate * steps.weight_decay);
  T* const parameters = steps.parameters;
  each_vector<V>(features, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    v.store(parameters, kept * v.load(parameters) - factor * v.load(steps.gradient));
  });
  parameters[features] -= scale * steps.gradient[features];
  if (steps.average == nullptr) return;
  const auto share = V::set1(T{1} / static_cast<T>(steps.averaged + step + 1));
  each_vector<V>(features + 1, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    const auto average = v.load(steps.average);
    v.store(steps.average, average + share * (v.load(parameters) - average));
  });
}

template <class V>
void sgd_wide_steps(const SgdSteps<typename V::Element>& steps) {
  index begin = 0;
  if (steps.batch_size == 1) {
    begin = steps.inverse_clip == 0 ? wide_single_steps<V, false>(steps)
                                    : wide_single_steps<V, true>(steps);
  }
  const bool is_plain =
      steps.weight_decay == 0 && steps.inverse_clip == 0 && steps.average == nullptr;
  for (index step = begin; begin < steps.count; ++step) {
    const index left = steps.count - begin;
    const index size = left < steps.batch_size ? left : steps.batch_size;
    sgd_gradient<V>(steps.rows.from(begin), size, steps.parameters, steps.gradient);
    if (is_plain) {
      const auto rate = V::set1(steps.rates[step] / static_cast<typename V::Element>(size));
      each_vector<V>(steps.rows.features + 1, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
        v.store(steps.parameters, v.load(steps.parameters) - rate * v.load(steps.gradient));
      });
    } else {
      sgd_apply_gradient<V>(steps, step, size);
    }
    begin += size;
  }
}

static_assert(2 * single_short_rows % single_rows == 0);

template <class V>
index sgd_steps_together(index features, index batch_size) {
  if (features < V::width) return narrow_steps_together<V>(batch_size);
  if (batch_size > 1) return 1;
  // Whole groups of either size: where gradients may be cut, short rows are taken as others.
  return are_short<V>(features) ? 2 * single_short_rows : single_rows;
}

template <class V>
void sgd_steps(const SgdSteps<typename V::Element>& steps) {
  const auto run = steps.rows.features < V::width ? sgd_narrow_steps<V> : sgd_wide_steps<V>;
  run(steps);
}

}  // namespace tilewise::kernels
