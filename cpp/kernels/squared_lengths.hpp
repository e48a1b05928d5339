// The squared lengths of rows.
#pragma once

#include "kernels/dot.hpp"
#include "kernels/each_vector.hpp"
#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/prefetch.hpp"

namespace tilewise::kernels {

// lengths[i] = |row i of A|^2: of short rows, for as many at once as a vector has lanes; of long
// ones, which the CPU's own prefetchers follow, one by one.
template <class V>
void squared_lengths(const SquaredLengths<typename V::Element>& s) {
  const index stride = s.a_row_stride;
  const index prefetched = s.prefetch_distance * stride;
  index i = 0;
  for (; s.cols <= 8 * V::width && i + V::width <= s.rows; i += V::width) {
    typename V::Reg sums[V::width] = {};
    const auto* const a = s.a + i * stride;
    each_vector<V>(s.cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      prefetch_rows<V::width>(a + prefetched + v.at, stride);
      TILEWISE_UNROLL
      for (int r = 0; r < V::width; ++r) {
        const auto x = v.load(a + r * stride);
        sums[r] = V::fmadd(x, x, sums[r]);
      }
    });
    V::store(s.lengths + i, reduce_rows<V>(sums));
  }
  for (; i < s.rows; ++i) {
    const auto* const a = s.a + i * stride;
    s.lengths[i] = dot_contiguous<V>(s.cols, a, a);
  }
}

}  // namespace tilewise::kernels
