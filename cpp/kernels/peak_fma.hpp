// The peak of a core: a loop of multiply-adds in registers, without loads or stores. It has as many
// accumulators as the micro-kernel, none of which depends on another.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

template <class V>
constexpr int peak_fma_chains = V::tile_rows* V::tile_vectors;

// Returns the sum of the accumulators: without a result the compiler would drop the loop.
template <class V>
typename V::Element peak_fma(index steps) {
  using T = typename V::Element;
  constexpr int chains = peak_fma_chains<V>;
  typename V::Reg sum[chains];
  TILEWISE_UNROLL
  for (int c = 0; c < chains; ++c) sum[c] = V::set1(static_cast<T>(c + 3));
  const auto factor = V::set1(static_cast<T>(0.5));
  const auto term = V::set1(static_cast<T>(1));
  for (index i = 0; i < steps; ++i) {
    TILEWISE_UNROLL
    for (int c = 0; c < chains; ++c) sum[c] = V::fmadd(sum[c], factor, term);
  }
  auto total = V::zero();
  TILEWISE_UNROLL
  for (int c = 0; c < chains; ++c) total = total + sum[c];
  return V::sum(total);
}

}  // namespace tilewise::kernels
