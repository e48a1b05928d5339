#include "simd/avx512.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa avx512 = {
    "avx512",
    make_kernel_set<simd::Avx512<float>>(),
    make_kernel_set<simd::Avx512<double>>(),
};

}  // namespace tilewise::kernels
