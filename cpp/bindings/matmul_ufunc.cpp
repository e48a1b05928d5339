#define TILEWISE_IMPORTS_NUMPY
#include "bindings/matmul_ufunc.hpp"

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/gil.hpp"
#include "bindings/matmul_doc.hpp"
#include "bindings/numpy_api.hpp"
#include "gemm/converted.hpp"
#include "threads/of_this_thread.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

// What the calling thread asked of the inner loop: NumPy does not hand it through.
gemm::Options& current_options() { return threads::of_this_thread<gemm::Options>(); }

class OptionsScope {
 public:
  explicit OptionsScope(const gemm::Options& options) : outer_(std::exchange(current_, options)) {}
  ~OptionsScope() { current_ = outer_; }
  OptionsScope(const OptionsScope&) = delete;
  OptionsScope& operator=(const OptionsScope&) = delete;

 private:
  gemm::Options& current_ = current_options();
  gemm::Options outer_;
};

template <class T>
gemm::MatrixStack<T> stack_view(char* data, npy_intp stride, npy_intp rows, npy_intp cols,
                                const npy_intp* strides) {
  constexpr npy_intp size = sizeof(T);  // the strides are in bytes
  return {{reinterpret_cast<T*>(data), rows, cols, strides[0] / size, strides[1] / size},
          stride / size};
}

// The inner loop for signature (n?,k),(k,m?)->(n?,m?): a stack of products. Runs without the GIL.
template <class T, class Result = T>
void matmul_loop(char** args, const npy_intp* dimensions, const npy_intp* steps, void*) {
  const npy_intp m = dimensions[1];
  const npy_intp k = dimensions[2];
  const npy_intp n = dimensions[3];
  const npy_intp* strides = steps + 3;
  const auto a = stack_view<const T>(args[0], steps[0], m, k, strides);
  const auto b = stack_view<const T>(args[1], steps[1], k, n, strides + 2);
  const auto c = stack_view<Result>(args[2], steps[2], m, n, strides + 4);
  try {
    if constexpr (sizeof(T) >= 4) {
      gemm::multiply_stack(current_options(), dimensions[0], a, b, c);
    } else {
      gemm::multiply_converted_stack(current_options(), dimensions[0], a, b, c);
    }
  } catch (const std::bad_alloc&) {
    // NumPy then throws away what it would copy back to out, which nothing has been written to.
    const GilAcquire acquire;
    PyErr_SetString(PyExc_MemoryError, no_memory);
  }
}

// The loop for a type of NumPy, or nullptr where the work is left to NumPy's own. Integers of 32
// and 64 bits are multiplied as unsigned ones, which gives the same bits.
PyUFuncGenericFunction loop_for(int type) {
  switch (type) {
    case NPY_FLOAT: return matmul_loop<float>;
    case NPY_DOUBLE: return matmul_loop<double>;
    case NPY_HALF: return matmul_loop<Half>;
    case NPY_BYTE:
    case NPY_UBYTE: return matmul_loop<std::uint8_t>;
    case NPY_SHORT:
    case NPY_USHORT: return matmul_loop<std::uint16_t>;
    case NPY_INT:
    case NPY_UINT: return matmul_loop<std::uint32_t>;
    case NPY_LONG:
    case NPY_ULONG:
      return sizeof(long) == 8 ? matmul_loop<std::uint64_t> : matmul_loop<std::uint32_t>;
    case NPY_LONGLONG:
    case NPY_ULONGLONG: return matmul_loop<std::uint64_t>;
    default: return nullptr;
  }
}

// numpy.matmul's table of loops with ours in the places of the types that we compute; the other
// types keep NumPy's. NumPy refers to the table for as long as the ufunc lives.
struct LoopTable {
  std::vector<PyUFuncGenericFunction> functions;
  std::vector<void*> data;
  std::vector<char> types;

  explicit LoopTable(const PyUFuncObject& theirs) {
    const int count = theirs.ntypes;
    functions.assign(theirs.functions, theirs.functions + count);
    types.assign(theirs.types, theirs.types + count * theirs.nargs);
    data.resize(count);
    for (int i = 0; i < count; ++i) {
      if (theirs.data != nullptr) data[i] = theirs.data[i];
      const auto loop = loop_for(types[i * theirs.nargs]);
      if (loop != nullptr) functions[i] = loop;
    }
  }
};

// bfloat16 is a dtype of ml_dtypes', whose number NumPy gives when that is imported. The first
// operand of it adds its loop to the ufunc: to float32, as NumPy's matmul.
void add_bfloat16_loop(PyObject* ufunc, PyArray_Descr* dtype) {
  static int known = NPY_NOTYPE;  // under the interpreter lock
  const int type = dtype->type_num;
  if (type == known || !PyTypeNum_ISUSERDEF(type) || dtype->typeobj == nullptr ||
      std::string_view(dtype->typeobj->tp_name) != "ml_dtypes.bfloat16") {
    return;
  }
  int types[] = {type, type, NPY_FLOAT};
  if (PyUFunc_RegisterLoopForType(reinterpret_cast<PyUFuncObject*>(ufunc), type,
                                  matmul_loop<BFloat16, float>, types, nullptr) < 0) {
    throw py::error_already_set();
  }
  known = type;
}

PyObject* matmul_ufunc = nullptr;
PyObject* numpy_matmul = nullptr;

int import_numpy() {
  import_array1(-1);
  import_umath1(-1);
  return 0;
}

}  // namespace

void make_matmul_ufunc() {
  if (import_numpy() < 0) throw py::error_already_set();
  numpy_matmul = py::object(py::module_::import("numpy").attr("matmul")).release().ptr();
  const auto& theirs = *reinterpret_cast<PyUFuncObject*>(numpy_matmul);
  auto& table = *new LoopTable(theirs);  // lives as long as the process, like the ufunc
  matmul_ufunc = PyUFunc_FromFuncAndDataAndSignature(
      table.functions.data(), table.data.data(), table.types.data(), theirs.ntypes, theirs.nin,
      theirs.nout, PyUFunc_None, "matmul", matmul_doc, 0, theirs.core_signature);
  if (matmul_ufunc == nullptr) throw py::error_already_set();
  auto& ours = *reinterpret_cast<PyUFuncObject*>(matmul_ufunc);
  ours.type_resolver = theirs.type_resolver;
  ours.iter_flags = theirs.iter_flags;
  std::copy_n(theirs.op_flags, theirs.nargs, ours.op_flags);  // copy where out overlaps an input
}

bool overrides_ufuncs(PyObject* operand) {
  if (PyArray_CheckExact(operand)) return false;
  const auto type = py::type::handle_of(operand);
  if (!py::hasattr(type, "__array_ufunc__")) return false;
  const auto numpys = py::handle(reinterpret_cast<PyObject*>(&PyArray_Type));
  return !type.attr("__array_ufunc__").is(numpys.attr("__array_ufunc__"));
}

namespace {

py::object call(PyObject* ufunc, PyObject* const* args, std::size_t positional,
                PyObject* keywords) {
  auto result = py::reinterpret_steal<py::object>(sleep_if_python_is_gone(
      [&] { return PyObject_Vectorcall(ufunc, args, positional, keywords); }));
  if (!result) throw py::error_already_set();
  return result;
}

}  // namespace

py::object call_numpy_matmul(PyObject* const* args, std::size_t positional, PyObject* keywords) {
  return call(numpy_matmul, args, positional, keywords);
}

py::object call_matmul_ufunc(const gemm::Options& options, PyObject* const* args,
                             std::size_t positional, PyObject* keywords) {
  for (std::size_t i = 0; i < std::min<std::size_t>(positional, 2); ++i) {
    if (!PyArray_Check(args[i])) continue;
    add_bfloat16_loop(matmul_ufunc, PyArray_DESCR(reinterpret_cast<PyArrayObject*>(args[i])));
  }
  const OptionsScope scope(options);
  const threads::Caller caller(threads_of_context());
  return call(matmul_ufunc, args, positional, keywords);  // NumPy lets the lock go around the loop
}

}  // namespace tilewise::bindings
