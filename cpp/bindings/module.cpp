#include <cstdlib>

#include "bindings/bindings.hpp"
#include "cpu/topology.hpp"
#include "kernels/registry.hpp"

namespace {

// NumPy works in one interpreter of a process, and before Python 3.12 pybind11 would wait for ever
// in any but the main one. From 3.13 on, Python itself refuses those with a lock of their own.
bool refuse_subinterpreter() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return false;
  PyErr_SetString(PyExc_ImportError,
                  "tilewise does not support subinterpreters; import it in the main interpreter");
  return true;
}

}  // namespace

PYBIND11_MODULE(_core_of_main, module) {
  if (refuse_subinterpreter()) throw pybind11::error_already_set();
  const char* forced = std::getenv("TILEWISE_ISA");
  tilewise::kernels::use(tilewise::kernels::choose(forced == nullptr ? "" : forced));
  // Read now: a process that forks while another thread reads them for the first time has a child
  // that waits for that thread for ever.
  tilewise::cpu::usable_cpus();
  tilewise::cpu::caches();
  module.doc() = "The compiled core of tilewise.";
  tilewise::bindings::register_gradient(module);
  tilewise::bindings::register_machine(module);
  tilewise::bindings::register_matmul(module);
  tilewise::bindings::register_threads(module);
  tilewise::bindings::register_trainer(module);
}

// Python 3.13 calls this in the main interpreter whichever imports, and only the body above in the
// other.
PYBIND11_PLUGIN_IMPL(_core) { return refuse_subinterpreter() ? nullptr : PyInit__core_of_main(); }
