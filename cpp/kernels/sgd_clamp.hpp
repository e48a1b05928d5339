// Residuals whose gradients are cut.
#pragma once

#include "base/types.hpp"

namespace tilewise::kernels {

// A number or a vector of them, no further from 0 than its limit. Keeps what is not a number.
// Keeps what is not a number.
template <class Reg>
TILEWISE_INLINE Reg clamp(Reg r, Reg limit) {
  const Reg above = r > limit ? limit : r;
  return above < -limit ? -limit : above;
}

}  // namespace tilewise::kernels
