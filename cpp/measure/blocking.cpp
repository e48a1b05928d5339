#include "measure/blocking.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/element_types.hpp"
#include "gemm/multiply.hpp"
#include "measure/stopwatch.hpp"

namespace tilewise::measure {

template <class T>
double gflops_with_blocking(index n, const gemm::Blocking& blocking, int repeats) {
  const std::vector<T> a(n * n, T{1});
  const std::vector<T> b(n * n, T{1});
  std::vector<T> c(n * n);
  const auto& kernels = kernels::in_use().gemm<T>();
  const gemm::Plan plan = {gemm::Blocked{.blocking = blocking,
                                         .pack_a = false,
                                         .pack_b = true,
                                         .prefetch_next_panel = false,
                                         .grid = {1, 1},
                                         .threads = 1}};
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) {
    const Stopwatch watch;
    gemm::execute<T>(kernels, plan, MatrixView<const T>::row_major(a.data(), n, n),
                     MatrixView<const T>::row_major(b.data(), n, n),
                     MatrixView<T>::row_major(c.data(), n, n));
    best = std::min(best, watch.seconds());
  }
  return 2.0 * static_cast<double>(n * n * n) / best / 1e9;
}

#define TILEWISE_INSTANTIATE(T) \
  template double gflops_with_blocking<T>(index, const gemm::Blocking&, int);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::measure
