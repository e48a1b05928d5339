// What the vector traits of all instruction sets share: a register as a compiler vector type, so
// that arithmetic is written with operators. `Trait` is the trait that inherits this one; naming it
// keeps the functions of one instruction set apart from those of every other at link time.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/half.hpp"
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

  // The bits of as many numbers of another type as a register has lanes.
  template <class Stored>
  struct NarrowOf {
    using Bits = std::conditional_t<sizeof(Stored) == 1, std::uint8_t, std::uint16_t>;
    typedef Bits Type
        __attribute__((vector_size(width * sizeof(Stored)), aligned(alignof(Stored)), may_alias));
  };
  template <class Stored>
  using Narrow = typename NarrowOf<Stored>::Type;

  // From the type that numbers are stored in to the one they are computed in, and back.
  template <class Stored>
  static TILEWISE_INLINE Reg widen(Narrow<Stored> narrow) {
    // In two steps: GCC 12 takes a byte to a word one by one.
    const auto bits = __builtin_convertvector(__builtin_convertvector(narrow, HalfWide), Wide);
    if constexpr (std::is_same_v<Stored, Half>) {
      const Wide rest = bits & 0x7fffu;
      // The exponent's bias is 112 higher in a float: a multiplication moves it, subnormals too.
      const Reg scaled = (Reg)(rest << 13) * 0x1p112f;
      const Wide no_number = (Wide)(rest >= 0x7c00u) & 0x7f800000u;  // infinite, or not a number
      return (Reg)((Wide)scaled | no_number | (bits & 0x8000u) << 16);
    } else if constexpr (std::is_same_v<Stored, BFloat16>) {
      return (Reg)(bits << 16);
    } else {
      return (Reg)bits;
    }
  }
  template <class Stored>
  static TILEWISE_INLINE Narrow<Stored> narrow(Reg r) {
    Narrow<Stored> bits;
    if constexpr (std::is_same_v<Stored, Half>) {
      for (int i = 0; i < width; ++i) bits[i] = to_half(r[i]).bits;
    } else {
      bits = __builtin_convertvector(__builtin_convertvector(r, HalfWide), Narrow<Stored>);
    }
    return bits;
  }

  template <class Stored>
  static TILEWISE_INLINE Reg load(const Stored* p) {
    return Trait::template widen<Stored>(*reinterpret_cast<const Narrow<Stored>*>(p));
  }
  template <class Stored>
  static TILEWISE_INLINE void store(Stored* p, Reg r) {
    *reinterpret_cast<Narrow<Stored>*>(p) = Trait::template narrow<Stored>(r);
  }

  // The first `count` of them only; the other lanes are zero.
  template <class Stored>
  static TILEWISE_INLINE Reg load_first(const Stored* p, int count) {
    Narrow<Stored> lanes{};
    for (int i = 0; i < count; ++i) reinterpret_cast<Stored*>(&lanes)[i] = p[i];
    return Trait::template widen<Stored>(lanes);
  }
  template <class Stored>
  static TILEWISE_INLINE void store_first(Stored* p, Reg r, int count) {
    const Narrow<Stored> lanes = Trait::template narrow<Stored>(r);
    for (int i = 0; i < count; ++i) p[i] = reinterpret_cast<const Stored*>(&lanes)[i];
  }

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
  using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  typedef Word Wide __attribute__((vector_size(Bytes)));
  using HalfWord = std::conditional_t<sizeof(T) == 4, std::uint16_t, std::uint32_t>;
  typedef HalfWord HalfWide __attribute__((vector_size(Bytes / 2)));
  typedef T Unaligned __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
};

}  // namespace tilewise::simd
