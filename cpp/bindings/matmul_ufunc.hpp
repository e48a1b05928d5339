// numpy.matmul's twin: a generalized ufunc with our inner loops, so that broadcasting, casting,
// out=, order=, the errors and the warnings are NumPy's own.
#pragma once

#include <pybind11/pybind11.h>

#include "gemm/plan.hpp"

namespace tilewise::bindings {

// Of a MemoryError.
inline constexpr const char* no_memory = "matmul: no memory for the packed operands";

// Imports NumPy and makes the ufunc. Once, before the first call.
void make_matmul_ufunc();

// Whether an operand multiplies in a way of its own, by an __array_ufunc__ that is not NumPy's.
bool overrides_ufuncs(PyObject* operand);

// Calls numpy.matmul itself, which such operands know. Throws error_already_set.
pybind11::object call_numpy_matmul(PyObject* const* args, std::size_t positional,
                                   PyObject* keywords);

// Calls the ufunc with the arguments of a vectorcall. Throws error_already_set.
pybind11::object call_matmul_ufunc(const gemm::Options& options, PyObject* const* args,
                                   std::size_t positional, PyObject* keywords);

}  // namespace tilewise::bindings
