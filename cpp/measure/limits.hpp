// What the CPU can do at most, with the instruction set in use.
#pragma once

#include "base/types.hpp"

namespace tilewise::measure {

// GFLOP/s of multiply-adds in registers, on the calling thread, over about the seconds given.
template <class T>
double peak_fma(double seconds);

// GB/s of reading `size` bytes a thread over and over: the inner product of their two halves. At
// least one read each. Throws std::bad_alloc.
double read_gbytes(index size, int threads, double seconds);

}  // namespace tilewise::measure
