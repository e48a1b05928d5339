// A column times a row. The time is that of writing the product.
#pragma once

#include "kernels/each_vector.hpp"
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
    const index misaligned = reinterpret_cast<std::uintptr_t>(c) % bytes / sizeof(T);
    index head = ToMemory && misaligned != 0 ? V::width - misaligned : 0;
    if (head > o.cols) head = o.cols;
    if (head > 0) {
      const auto v = first_elements<V>(head);
      v.store(c, x * v.load_repeated(o.y));
    }
    each_vector<V>(o.cols - head, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      const auto product = x * v.load_repeated(o.y + head);
      ToMemory ? v.stream(c + head, product) : v.store(c + head, product);
    });
  }
  if constexpr (ToMemory) V::finish_streams();
}

template <class V>
void outer(const Outer<typename V::Element>& o) {
  o.to_memory ? outer_rows<V, true>(o) : outer_rows<V, false>(o);
}

}  // namespace tilewise::kernels
