#include <chrono>
#include <string>

#include "bindings/bindings.hpp"
#include "cpu/features.hpp"
#include "cpu/topology.hpp"
#include "kernels/registry.hpp"
#include "threads/pool.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

py::tuple available_isas() {
  py::list names;
  for (const kernels::Isa* isa : kernels::available()) names.append(isa->name);
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
  const py::gil_scoped_release release;
  const auto start = Clock::now();
  do {
    [[maybe_unused]] const volatile T result = kernels.fma_chain(steps);
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

void set_num_threads(int count) {
  if (count < 1) {
    throw py::value_error("n=" + std::to_string(count) + " is below 1; give a number of threads");
  }
  threads::set_num_threads(count);
}

}  // namespace

void register_machine(py::module_& module) {
  module.def(
      "isa", [] { return kernels::in_use().name; }, "The instruction set in use.");
  module.def("available_isas", &available_isas, "Those that this CPU can run, best first.");
  module.def("cpu_name", &cpu::name, "The CPU's marketing name, or 'unknown'.");
  module.def("caches", &caches, "Bytes of the data caches l1, l2 and l3.");
  module.def("fma_gflops_float32", &fma_gflops_float32, py::arg("seconds"));
  module.def("fma_gflops_float64", &fma_gflops_float64, py::arg("seconds"));
  module.def("get_num_threads", &threads::get_num_threads, "The most threads that a call may use.");
  module.def("set_num_threads", &set_num_threads, py::arg("n"),
             "Sets the most threads that a call may use.");
}

}  // namespace tilewise::bindings
