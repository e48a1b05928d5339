// The floating-point exceptions that arithmetic has raised on this thread: invalid, divide by
// zero, overflow and underflow, as a set of the FE_ constants of <cfenv>.
#pragma once

#include <cfenv>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tilewise::cpu {

#if defined(__x86_64__)

// The vector units' own register, whose bits are those of <cfenv>: far cheaper than its functions,
// which look at the x87 unit too.
inline unsigned raised_exceptions() { return _mm_getcsr() & _MM_EXCEPT_MASK; }
inline void clear_exceptions() { _mm_setcsr(_mm_getcsr() & ~_MM_EXCEPT_MASK); }
inline void raise_exceptions(unsigned set) { _mm_setcsr(_mm_getcsr() | set); }

// How a thread computes: its rounding mode and whether it flushes denormals. Setting it clears the
// exceptions.
inline unsigned arithmetic_mode() { return _mm_getcsr() & ~_MM_EXCEPT_MASK; }
inline void set_arithmetic_mode(unsigned mode) { _mm_setcsr(mode); }

#else

inline unsigned raised_exceptions() {
  return static_cast<unsigned>(std::fetestexcept(FE_ALL_EXCEPT));
}
inline void clear_exceptions() { std::feclearexcept(FE_ALL_EXCEPT); }
inline void raise_exceptions(unsigned set) { std::feraiseexcept(static_cast<int>(set)); }

inline unsigned arithmetic_mode() { return static_cast<unsigned>(std::fegetround()); }
inline void set_arithmetic_mode(unsigned mode) {
  std::fesetround(static_cast<int>(mode));
  clear_exceptions();
}

#endif

}  // namespace tilewise::cpu
