// What the CPU and the operating system let a program execute.
#pragma once

#include <string>

namespace tilewise::cpu {

#if defined(__x86_64__)
bool has_avx2();    // AVX2, FMA and F16C
bool has_avx512();  // AVX-512 F, DQ, BW and VL
#endif

// The marketing name, or "unknown".
std::string name();

}  // namespace tilewise::cpu
