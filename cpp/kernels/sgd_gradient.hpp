// The gradient of half the squared error over a minibatch of rows: each row is read from memory
// once, for its residual, and again from L1 for the gradient.
#pragma once

#include "kernels/dot.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// Leaves sum_i r_i x_i in gradient, r_i = x_i w + bias - y_i, and returns sum_i r_i.
template <class V>
typename V::Element sgd_gradient(const SgdBatch<typename V::Element>& s,
                                 typename V::Element* gradient) {
  using T = typename V::Element;
  T residuals = 0;
  for (index j = 0; j < s.features; ++j) gradient[j] = 0;
  for (index i = 0; i < s.size; ++i) {
    const T* x = s.x + s.rows[i] * s.x_row_stride;
    const T residual = dot_contiguous<V>(s.features, x, s.weights) + (s.bias - s.y[s.rows[i]]);
    residuals += residual;
    const auto r = V::set1(residual);
    index j = 0;
    for (; j + V::width <= s.features; j += V::width) {
      V::store(gradient + j, V::fmadd(r, V::load(x + j), V::load(gradient + j)));
    }
    if (j < s.features) {
      const auto mask = V::first(static_cast<int>(s.features - j));
      const auto x_j = V::load(x + j, mask, V::zero());
      V::store(gradient + j, V::fmadd(r, x_j, V::load(gradient + j, mask, V::zero())), mask);
    }
  }
  return residuals;
}

}  // namespace tilewise::kernels
