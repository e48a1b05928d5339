#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "cpu/features.hpp"
#include "cpu/topology.hpp"
#include "kernels/registry.hpp"
#include "threads/pool.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

py::tuple available_isas() {
  py::list names;
  for (const kernels::KernelSet* isa : kernels::available()) names.append(isa->name);
  return py::tuple(names);
}

py::dict caches() {
  const cpu::Caches& found = cpu::caches();
  py::dict sizes;
  sizes["l1"] = found.l1;
  sizes["l2"] = found.l2;
  sizes["l3"] = found.l3;
  return sizes;
}

// GFLOP/s of multiply-adds alone, on the calling thread, over about the seconds given.
template <class T>
double fma_gflops(const kernels::PeakKernels<T>& kernels, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr index steps = 10000;  // some tens of microseconds
  index rounds = 0;
  double elapsed = 0;
  const GilRelease release;
  const auto start = Clock::now();
  do {
    [[maybe_unused]] const volatile T result = kernels.peak_fma(steps);
    ++rounds;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return static_cast<double>(rounds * steps) * kernels.flops_in_a_step / elapsed / 1e9;
}

double fma_gflops_float32(double seconds) {
  return fma_gflops(kernels::in_use().f32.peak, seconds);
}
double fma_gflops_float64(double seconds) {
  return fma_gflops(kernels::in_use().f64.peak, seconds);
}

// GB/s of reading `size` bytes a thread over and over: the inner product of their two halves.
double read_gbytes(index size, int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const index count = size / 2 / static_cast<index>(sizeof(float));
  const auto dot = kernels::in_use().f32.gemm.dot;
  std::vector<AlignedBuffer> buffers(threads);
  for (AlignedBuffer& buffer : buffers) buffer.reserve<float>(2 * count);
  std::vector<double> bytes(threads);
  const GilRelease release;
  threads::for_each_part(threads, [&](int part) {
    std::fill_n(buffers[part].reserve<float>(2 * count), 2 * count, 0.0f);
  });
  const auto elapsed_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const auto begin = Clock::now();
  threads::for_each_part(threads, [&](int part) {
    const auto* const data = buffers[part].reserve<float>(2 * count);
    index turns = 0;
    const auto start = Clock::now();
    do {
      // Some microseconds between two looks at the clock.
      for (index read = 0; read < 1 << 20; read += size, ++turns) {
        [[maybe_unused]] const volatile float sum = dot(count, data, 1, data + count, 1);
      }
    } while (elapsed_since(start) < seconds);
    bytes[part] = static_cast<double>(turns * size);
  });
  return std::accumulate(bytes.begin(), bytes.end(), 0.0) / elapsed_since(begin) / 1e9;
}

}  // namespace

void register_machine(py::module_& module) {
  module.def(
      "isa", [] { return kernels::in_use().name; }, "The instruction set in use.");
  module.def("available_isas", &available_isas, "Those that this CPU can run, best first.");
  module.def("cpu_name", &cpu::name, "The CPU's marketing name, or 'unknown'.");
  module.def("caches", &caches, "Bytes of the data caches l1, l2 and l3.");
  module.def("usable_cpus", &cpu::usable_cpus, "CPUs that the process may use.");
  module.def("fma_gflops_float32", &fma_gflops_float32, py::arg("seconds"));
  module.def("fma_gflops_float64", &fma_gflops_float64, py::arg("seconds"));
  module.def("read_gbytes", &read_gbytes, py::arg("size"), py::arg("threads"), py::arg("seconds"));
}

}  // namespace tilewise::bindings
