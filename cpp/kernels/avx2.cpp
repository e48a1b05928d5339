#include "simd/avx2.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa avx2 = make_isa<simd::Avx2>("avx2");

}  // namespace tilewise::kernels
