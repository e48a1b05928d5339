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

  // Accumulators of a tile of inner products.
  static constexpr int dot_sums = 8;

  static TILEWISE_INLINE Mask first(int n) { return n; }

  // Lanes outside the mask come from `other`; their memory is not touched.
  static TILEWISE_INLINE Reg load(const T* p, Mask mask, Reg other) {
    for (int i = 0; i < mask; ++i) other[i] = p[i];
    return other;
  }

  static TILEWISE_INLINE void store(T* p, Reg r, Mask mask) {
    for (int i = 0; i < mask; ++i) p[i] = r[i];
  }

  // Which lane each lane gets; those of a second register are numbered from `width` on.
  struct Lanes {
    int lane[Base::width];
  };
  static TILEWISE_INLINE Lanes lanes(const int (&lane)[Base::width]) {
    Lanes lanes;
    for (int i = 0; i < Base::width; ++i) lanes.lane[i] = lane[i];
    return lanes;
  }
  // Each `by` lanes further.
  static TILEWISE_INLINE Lanes shifted(Lanes lanes, int by) {
    for (int i = 0; i < Base::width; ++i) lanes.lane[i] += by;
    return lanes;
  }
  static TILEWISE_INLINE Reg permute(const Lanes& lanes, Reg r) { return permute(lanes, r, r); }
  static Reg permute(const Lanes& lanes, Reg low, Reg high) {
    T from[2 * Base::width];
    store(from, low);
    store(from + Base::width, high);
    Reg result;
    for (int i = 0; i < Base::width; ++i) result[i] = from[lanes.lane[i]];
    return result;
  }
};

}  // namespace tilewise::simd
