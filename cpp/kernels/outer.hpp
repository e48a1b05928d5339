// A column times a row: writing the product is all the work there is.
#pragma once

#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

// C[i, :] = x[i] y. Where C is too large for the caches, whole vectors go past them: memory is then
// written without being read first.
template <class V, bool ToMemory>
TILEWISE_INLINE void outer_rows(const Outer<typename V::Element>& o) {
  using T = typename V::Element;
  constexpr index bytes = V::width * sizeof(T);
  for (index i = 0; i < o.rows; ++i) {
    T* const c = o.c + i * o.c_row_stride;
    const auto x = V::set1(o.x[i * o.x_stride]);
    const auto write_some = [&](index j, index count) TILEWISE_INLINE_LAMBDA {
      const auto mask = V::first(static_cast<int>(count));
      V::store(c + j, x * V::load(o.y + j, mask, V::set1(o.y[j])), mask);
    };
    const index misaligned = reinterpret_cast<std::uintptr_t>(c) % bytes / sizeof(T);
    const index head = ToMemory && misaligned != 0 ? V::width - misaligned : 0;
    index j = head < o.cols ? head : o.cols;
    if (j > 0) write_some(0, j);
    for (; j + V::width <= o.cols; j += V::width) {
      if constexpr (ToMemory) {
        V::stream(c + j, x * V::load(o.y + j));
      } else {
        V::store(c + j, x * V::load(o.y + j));
      }
    }
    if (j < o.cols) write_some(j, o.cols - j);
  }
  if constexpr (ToMemory) V::finish_streams();
}

template <class V>
void outer(const Outer<typename V::Element>& o) {
  o.to_memory ? outer_rows<V, true>(o) : outer_rows<V, false>(o);
}

}  // namespace tilewise::kernels
