// Operands that are stored in fewer bits than they are computed in: converted a vector at a time.
#pragma once

#include <type_traits>

#include "kernels/each_vector.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::kernels {

template <class V, class From, class To>
void convert(const Convert<From, To>& t) {
  for (index i = 0; i < t.rows; ++i) {
    const From* const src = t.src + i * t.src_stride;
    To* const dst = t.dst + i * t.dst_stride;
    each_vector<V>(t.cols, [&](const auto& v) TILEWISE_INLINE_LAMBDA {
      __builtin_prefetch(src + v.at + t.prefetch_distance, 0, 2);
      v.store(dst, v.load(src));
    });
  }
}

template <template <class> class Trait, class Stored>
constexpr StoredKernels<Stored> make_stored_kernels() {
  using T = ComputedAs<Stored>;
  using V = Trait<T>;
  StoredKernels<Stored> set{};
  set.widen = convert<V, Stored, T>;
  if constexpr (!std::is_same_v<Stored, BFloat16>) set.narrow = convert<V, T, Stored>;
  return set;
}

}  // namespace tilewise::kernels
