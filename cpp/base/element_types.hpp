// The one list of element types. A type of 4 or 8 bytes that is added here has its kernels, in
// every instruction set, and its products.
#pragma once

#include <cstdint>

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
