// How many threads a call may use.
#include <exception>
#include <string>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "threads/pool.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

// A contextvars.ContextVar, which tilewise.threads() sets. Never deleted.
PyObject* context_variable = nullptr;

void set_num_threads(int count) {
  if (count < 1) {
    throw py::value_error("n=" + std::to_string(count) + " is below 1; give a number of threads");
  }
  threads::set_num_threads(count);
}

int free_threads(int wanted) {
  const threads::Caller caller(threads_of_context());
  return threads::free_threads(wanted);
}

// For tests of the pool. The first error of a part is raised when all are done.
void for_each_part(int parts, const py::function& task) {
  std::exception_ptr error;
  {
    const GilRelease release;
    threads::for_each_part(parts, [&](int part) {
      const GilAcquire acquire;
      try {
        sleep_if_python_is_gone([&] { task(part); });
      } catch (const py::error_already_set&) {
        if (!error) error = std::current_exception();
      }
    });
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

extern "C" PYBIND11_EXPORT int tilewise_get_num_threads() { return threads::get_num_threads(); }

int threads_of_context() {
  PyObject* value = nullptr;
  if (PyContextVar_Get(context_variable, nullptr, &value) < 0) throw py::error_already_set();
  if (value == nullptr) return 0;
  const auto number = py::reinterpret_steal<py::object>(value);
  return static_cast<int>(PyLong_AsLong(number.ptr()));
}

void register_threads(py::module_& module) {
  context_variable = PyContextVar_New("tilewise.threads", nullptr);
  if (context_variable == nullptr) throw py::error_already_set();
  module.attr("context_threads") = py::handle(context_variable);
  module.def("get_num_threads", &threads::get_num_threads, "The process's number of threads.");
  module.def("set_num_threads", &set_num_threads, py::arg("n"),
             "Sets the process's number of threads.");
  module.def("free_threads", &free_threads, py::arg("wanted"),
             "How many of so many threads a call would get now.");
  module.def("for_each_part", &for_each_part, py::arg("parts"), py::arg("task"),
             "Calls task(0), .., task(parts - 1) on the threads that are free.");
  module.def("assume_cpus", &threads::assume_cpus, py::arg("count"),
             "Counts the CPUs as so many, for tests; 0: as they are.");
}

}  // namespace tilewise::bindings
