// The speed of the five loops with any blocking, to compare with the blocking of the formula.
#pragma once

#include "gemm/blocking.hpp"

namespace tilewise::measure {

// GFLOP/s of a product of two n x n matrices on one thread, the best of `repeats`. Throws
// std::bad_alloc.
template <class T>
double gflops_with_blocking(index n, const gemm::Blocking& blocking, int repeats);

}  // namespace tilewise::measure
