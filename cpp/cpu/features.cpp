#include "cpu/features.hpp"

#include <array>
#include <cstring>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tilewise::cpu {

#if defined(__x86_64__)

namespace {

// Not known to the builtin of Clang 14.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace

// The builtin also asks whether the operating system saves the wide registers (XGETBV).
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

std::string name() {
  std::array<unsigned, 12> words{};
  for (unsigned part = 0; part < 3; ++part) {
    unsigned* w = &words[4 * part];
    if (__get_cpuid(0x80000002u + part, &w[0], &w[1], &w[2], &w[3]) == 0) return "unknown";
  }
  char text[sizeof(words) + 1] = {};
  std::memcpy(text, words.data(), sizeof(words));
  const std::string padded = text;
  const auto begin = padded.find_first_not_of(' ');
  const auto end = padded.find_last_not_of(' ');
  return begin == std::string::npos ? "unknown" : padded.substr(begin, end - begin + 1);
}

#else

std::string name() {
  std::ifstream file("/sys/firmware/devicetree/base/model");
  std::string model;
  return std::getline(file, model, '\0') && !model.empty() ? model : "unknown";
}

#endif

}  // namespace tilewise::cpu
