#include "bindings/bindings.hpp"
#include "cpu/features.hpp"
#include "cpu/topology.hpp"
#include "kernels/registry.hpp"

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

}  // namespace

void register_machine(py::module_& module) {
  module.def("isa", [] { return kernels::in_use().name; }, "The instruction set in use.");
  module.def("available_isas", &available_isas, "Those that this CPU can run, best first.");
  module.def("cpu_name", &cpu::name, "The CPU's marketing name, or 'unknown'.");
  module.def("caches", &caches, "Bytes of the data caches l1, l2 and l3.");
}

}  // namespace tilewise::bindings
