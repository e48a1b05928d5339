#include "measure/limits.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/element_types.hpp"
#include "kernels/registry.hpp"
#include "measure/stopwatch.hpp"
#include "threads/pool.hpp"

namespace tilewise::measure {

template <class T>
double peak_fma(double seconds) {
  constexpr index steps = 10000;  // some tens of microseconds
  const auto& kernels = kernels::in_use().peak<T>();
  index rounds = 0;
  double elapsed = 0;
  const Stopwatch watch;
  do {
    [[maybe_unused]] const volatile T result = kernels.peak_fma(steps);
    ++rounds;
    elapsed = watch.seconds();
  } while (elapsed < seconds);
  return static_cast<double>(rounds * steps) * kernels.flops_in_a_step / elapsed / 1e9;
}

double read_gbytes(index size, int threads, double seconds) {
  const index count = size / 2 / static_cast<index>(sizeof(float));
  const auto dot = kernels::in_use().gemm<float>().dot;
  std::vector<AlignedBuffer> buffers(threads);
  for (AlignedBuffer& buffer : buffers) buffer.reserve<float>(2 * count);
  std::vector<double> bytes(threads);
  threads::for_each_part({threads, threads}, [&](int part) {
    std::fill_n(buffers[part].reserve<float>(2 * count), 2 * count, 0.0f);
  });
  const Stopwatch all;
  threads::for_each_part({threads, threads}, [&](int part) {
    const auto* const data = buffers[part].reserve<float>(2 * count);
    index turns = 0;
    const Stopwatch own;
    do {
      // Some microseconds between two looks at the clock.
      for (index read = 0; read < 1 << 20; read += size, ++turns) {
        [[maybe_unused]] const volatile float sum = dot(count, data, 1, data + count, 1);
      }
    } while (own.seconds() < seconds);
    bytes[part] = static_cast<double>(turns * size);
  });
  return std::accumulate(bytes.begin(), bytes.end(), 0.0) / all.seconds() / 1e9;
}

#define TILEWISE_INSTANTIATE(T) template double peak_fma<T>(double);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::measure
