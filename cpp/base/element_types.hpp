// The one list of element types. A type of 4 or 8 bytes that is added here has its kernels, in
// every instruction set, and its products.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/half.hpp"

// Of models, and of products.
#define TILEWISE_FOR_EACH_FLOAT_TYPE(USE) \
  USE(float)                              \
  USE(double)

// Of products. Integers are unsigned, whose overflow is defined, and whose product has the bits of
// the signed one.
#define TILEWISE_FOR_EACH_ELEMENT_TYPE(USE) \
  TILEWISE_FOR_EACH_FLOAT_TYPE(USE)         \
  USE(std::uint32_t)                        \
  USE(std::uint64_t)

// Of products whose operands are stored in fewer bits than they are computed in.
#define TILEWISE_FOR_EACH_STORED_TYPE(USE) \
  USE(Half)                                \
  USE(BFloat16)                            \
  USE(std::uint8_t)                        \
  USE(std::uint16_t)

namespace tilewise {

// The floating-point ones in float32. Of the integers the result keeps the low bits, as NumPy's
// wrap around.
template <class Stored>
using ComputedAs = std::conditional_t<std::is_integral_v<Stored>, std::uint32_t, float>;

}  // namespace tilewise
