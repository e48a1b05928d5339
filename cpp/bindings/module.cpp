#include <cstdlib>

#include "bindings/bindings.hpp"
#include "kernels/registry.hpp"

PYBIND11_MODULE(_core, module) {
  const char* forced = std::getenv("TILEWISE_ISA");
  tilewise::kernels::use(tilewise::kernels::choose(forced == nullptr ? "" : forced));
  module.doc() = "The compiled core of tilewise.";
  tilewise::bindings::register_machine(module);
  tilewise::bindings::register_matmul(module);
  tilewise::bindings::register_trainer(module);
}
