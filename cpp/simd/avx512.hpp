// AVX-512 (F, DQ, BW, VL): 32 registers of 64 bytes, masks for part of a vector.
#pragma once

#include <immintrin.h>

#include "simd/vector.hpp"

namespace tilewise::simd {

template <class T>
struct Avx512 : Vector<Avx512<T>, T, 64> {
  using Base = Vector<Avx512<T>, T, 64>;
  using Reg = typename Base::Reg;
  using Base::load;
  using Base::store;
  using Mask = unsigned short;

  // 24 accumulators, 3 vectors of B, 1 or more broadcasts of A: 11 loads for 24 multiply-adds.
  static constexpr int tile_rows = 8;
  static constexpr int tile_vectors = 3;

  // Accumulators of a tile of inner products.
  static constexpr int dot_sums = 16;

  static TILEWISE_INLINE Mask first(int n) { return static_cast<Mask>((1u << n) - 1); }

  // Lanes outside the mask come from `other`; their memory is not touched.
  static TILEWISE_INLINE Reg load(const T* p, Mask mask, Reg other) {
    if constexpr (sizeof(T) == 4) {
      return (Reg)_mm512_mask_loadu_epi32((__m512i)other, mask, p);
    } else {
      return (Reg)_mm512_mask_loadu_epi64((__m512i)other, static_cast<__mmask8>(mask), p);
    }
  }

  // Instructions below have a mask of all lanes where GCC 12 warns of the undefined lanes that the
  // plain one begins with.

  // Which lane each lane gets; those of a second register are numbered from `width` on.
  using Lanes = __m512i;
  static TILEWISE_INLINE Lanes lanes(const int (&lane)[Base::width]) {
    if constexpr (sizeof(T) == 4) {
      return _mm512_loadu_si512(lane);
    } else {
      return _mm512_maskz_cvtepi32_epi64(
          0xff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lane)));
    }
  }
  // Each `by` lanes further.
  static TILEWISE_INLINE Lanes shifted(Lanes lanes, int by) {
    if constexpr (sizeof(T) == 4) {
      return _mm512_add_epi32(lanes, _mm512_set1_epi32(by));
    } else {
      return _mm512_add_epi64(lanes, _mm512_set1_epi64(by));
    }
  }
  static TILEWISE_INLINE Reg permute(Lanes lanes, Reg r) {
    if constexpr (sizeof(T) == 4) {
      return (Reg)_mm512_maskz_permutexvar_epi32(0xffff, lanes, (__m512i)r);
    } else {
      return (Reg)_mm512_maskz_permutexvar_epi64(0xff, lanes, (__m512i)r);
    }
  }
  static TILEWISE_INLINE Reg permute(Lanes lanes, Reg low, Reg high) {
    if constexpr (sizeof(T) == 4) {
      return (Reg)_mm512_permutex2var_epi32((__m512i)low, lanes, (__m512i)high);
    } else {
      return (Reg)_mm512_permutex2var_epi64((__m512i)low, lanes, (__m512i)high);
    }
  }

  static TILEWISE_INLINE Reg sqrt(Reg r) {
    if constexpr (sizeof(T) == 4) {
      return (Reg)_mm512_maskz_sqrt_ps(0xffff, (__m512)r);
    } else {
      return (Reg)_mm512_maskz_sqrt_pd(0xff, (__m512d)r);
    }
  }

  // By instructions that the compiler does not find.
  template <class Stored>
  static TILEWISE_INLINE Reg widen(typename Base::template Narrow<Stored> narrow) {
    if constexpr (std::is_same_v<Stored, Half>) {
      return (Reg)_mm512_maskz_cvtph_ps(first(16), (__m256i)narrow);
    } else if constexpr (sizeof(Stored) == 1) {
      return (Reg)_mm512_maskz_cvtepu8_epi32(first(16), (__m128i)narrow);
    } else {
      return Base::template widen<Stored>(narrow);
    }
  }
  template <class Stored>
  static TILEWISE_INLINE typename Base::template Narrow<Stored> narrow(Reg r) {
    if constexpr (std::is_same_v<Stored, Half>) {
      return (typename Base::template Narrow<Half>)_mm512_maskz_cvtps_ph(first(16), (__m512)r,
                                                                         _MM_FROUND_TO_NEAREST_INT);
    } else if constexpr (sizeof(Stored) == 1) {
      return (typename Base::template Narrow<Stored>)_mm512_maskz_cvtepi32_epi8(first(16),
                                                                                (__m512i)r);
    } else {
      return Base::template narrow<Stored>(r);
    }
  }

  static TILEWISE_INLINE void stream(T* aligned, Reg r) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(aligned), (__m512i)r);
  }
  static TILEWISE_INLINE void finish_streams() { _mm_sfence(); }

  static TILEWISE_INLINE void store(T* p, Reg r, Mask mask) {
    if constexpr (sizeof(T) == 4) {
      _mm512_mask_storeu_epi32(p, mask, (__m512i)r);
    } else {
      _mm512_mask_storeu_epi64(p, static_cast<__mmask8>(mask), (__m512i)r);
    }
  }
};

}  // namespace tilewise::simd
