#include "simd/portable.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa portable = make_isa<simd::Portable>("portable");

}  // namespace tilewise::kernels
