// tilewise.matmul: the common call straight to the kernels, every other one through the ufunc.
#include <cfenv>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/dtype.hpp"
#include "bindings/gil.hpp"
#include "bindings/matmul_doc.hpp"
#include "bindings/matmul_ufunc.hpp"
#include "bindings/numpy_api.hpp"
#include "cpu/floating_point.hpp"
#include "gemm/multiply.hpp"
#include "kernels/registry.hpp"
#include "threads/pool.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

// Below this, about ten microseconds, the interpreter lock is kept, and no threads are used: only
// who releases it tells them the number of the context.
constexpr double fmas_without_lock = 5e5;

std::string repr(PyObject* object) { return py::repr(object).cast<std::string>(); }

gemm::Strategy parse_strategy(PyObject* object) {
  if (!PyUnicode_Check(object)) {
    throw py::type_error("strategy=" + repr(object) + " is not a string; choose one of STRATEGIES");
  }
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object, &length);
  if (text == nullptr) PyErr_Clear();  // a lone surrogate: no strategy is called so
  const auto found = gemm::strategy_named(text == nullptr ? "" : std::string_view(text, length));
  if (found) return *found;
  std::string names;
  for (const auto name : gemm::strategy_names)
    names += (names.empty() ? "" : ", ") + std::string(name);
  throw py::value_error("strategy=" + repr(object) + " is unknown; choose one of " + names);
}

index parse_block_size(PyObject* object) {
  if (PyBool_Check(object) || !PyIndex_Check(object)) {
    throw py::type_error("block_size=" + repr(object) +
                         " is not an integer; give a number of columns");
  }
  const Py_ssize_t size = PyNumber_AsSsize_t(object, nullptr);  // clipped: all columns at once
  if (size == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    throw py::type_error("block_size=" + repr(object) +
                         " is not an integer; give a number of columns");
  }
  if (size < 1) {
    throw py::value_error("block_size=" + repr(object) + " is below 1; give a number of columns");
  }
  return size;
}

// The arguments less strategy and block_size, which are NumPy's, and those two.
struct Arguments {
  gemm::Options options;
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
        options.strategy = parse_strategy(value);
      } else if (PyUnicode_CompareWithASCIIString(name, "block_size") == 0) {
        options.block_size = parse_block_size(value);
      } else {
        kept.append(py::handle(name));
        values.push_back(value);
      }
    }
    keywords = py::tuple(kept);
  }
};

PyArrayObject* as_plain_array(PyObject* object) {
  if (!PyArray_CheckExact(object)) return nullptr;
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  const int type = PyArray_TYPE(array);
  const bool plain = (type == NPY_FLOAT || type == NPY_DOUBLE) && PyArray_NDIM(array) == 2 &&
                     PyArray_ISBEHAVED_RO(array);
  return plain ? array : nullptr;
}

// Whether the memory from the first to the last element of the arrays may be the same.
bool may_overlap(PyArrayObject* x, PyArrayObject* y) {
  const auto extent = [](PyArrayObject* array) {
    const char* low = PyArray_BYTES(array);
    const char* high = low + PyArray_ITEMSIZE(array);
    for (int i = 0; i < 2; ++i) {
      const npy_intp reach = (PyArray_DIM(array, i) - 1) * PyArray_STRIDE(array, i);
      (reach < 0 ? low : high) += reach;
    }
    return std::pair(low, high);
  };
  const auto [x_low, x_high] = extent(x);
  const auto [y_low, y_high] = extent(y);
  return x_low < y_high && y_low < x_high;
}

template <class T>
MatrixView<T> view(PyArrayObject* array) {
  constexpr npy_intp size = sizeof(T);
  return {static_cast<T*>(PyArray_DATA(array)), PyArray_DIM(array, 0), PyArray_DIM(array, 1),
          PyArray_STRIDE(array, 0) / size, PyArray_STRIDE(array, 1) / size};
}

template <class T>
void multiply(PyArrayObject* x1, PyArrayObject* x2, PyArrayObject* out) {
  const auto a = view<const T>(x1);
  const auto b = view<const T>(x2);
  const auto c = view<T>(out);
  const auto work =
      static_cast<double>(a.rows) * static_cast<double>(b.cols) * static_cast<double>(a.cols + 1);
  if (work < fmas_without_lock) return gemm::multiply(a, b, c);
  const GilRelease release;
  gemm::multiply(a, b, c);
}

// NumPy's warnings or errors, as numpy.errstate says, for what the product raised.
void report_exceptions(unsigned raised) {
  int found = 0;
  if ((raised & FE_DIVBYZERO) != 0) found |= NPY_FPE_DIVIDEBYZERO;
  if ((raised & FE_OVERFLOW) != 0) found |= NPY_FPE_OVERFLOW;
  if ((raised & FE_UNDERFLOW) != 0) found |= NPY_FPE_UNDERFLOW;
  if ((raised & FE_INVALID) != 0) found |= NPY_FPE_INVALID;
  if (found == 0) return;
  if (PyUFunc_GiveFloatingpointErrors("matmul", found) < 0) throw py::error_already_set();
}

// The common call: two float32 or two float64 matrices, and perhaps such an out that overlaps
// neither. NumPy's machinery, which takes most of a microsecond, is not needed then. An empty
// object, with no error set, if this is another call.
py::object multiply_plain(PyObject* first, PyObject* second, PyObject* given_out) {
  PyArrayObject* x1 = as_plain_array(first);
  PyArrayObject* x2 = as_plain_array(second);
  if (x1 == nullptr || x2 == nullptr || PyArray_TYPE(x1) != PyArray_TYPE(x2)) return {};
  npy_intp shape[2] = {PyArray_DIM(x1, 0), PyArray_DIM(x2, 1)};
  if (PyArray_DIM(x1, 1) != PyArray_DIM(x2, 0)) return {};

  py::object result;
  if (given_out == nullptr || given_out == Py_None) {
    result = py::reinterpret_steal<py::object>(PyArray_EMPTY(2, shape, PyArray_TYPE(x1), 0));
    if (!result) throw py::error_already_set();
  } else {
    PyArrayObject* out = as_plain_array(given_out);
    if (out == nullptr || PyArray_TYPE(out) != PyArray_TYPE(x1) || !PyArray_ISWRITEABLE(out) ||
        PyArray_DIM(out, 0) != shape[0] || PyArray_DIM(out, 1) != shape[1] ||
        may_overlap(out, x1) || may_overlap(out, x2)) {
      return {};
    }
    result = py::reinterpret_borrow<py::object>(given_out);
  }
  auto* out = reinterpret_cast<PyArrayObject*>(result.ptr());
  cpu::clear_exceptions();
  PyArray_TYPE(x1) == NPY_FLOAT ? multiply<float>(x1, x2, out) : multiply<double>(x1, x2, out);
  report_exceptions(cpu::raised_exceptions());
  return result;
}

// The third argument of a call with nothing else, which may be called out; nothing for other calls.
std::optional<PyObject*> only_out(PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  const Py_ssize_t count = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  if (positional == 2 && count == 0) return nullptr;
  if (positional == 3 && count == 0) return args[2];
  if (positional == 2 && count == 1 &&
      PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "out") == 0) {
    return args[2];
  }
  return std::nullopt;
}

// An operand that multiplies in a way of its own, or null.
PyObject* foreign_operand(const std::vector<PyObject*>& values) {
  for (PyObject* value : values) {
    if (overrides_ufuncs(value)) return value;
    if (!PyTuple_Check(value)) continue;  // out may be a tuple of one
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) {
      if (overrides_ufuncs(PyTuple_GET_ITEM(value, i))) return PyTuple_GET_ITEM(value, i);
    }
  }
  return nullptr;
}

py::object multiply_any(const Arguments& arguments, Py_ssize_t positional) {
  PyObject* const* values = arguments.values.data();
  PyObject* const keywords = arguments.keywords.ptr();
  PyObject* const foreign = foreign_operand(arguments.values);
  if (foreign == nullptr) {
    return call_matmul_ufunc(arguments.options, values, positional, keywords);
  }
  if (arguments.options.strategy == gemm::Strategy::full) {
    return call_numpy_matmul(values, positional, keywords);
  }
  throw py::type_error("strategy is for NumPy arrays, and " +
                       std::string(Py_TYPE(foreign)->tp_name) +
                       " multiplies in its own way; convert it, or leave strategy out");
}

PyObject* matmul(PyObject*, PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  try {
    if (const auto out = only_out(args, positional, names)) {
      py::object result = multiply_plain(args[0], args[1], *out);
      if (result) return result.release().ptr();
    }
    const Arguments arguments(args, positional, names);
    return multiply_any(arguments, positional).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, no_memory);
  }
  return nullptr;
}

PyMethodDef methods[] = {
    {"matmul", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(matmul)),
     METH_FASTCALL | METH_KEYWORDS, matmul_doc},
    {nullptr, nullptr, 0, nullptr},
};

// What each path tells about itself, in the words of C = A B even where C^T is computed.
template <class T>
class Explainer {
 public:
  Explainer(const kernels::GemmKernels<T>& kernels, bool transposed, int threads)
      : kernels_(kernels), transposed_(transposed), threads_(threads) {}

  void operator()(const gemm::Empty&) { facts["path"] = "empty"; }
  void operator()(const gemm::Tiny&) {
    facts["path"] = "tiny";
    add_pair("tile", kernels_.tile_rows, kernels_.tile_cols());
  }
  void operator()(const gemm::Gemv& path) { add("vector", {path.parts, 1}); }
  void operator()(const gemm::RankK& path) { add("rank_k", {path.parts, 1}); }
  void operator()(const gemm::SmallN& path) {
    add("small_n", {path.parts, 1});
    add_pair("tile", kernels_.dot_rows, kernels_.dot_cols);
  }
  void operator()(const gemm::FewRows& path) { add("few_rows", {1, path.parts}); }
  void operator()(const gemm::Blocked& path) {
    add("blocked", path.grid);
    add_pair("tile", kernels_.tile_rows, kernels_.tile_cols());
    add_pair("packed", path.pack_a, path.pack_b);
    const gemm::Blocking& size = path.blocking;
    facts["blocking"] = py::make_tuple(size.mc, size.nc, size.kc);
  }
  void operator()(const gemm::ByStrategy& path) {
    const bool by_columns = path.options.strategy >= gemm::Strategy::column;
    add(gemm::strategy_names[static_cast<int>(path.options.strategy)].data(),
        by_columns ? gemm::Grid{1, path.parts} : gemm::Grid{path.parts, 1});
  }

  py::dict facts;

 private:
  void add(const char* path, gemm::Grid grid) {
    facts["path"] = path;
    add_pair("grid", grid.rows, grid.cols);
    facts["threads"] = std::min(threads_, grid.parts());
  }
  template <class Value>
  void add_pair(const char* key, Value of_a, Value of_b) {
    facts[key] = transposed_ ? py::make_tuple(of_b, of_a) : py::make_tuple(of_a, of_b);
  }

  const kernels::GemmKernels<T>& kernels_;
  bool transposed_;
  int threads_;
};

// The plan of matmul for matrices of contiguous rows.
py::dict explain(const py::object& dtype, index m, index n, index k, const py::object& strategy,
                 const py::object& block_size) {
  const gemm::Options options = {parse_strategy(strategy.ptr()),
                                 parse_block_size(block_size.ptr())};
  const threads::Caller caller(threads_of_context());
  return dispatch_float(dtype, [&]<class T>() {
    const auto& kernels = kernels::in_use().gemm<T>();
    const auto problem = gemm::problem_of(MatrixView<const T>::row_major(nullptr, m, k),
                                          MatrixView<const T>::row_major(nullptr, k, n),
                                          MatrixView<T>::row_major(nullptr, m, n));
    const gemm::Plan plan = gemm::plan_of(options, problem, kernels);
    const int threads = gemm::threads_for(gemm::work_of(problem));
    Explainer<T> explainer(kernels, plan.transposed, threads);
    std::visit(explainer, plan.path);
    return explainer.facts;
  });
}

}  // namespace

void register_matmul(py::module_& module) {
  make_matmul_ufunc();
  if (PyModule_AddFunctions(module.ptr(), methods) < 0) throw py::error_already_set();
  module.def("explain", &explain, py::arg("dtype"), py::arg("m"), py::arg("n"), py::arg("k"),
             py::arg("strategy"), py::arg("block_size"));
  py::list names;
  for (const auto name : gemm::strategy_names) names.append(py::str(name.data(), name.size()));
  module.attr("STRATEGIES") = py::tuple(names);
}

}  // namespace tilewise::bindings
