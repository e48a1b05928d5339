#include "simd/avx512.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const KernelSet avx512 = make_kernel_set<simd::Avx512>("avx512");

}  // namespace tilewise::kernels
