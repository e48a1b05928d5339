// The inner product of two vectors of any strides: the whole of the element strategy.
#pragma once

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// The inner product of at most sum_block numbers, still to be summed over the lanes. Several sums
// run side by side, since one chain of additions waits for each to finish.
template <class V>
TILEWISE_INLINE typename V::Reg dot_lanes(index k, const typename V::Element* a,
                                          const typename V::Element* b) {
  constexpr int chains = 8;
  typename V::Reg acc[chains] = {};
  each_vector<V, chains>(k, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
    acc[v.chain] = V::fmadd(v.load(a), v.load(b), acc[v.chain]);
  });
  TILEWISE_UNROLL
  for (int c = 4; c < chains; ++c) acc[c - 4] += acc[c];
  return (acc[0] + acc[1]) + (acc[2] + acc[3]);
}

template <class V>
typename V::Element dot_contiguous(index k, const typename V::Element* a,
                                   const typename V::Element* b) {
  if (k <= sum_block) return V::sum(dot_lanes<V>(k, a, b));
  auto sum = V::zero();
  for (index p = 0; p < k; p += sum_block) {
    sum += dot_lanes<V>(k - p < sum_block ? k - p : sum_block, a + p, b + p);
  }
  return V::sum(sum);
}

template <class T>
TILEWISE_INLINE T dot_strided_piece(index k, const T* a, index a_stride, const T* b,
                                    index b_stride) {
  constexpr int chains = 8;
  T acc[chains] = {};
  index p = 0;
  for (; p + chains <= k; p += chains) {
    TILEWISE_UNROLL
    for (int c = 0; c < chains; ++c) {
      acc[c] += *a * *b;
      a += a_stride;
      b += b_stride;
    }
  }
  for (; p < k; ++p) {
    acc[0] += *a * *b;
    a += a_stride;
    b += b_stride;
  }
  TILEWISE_UNROLL
  for (int c = 4; c < chains; ++c) acc[c - 4] += acc[c];
  return (acc[0] + acc[1]) + (acc[2] + acc[3]);
}

template <class V>
typename V::Element dot_strided(index k, const typename V::Element* a, index a_stride,
                                const typename V::Element* b, index b_stride) {
  typename V::Element sum = 0;
  for (index p = 0; p < k; p += sum_block) {
    sum += dot_strided_piece(k - p < sum_block ? k - p : sum_block, a + p * a_stride, a_stride,
                             b + p * b_stride, b_stride);
  }
  return sum;
}

template <class V>
typename V::Element dot(index k, const typename V::Element* a, index a_stride,
                        const typename V::Element* b, index b_stride) {
  if (a_stride == 1 && b_stride == 1) return dot_contiguous<V>(k, a, b);
  return dot_strided<V>(k, a, a_stride, b, b_stride);
}

}  // namespace tilewise::kernels
