// Each topic adds its functions and classes to the module.
#pragma once

#include <pybind11/pybind11.h>

namespace tilewise::bindings {

void register_gradient(pybind11::module_& module);
void register_machine(pybind11::module_& module);
void register_matmul(pybind11::module_& module);
void register_threads(pybind11::module_& module);
void register_trainer(pybind11::module_& module);

}  // namespace tilewise::bindings
