// Floating-point numbers of 16 bits, for storage only.
#pragma once

#include <cstdint>

#include "base/types.hpp"

namespace tilewise {

// IEEE 754 binary16.
struct Half {
  std::uint16_t bits;
};

// The upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};

// To nearest, ties to even. The conversion itself raises overflow, but not underflow or inexact.
TILEWISE_INLINE Half to_half(float value) {
  const std::uint32_t word = __builtin_bit_cast(std::uint32_t, value);
  const auto sign = static_cast<std::uint16_t>(word >> 16 & 0x8000u);
  const std::uint32_t rest = word & 0x7fffffffu;
  if (rest > 0x7f800000u) return {static_cast<std::uint16_t>(sign | 0x7e00u)};
  if (rest >= 0x477ff000u) {  // rounds to at least 65536
    if (rest < 0x7f800000u) {
      volatile float largest = 0x1.fffffep127f;
      largest = largest * 2.0f;  // raises the exception
    }
    return {static_cast<std::uint16_t>(sign | 0x7c00u)};
  }
  if (rest < 0x38800000u) {  // below 2^-14: the sum rounds to a multiple of 2^-24
    const float shifted = __builtin_bit_cast(float, rest) + 0.5f;
    return {static_cast<std::uint16_t>(sign |
                                       (__builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u))};
  }
  const std::uint32_t even = rest >> 13 & 1u;
  return {static_cast<std::uint16_t>(sign | (rest + 0xfffu + even - 0x38000000u) >> 13)};
}

}  // namespace tilewise
