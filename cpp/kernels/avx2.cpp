#include "simd/avx2.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const KernelSet avx2 = make_kernel_set<simd::Avx2>("avx2");

}  // namespace tilewise::kernels
