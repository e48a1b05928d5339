// A dtype that Python gives, as the type of a template.
#pragma once

#include <pybind11/numpy.h>

#include <string>

#include "base/element_types.hpp"

namespace tilewise::bindings {

// Returns run.operator()<T>() for the T that the dtype stands for: float32 or float64.
template <class Run>
auto dispatch_float(const pybind11::object& dtype, const Run& run) {
  const auto wanted = pybind11::dtype::from_args(dtype);
#define TILEWISE_TRY(T) \
  if (wanted.equal(pybind11::dtype::of<T>())) return run.template operator()<T>();
  TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_TRY)
#undef TILEWISE_TRY
  throw pybind11::type_error("dtype=" + pybind11::str(dtype).cast<std::string>() +
                             " is not supported; choose float32 or float64");
}

}  // namespace tilewise::bindings
