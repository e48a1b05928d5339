// IEEE 754 binary16, for storage only.
#pragma once

#include <bit>
#include <cstdint>

namespace tilewise {

struct Half {
  std::uint16_t bits;
};

inline float to_float(Half half) {
  const std::uint32_t sign = (half.bits & 0x8000u) << 16;
  const std::uint32_t rest = half.bits & 0x7fffu;
  if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | rest << 13);  // inf, nan
  // The exponent's bias is 112 higher in a float: a multiplication moves it, subnormals too.
  const float scaled = std::bit_cast<float>(rest << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

// To nearest, ties to even. The conversion itself raises overflow, but not underflow or inexact.
inline Half to_half(float value) {
  const std::uint32_t word = std::bit_cast<std::uint32_t>(value);
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
    const float shifted = std::bit_cast<float>(rest) + 0.5f;
    return {
        static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u))};
  }
  const std::uint32_t even = rest >> 13 & 1u;
  return {static_cast<std::uint16_t>(sign | (rest + 0xfffu + even - 0x38000000u) >> 13)};
}

}  // namespace tilewise
