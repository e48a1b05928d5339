// NumPy's C API, imported once by matmul_ufunc.cpp for all of the module.
#pragma once

#include <pybind11/pybind11.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL tilewise_array_api
#define PY_UFUNC_UNIQUE_SYMBOL tilewise_ufunc_api
#if !defined(TILEWISE_IMPORTS_NUMPY)
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif

#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>
