// A row, vector by vector: whole ones, then a masked one for the elements that are left.
#pragma once

#include <type_traits>

#include "base/types.hpp"

namespace tilewise::kernels {

// The vector from element `at` of a row on. Of several sums that run side by side, `chain` is the
// one that it belongs to.
template <class V>
struct WholeVector {
  using T = typename V::Element;

  index at;
  int chain;

  template <class From>
  TILEWISE_INLINE typename V::Reg load(const From* row) const {
    return V::load(row + at);
  }
  TILEWISE_INLINE typename V::Reg load_repeated(const T* row) const { return load(row); }
  template <class To>
  TILEWISE_INLINE void store(To* row, const typename V::Reg& r) const {
    V::store(row + at, r);
  }
  TILEWISE_INLINE void stream(T* row, const typename V::Reg& r) const { V::stream(row + at, r); }
};

// The same where the row has only the first elements of the vector.
template <class V>
struct PartOfVector {
  using T = typename V::Element;

  index at;
  int chain;
  typename V::Mask mask;
  int count;

  // Zeros after the last element: they add nothing to a sum of products of two rows.
  template <class From>
  TILEWISE_INLINE typename V::Reg load(const From* row) const {
    if constexpr (std::is_same_v<From, T>) {
      return V::load(row + at, mask, V::zero());
    } else {
      return V::load_first(row + at, count);
    }
  }
  // An element of the row after the last one: where a number that may be infinite multiplies it, a
  // zero would raise a floating-point exception that no element deserves.
  TILEWISE_INLINE typename V::Reg load_repeated(const T* row) const {
    return V::load(row + at, mask, V::set1(row[at]));
  }
  template <class To>
  TILEWISE_INLINE void store(To* row, const typename V::Reg& r) const {
    if constexpr (std::is_same_v<To, T>) {
      V::store(row + at, r, mask);
    } else {
      V::store_first(row + at, r, count);
    }
  }
  TILEWISE_INLINE void stream(T* row, const typename V::Reg& r) const { store(row, r); }
};

// The first `count` elements, at least one and fewer than a vector has.
template <class V>
TILEWISE_INLINE PartOfVector<V> first_elements(index count) {
  return {0, 0, V::first(static_cast<int>(count)), static_cast<int>(count)};
}

// Calls visit(vector) for every vector of a row of `count` elements. Whole vectors take the chains
// in turns; those that are left over go to the first chain, and the masked one to the second.
template <class V, int Chains = 1, class Visit>
TILEWISE_INLINE void each_vector(index count, const Visit& visit) {
  index at = 0;
  if constexpr (Chains > 1) {
    for (; at + Chains * V::width <= count; at += Chains * V::width) {
      TILEWISE_UNROLL
      for (int c = 0; c < Chains; ++c) visit(WholeVector<V>{at + c * V::width, c});
    }
  }
  for (; at + V::width <= count; at += V::width) visit(WholeVector<V>{at, 0});
  if (at == count) return;
  constexpr int last_chain = Chains > 1 ? 1 : 0;
  const int left = static_cast<int>(count - at);
  visit(PartOfVector<V>{at, last_chain, V::first(left), left});
}

}  // namespace tilewise::kernels
