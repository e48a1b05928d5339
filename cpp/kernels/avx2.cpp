#include "simd/avx2.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa avx2 = {
    "avx2",
    make_kernel_set<simd::Avx2<float>>(),
    make_kernel_set<simd::Avx2<double>>(),
};

}  // namespace tilewise::kernels
