#include "simd/portable.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const KernelSet portable = make_kernel_set<simd::Portable>("portable");

}  // namespace tilewise::kernels
