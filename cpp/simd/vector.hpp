// What the vector traits of all instruction sets share: a register as a compiler vector type, so
// that arithmetic is written with operators. `Trait` is the trait that inherits this one; naming it
// keeps the functions of one instruction set apart from those of every other at link time.
#pragma once

#include "base/types.hpp"

namespace tilewise::simd {

template <class Trait, class T, int Bytes>
struct Vector {
  using Element = T;
  typedef T Reg __attribute__((vector_size(Bytes)));
  static constexpr int width = Bytes / static_cast<int>(sizeof(T));

  static TILEWISE_INLINE Reg zero() { return Reg{}; }

  static TILEWISE_INLINE Reg set1(T x) { return x - Reg{}; }  // x + 0 would lose the sign of -0

  static TILEWISE_INLINE Reg load(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }

  static TILEWISE_INLINE void store(T* p, Reg r) { *reinterpret_cast<Unaligned*>(p) = r; }

  // Writes past the caches where the instruction set can. finish_streams() comes before another
  // thread may look.
  static TILEWISE_INLINE void stream(T* aligned, Reg r) { store(aligned, r); }
  static TILEWISE_INLINE void finish_streams() {}

  // One rounding where the instruction set has a fused multiply-add.
  static TILEWISE_INLINE Reg fmadd(Reg a, Reg b, Reg c) { return a * b + c; }

  static TILEWISE_INLINE Reg sqrt(Reg r) {
    TILEWISE_UNROLL
    for (int i = 0; i < width; ++i) {
      if constexpr (sizeof(T) == 4) {
        r[i] = __builtin_sqrtf(r[i]);
      } else {
        r[i] = __builtin_sqrt(r[i]);
      }
    }
    return r;
  }

  // The sum of all lanes, by halves.
  static TILEWISE_INLINE T sum(Reg r) {
    T lane[width];
    store(lane, r);
    TILEWISE_UNROLL
    for (int half = width / 2; half > 0; half /= 2) {
      TILEWISE_UNROLL
      for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
    }
    return lane[0];
  }

 private:
  typedef T Unaligned __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
};

}  // namespace tilewise::simd
