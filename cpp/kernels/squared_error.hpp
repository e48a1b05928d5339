// The squared error of a linear model, from its predictions.
#pragma once

#include "base/types.hpp"

namespace tilewise::kernels {

// Conversion to double: a vector of as many elements as fit a register once they are doubles.
template <class V>
struct Widened {
  using T = typename V::Element;
  static constexpr int width = V::width * static_cast<int>(sizeof(T)) / 8;
  typedef T Narrow __attribute__((vector_size(width * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef double Reg __attribute__((vector_size(width * 8)));
};

// sum_i (predictions[i] + bias - y[i])^2, added up in double.
template <class V>
double squared_error(index count, const typename V::Element* predictions, typename V::Element bias,
                     const typename V::Element* y) {
  using Narrow = typename Widened<V>::Narrow;
  using Reg = typename Widened<V>::Reg;
  constexpr int width = Widened<V>::width;
  constexpr int chains = 4;
  Reg sums[chains] = {};
  index i = 0;
  for (; i + chains * width <= count; i += chains * width) {
    TILEWISE_UNROLL
    for (int c = 0; c < chains; ++c) {
      const index at = i + c * width;
      const Narrow residuals = *reinterpret_cast<const Narrow*>(predictions + at) + bias -
                               *reinterpret_cast<const Narrow*>(y + at);
      const Reg wide = __builtin_convertvector(residuals, Reg);
      sums[c] += wide * wide;
    }
  }
  double sum = 0;
  for (; i < count; ++i) {
    const double residual = predictions[i] + bias - y[i];
    sum += residual * residual;
  }
  const Reg lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  TILEWISE_UNROLL
  for (int lane = 0; lane < width; ++lane) sum += lanes[lane];
  return sum;
}

}  // namespace tilewise::kernels
