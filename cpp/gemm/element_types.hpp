// The types in which products are computed. Integers are unsigned, whose overflow is defined, and
// whose product has the bits of the signed one.
#pragma once

#include <cstdint>

#define TILEWISE_FOR_EACH_ELEMENT_TYPE(INSTANTIATE) \
  INSTANTIATE(float)                                \
  INSTANTIATE(double)                               \
  INSTANTIATE(std::uint32_t)                        \
  INSTANTIATE(std::uint64_t)
