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
  module.def("usable_cpus", &cpu::usable_cpus, "CPUs that this process may use.");
  module.def("get_num_threads", &threads::get_num_threads, "The most threads that a call may use.");
  module.def("set_num_threads", &set_num_threads, py::arg("n"),
             "Sets the most threads that a call may use.");
}

}  // namespace tilewise::bindings
