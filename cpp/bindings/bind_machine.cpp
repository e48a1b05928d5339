#include <string>

#include "bindings/bindings.hpp"
#include "bindings/dtype.hpp"
#include "bindings/gil.hpp"
#include "cpu/features.hpp"
#include "cpu/topology.hpp"
#include "kernels/registry.hpp"
#include "measure/blocking.hpp"
#include "measure/limits.hpp"
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

double peak_fma(const py::object& dtype, double seconds) {
  return dispatch_float(dtype, [&]<class T>() {
    const GilRelease release;
    return measure::peak_fma<T>(seconds);
  });
}

double gflops_with_blocking(const py::object& dtype, index n, index mc, index nc, index kc,
                            int repeats) {
  return dispatch_float(dtype, [&]<class T>() {
    const GilRelease release;
    return measure::gflops_with_blocking<T>(n, {.mc = mc, .kc = kc, .nc = nc}, repeats);
  });
}

}  // namespace

void register_machine(py::module_& module) {
  module.def(
      "isa", [] { return kernels::in_use().name; }, "The instruction set in use.");
  module.def("available_isas", &available_isas, "Those that this CPU can run, best first.");
  module.def("cpu_name", &cpu::name, "The CPU's marketing name, or 'unknown'.");
  module.def("caches", &caches, "Bytes of the data caches l1, l2 and l3.");
  module.def("usable_cpus", &cpu::usable_cpus, "CPUs that the process may use.");
  module.def("peak_fma", &peak_fma, py::arg("dtype"), py::arg("seconds"),
             "GFLOP/s of multiply-adds in registers, on one thread.");
  module.def("read_gbytes", &measure::read_gbytes, py::arg("size"), py::arg("threads"),
             py::arg("seconds"), py::call_guard<GilRelease>(),
             "GB/s of reading so many bytes a thread over and over.");
  module.def("gflops_with_blocking", &gflops_with_blocking, py::arg("dtype"), py::arg("n"),
             py::arg("mc"), py::arg("nc"), py::arg("kc"), py::arg("repeats"),
             "GFLOP/s of n x n products on one thread with this blocking, the best of `repeats`.");
}

}  // namespace tilewise::bindings
