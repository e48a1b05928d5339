// Gradients and steps of SGD, each in the way that suits the rows.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_medium.hpp"
#include "kernels/sgd_narrow.hpp"
#include "kernels/sgd_wide.hpp"

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

template <class V>
void sgd_batches(const SgdSteps<typename V::Element>& steps) {
  const index features = steps.rows.features;
  typename V::Element* const parameters = steps.parameters;
  index begin = 0;
  for (index step = 0; begin < steps.count; ++step) {
    const index left = steps.count - begin;
    const index size = left < steps.batch_size ? left : steps.batch_size;
    sgd_gradient<V>(steps.rows.from(begin), size, parameters, steps.gradient);
    const auto rate = V::set1(steps.rates[step] / static_cast<typename V::Element>(size));
    each_vector<V>(features + 1, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      v.store(parameters, v.load(parameters) - rate * v.load(steps.gradient));
    });
    begin += size;
  }
}

template <class V>
index sgd_steps_together(index features) {
  return features < V::width ? V::width : rows_at_once;
}

template <class V>
void sgd_steps(const SgdSteps<typename V::Element>& steps) {
  const auto run = steps.rows.features < V::width ? sgd_narrow_steps<V>
                   : steps.batch_size == 1        ? sgd_single_steps<V>
                                                  : sgd_batches<V>;
  run(steps);
}

}  // namespace tilewise::kernels
