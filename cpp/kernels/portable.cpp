#include "simd/portable.hpp"

#include "kernels/make_kernel_set.hpp"

namespace tilewise::kernels {

extern constinit const Isa portable = {
    "portable",
    make_kernel_set<simd::Portable<float>>(),
    make_kernel_set<simd::Portable<double>>(),
};

}  // namespace tilewise::kernels
