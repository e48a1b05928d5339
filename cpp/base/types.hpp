// The integer type of every size, index and stride, and the compiler hints.
#pragma once

#include <cstddef>

#define TILEWISE_INLINE inline __attribute__((always_inline))
#define TILEWISE_INLINE_LAMBDA __attribute__((always_inline))

// Unrolls the next loop completely, so that an array indexed by its counter lives in registers.
#if defined(__clang__)
#define TILEWISE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILEWISE_UNROLL _Pragma("GCC unroll 64")
#endif

// The compiler no longer knows what memory holds: what was stored is loaded again. A broadcast from
// memory is free; from a register it is a permutation.
#define TILEWISE_CLOBBER(memory) __asm__ volatile("" : : "r"(memory) : "memory")

namespace tilewise {

using index = std::ptrdiff_t;  // strides are negative for reversed views

}  // namespace tilewise
