// AVX2 with FMA: 16 registers of 32 bytes, masks held in vectors.
#pragma once

#include <immintrin.h>

#include "simd/vector.hpp"

namespace tilewise::simd {

template <class T>
struct Avx2 : Vector<Avx2<T>, T, 32> {
  using Base = Vector<Avx2<T>, T, 32>;
  using Reg = typename Base::Reg;
  using Base::load;
  using Base::store;
  using Mask = __m256i;

  // 12 accumulators, 2 vectors of B, 1 broadcast of A: 15 of 16 registers.
  static constexpr int tile_rows = 6;
  static constexpr int tile_vectors = 2;

  // Accumulators of a tile of inner products.
  static constexpr int dot_sums = 8;

  static TILEWISE_INLINE Mask first(int n) {
    if constexpr (sizeof(T) == 4) {
      return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    } else {
      return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
    }
  }

  // Lanes outside the mask come from `other`; their memory is not touched.
  static TILEWISE_INLINE Reg load(const T* p, Mask mask, Reg other) {
    __m256i loaded;
    if constexpr (sizeof(T) == 4) {
      loaded = _mm256_maskload_epi32(reinterpret_cast<const int*>(p), mask);
    } else {
      loaded = _mm256_maskload_epi64(reinterpret_cast<const long long*>(p), mask);
    }
    return (Reg)_mm256_blendv_epi8((__m256i)other, loaded, mask);
  }

  // Which lane each lane gets; those of a second register are numbered from `width` on. Numbers of
  // 8 bytes move as two of 4.
  using Lanes = __m256i;
  static TILEWISE_INLINE Lanes lanes(const int (&lane)[Base::width]) {
    if constexpr (sizeof(T) == 4) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lane));
    } else {
      const __m128i l = _mm_loadu_si128(reinterpret_cast<const __m128i*>(lane));
      const __m256i twice = _mm256_cvtepu32_epi64(_mm_add_epi32(l, l));
      const __m256i second = _mm256_slli_epi64(_mm256_add_epi64(twice, _mm256_set1_epi64x(1)), 32);
      return _mm256_or_si256(twice, second);
    }
  }
  // Each `by` lanes further.
  static TILEWISE_INLINE Lanes shifted(Lanes lanes, int by) {
    return _mm256_add_epi32(lanes, _mm256_set1_epi32(by * static_cast<int>(sizeof(T) / 4)));
  }
  static TILEWISE_INLINE Reg permute(Lanes lanes, Reg r) {
    return (Reg)_mm256_permutevar8x32_epi32((__m256i)r, lanes);
  }
  static TILEWISE_INLINE Reg permute(Lanes lanes, Reg low, Reg high) {
    const __m256i of_high = _mm256_slli_epi32(lanes, 28);  // the sign: lanes from 8 on
    return (Reg)_mm256_blendv_ps((__m256)permute(lanes, low), (__m256)permute(lanes, high),
                                 (__m256)of_high);
  }

  static TILEWISE_INLINE Reg sqrt(Reg r) {
    if constexpr (sizeof(T) == 4) {
      return (Reg)_mm256_sqrt_ps((__m256)r);
    } else {
      return (Reg)_mm256_sqrt_pd((__m256d)r);
    }
  }

  // By instructions that the compiler does not find.
  template <class Stored>
  static TILEWISE_INLINE Reg widen(typename Base::template Narrow<Stored> narrow) {
    if constexpr (std::is_same_v<Stored, Half>) {
      return (Reg)_mm256_cvtph_ps((__m128i)narrow);
    } else if constexpr (sizeof(Stored) == 1) {
      return (Reg)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)narrow));
    } else {
      return Base::template widen<Stored>(narrow);
    }
  }
  template <class Stored>
  static TILEWISE_INLINE typename Base::template Narrow<Stored> narrow(Reg r) {
    if constexpr (std::is_same_v<Stored, Half>) {
      return (typename Base::template Narrow<Half>)_mm256_cvtps_ph((__m256)r,
                                                                   _MM_FROUND_TO_NEAREST_INT);
    } else {
      return Base::template narrow<Stored>(r);
    }
  }

  static TILEWISE_INLINE void stream(T* aligned, Reg r) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(aligned), (__m256i)r);
  }
  static TILEWISE_INLINE void finish_streams() { _mm_sfence(); }

  static TILEWISE_INLINE void store(T* p, Reg r, Mask mask) {
    if constexpr (sizeof(T) == 4) {
      _mm256_maskstore_epi32(reinterpret_cast<int*>(p), mask, (__m256i)r);
    } else {
      _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), mask, (__m256i)r);
    }
  }
};

}  // namespace tilewise::simd
