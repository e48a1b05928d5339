// matmul is a NumPy generalized ufunc with our inner loops, so broadcasting, casting, out=, order=
// and the errors are NumPy's own. A thin function in front takes strategy and block_size.

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include "bindings/bindings.hpp"
// NumPy's headers come after Python's.
#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "bindings/matmul_doc.hpp"
#include "gemm/strategies.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

// What the calling thread asked of the inner loop, and what the loop has to report: NumPy hands
// neither through.
struct Call {
  gemm::Plan plan;
  bool out_of_memory = false;
};

thread_local Call current_call;

class CallScope {
 public:
  explicit CallScope(const gemm::Plan& plan) : outer_(current_call) { current_call = {plan}; }
  ~CallScope() { current_call = outer_; }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  Call outer_;
};

template <class T>
MatrixView<T> matrix_view(char* data, npy_intp rows, npy_intp cols, const npy_intp* byte_strides) {
  constexpr npy_intp size = sizeof(T);
  return {reinterpret_cast<T*>(data), rows, cols, byte_strides[0] / size, byte_strides[1] / size};
}

// The inner loop for signature (n?,k),(k,m?)->(n?,m?): a stack of products. Runs without the GIL.
template <class T>
void matmul_loop(char** args, const npy_intp* dimensions, const npy_intp* steps, void*) {
  const auto [stack, m, k, n] =
      std::tuple(dimensions[0], dimensions[1], dimensions[2], dimensions[3]);
  const npy_intp* strides = steps + 3;
  try {
    for (npy_intp i = 0; i < stack; ++i) {
      const auto a = matrix_view<const T>(args[0] + i * steps[0], m, k, strides);
      const auto b = matrix_view<const T>(args[1] + i * steps[1], k, n, strides + 2);
      const auto c = matrix_view<T>(args[2] + i * steps[2], m, n, strides + 4);
      gemm::multiply(current_call.plan, a, b, c);
    }
  } catch (const std::bad_alloc&) {
    current_call.out_of_memory = true;
  }
}

// numpy.matmul's table of loops with ours in the places of the types that we compute; the other
// types keep NumPy's. NumPy refers to the table for as long as the ufunc lives.
struct LoopTable {
  std::vector<PyUFuncGenericFunction> functions;
  std::vector<void*> data;
  std::vector<char> types;

  explicit LoopTable(const PyUFuncObject& numpy_matmul) {
    const int count = numpy_matmul.ntypes;
    functions.assign(numpy_matmul.functions, numpy_matmul.functions + count);
    types.assign(numpy_matmul.types, numpy_matmul.types + count * numpy_matmul.nargs);
    data.resize(count);
    for (int i = 0; i < count; ++i) {
      if (numpy_matmul.data != nullptr) data[i] = numpy_matmul.data[i];
      const int type = types[i * numpy_matmul.nargs];
      if (type == NPY_FLOAT) functions[i] = matmul_loop<float>;
      if (type == NPY_DOUBLE) functions[i] = matmul_loop<double>;
    }
  }
};

PyObject* make_ufunc() {
  const py::object numpy_matmul = py::module_::import("numpy").attr("matmul");
  const auto& theirs = *reinterpret_cast<PyUFuncObject*>(numpy_matmul.ptr());
  auto& table = *new LoopTable(theirs);  // lives as long as the process, like the ufunc
  PyObject* ufunc = PyUFunc_FromFuncAndDataAndSignature(
      table.functions.data(), table.data.data(), table.types.data(), theirs.ntypes, theirs.nin,
      theirs.nout, PyUFunc_None, "matmul", matmul_doc, 0, theirs.core_signature);
  if (ufunc == nullptr) throw py::error_already_set();
  auto& ours = *reinterpret_cast<PyUFuncObject*>(ufunc);
  ours.type_resolver = theirs.type_resolver;
  ours.iter_flags = theirs.iter_flags;
  std::copy_n(theirs.op_flags, theirs.nargs, ours.op_flags);  // copy where out overlaps an input
  return ufunc;
}

PyObject* matmul_ufunc = nullptr;

std::string repr(PyObject* object) { return py::repr(object).cast<std::string>(); }

gemm::Strategy parse_strategy(PyObject* object) {
  if (!PyUnicode_Check(object)) {
    throw py::type_error("strategy=" + repr(object) + " is not a string; choose one of STRATEGIES");
  }
  const auto found = gemm::strategy_named(py::cast<std::string>(object));
  if (found) return *found;
  std::string names;
  for (const auto name : gemm::strategy_names())
    names += (names.empty() ? "" : ", ") + std::string(name);
  throw py::value_error("strategy=" + repr(object) + " is unknown; choose one of " + names);
}

index parse_block_size(PyObject* object) {
  if (PyBool_Check(object) || !PyIndex_Check(object)) {
    throw py::type_error("block_size=" + repr(object) +
                         " is not an integer; give a number of columns");
  }
  const Py_ssize_t size = PyNumber_AsSsize_t(object, nullptr);  // clipped when out of range
  if (size == -1 && PyErr_Occurred()) throw py::error_already_set();
  if (size < 1) {
    throw py::value_error("block_size=" + repr(object) + " is below 1; give a number of columns");
  }
  return size;
}

// The arguments less strategy and block_size, which are NumPy's, and those two.
struct Arguments {
  gemm::Plan plan;
  std::vector<PyObject*> values;
  py::object keywords;

  Arguments(PyObject* const* args, Py_ssize_t positional, PyObject* names) {
    values.assign(args, args + positional);
    py::list kept;
    const Py_ssize_t count = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* name = PyTuple_GET_ITEM(names, i);
      PyObject* value = args[positional + i];
      if (PyUnicode_CompareWithASCIIString(name, "strategy") == 0) {
        plan.strategy = parse_strategy(value);
      } else if (PyUnicode_CompareWithASCIIString(name, "block_size") == 0) {
        plan.block_size = parse_block_size(value);
      } else {
        kept.append(py::handle(name));
        values.push_back(value);
      }
    }
    keywords = py::tuple(kept);
  }
};

PyObject* matmul(PyObject*, PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  try {
    const Arguments arguments(args, positional, names);
    const CallScope scope(arguments.plan);
    py::object result = py::reinterpret_steal<py::object>(PyObject_Vectorcall(
        matmul_ufunc, arguments.values.data(), positional, arguments.keywords.ptr()));
    if (result && current_call.out_of_memory) {
      PyErr_SetString(PyExc_MemoryError, "matmul: no memory for the packed operands");
      return nullptr;
    }
    return result.release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

PyMethodDef methods[] = {
    {"matmul", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(matmul)),
     METH_FASTCALL | METH_KEYWORDS, matmul_doc},
    {nullptr, nullptr, 0, nullptr},
};

int import_numpy() {
  import_array1(-1);
  import_umath1(-1);
  return 0;
}

}  // namespace

void register_matmul(py::module_& module) {
  if (import_numpy() < 0) throw py::error_already_set();
  matmul_ufunc = make_ufunc();
  if (PyModule_AddFunctions(module.ptr(), methods) < 0) throw py::error_already_set();
  py::list names;
  for (const auto name : gemm::strategy_names()) names.append(py::str(name.data(), name.size()));
  module.attr("STRATEGIES") = py::tuple(names);
}

}  // namespace tilewise::bindings
