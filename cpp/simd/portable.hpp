// Any CPU: vectors of 16 bytes, which the compiler maps to SSE2 or NEON, or to plain code.
#pragma once

#include "simd/vector.hpp"

namespace tilewise::simd {

template <class T>
struct Portable : Vector<Portable<T>, T, 16> {
  using Base = Vector<Portable<T>, T, 16>;
  using Reg = typename Base::Reg;
  using Base::load;
  using Base::store;
  using Mask = int;  // how many of the first lanes are on

  // 12 accumulators, 2 vectors of B, 1 broadcast of A: 15 of the 16 registers of x86-64.
  static constexpr int tile_rows = 6;
  static constexpr int tile_vectors = 2;

  // The tile of inner products: 8 accumulators.
  static constexpr int dot_rows = 4;
  static constexpr int dot_cols = 2;

  static TILEWISE_INLINE Mask first(int n) { return n; }

  // Lanes outside the mask come from `other`; their memory is not touched.
  static TILEWISE_INLINE Reg load(const T* p, Mask mask, Reg other) {
    for (int i = 0; i < mask; ++i) other[i] = p[i];
    return other;
  }

  static TILEWISE_INLINE void store(T* p, Reg r, Mask mask) {
    for (int i = 0; i < mask; ++i) p[i] = r[i];
  }
};

}  // namespace tilewise::simd
