#include "simd/avx512.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa avx512 = make_isa<simd::Avx512>("avx512");

}  // namespace tilewise::kernels
