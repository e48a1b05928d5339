#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>

#include "bindings/bindings.hpp"
#include "sgd/trainer.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

sgd::Sampler make_sampler(index n, const std::string& sampling, std::uint64_t seed) {
  const auto found = sgd::sampling_named(sampling);
  if (!found) {
    throw py::value_error("sampling='" + sampling +
                          "' is unknown; choose one of permutation, replacement, sequential");
  }
  if (n < 1)
    throw py::value_error("n=" + std::to_string(n) + " is below 1; give the number of rows");
  return sgd::Sampler(n, *found, seed);
}

py::array_t<std::int64_t> next_epoch(sgd::Sampler& sampler) {
  py::array_t<std::int64_t> rows(sampler.size());
  sampler.next_epoch(rows.mutable_data());
  return rows;
}

// Python tells its callers more; this keeps a wrong shape from reaching memory that is not ours.
template <class T>
void check_shapes(const Array<T>& x, const Array<T>& y, const Array<T>& weights) {
  const bool fit = x.ndim() == 2 && y.ndim() == 1 && weights.ndim() == 1 && x.shape(0) > 0 &&
                   y.shape(0) == x.shape(0) && weights.shape(0) == x.shape(1);
  if (!fit) throw py::value_error("X, y and weights must have shapes (n, d), (n,) and (d,)");
}

// X is C-contiguous (n, d), y (n,), weights (d,) is written.
template <class T>
py::tuple fit(const Array<T>& x, const Array<T>& y, Array<T>& weights, double bias,
              const sgd::Schedule& schedule, sgd::Sampler& sampler) {
  check_shapes(x, y, weights);
  if (sampler.size() != x.shape(0)) throw py::value_error("the sampler has another number of rows");
  const MatrixView<const T> rows = {x.data(), x.shape(0), x.shape(1), x.shape(1), 1};
  sgd::Model<T> model = {weights.mutable_data(), x.shape(1), static_cast<T>(bias)};
  sgd::Records records;
  bool signalled = false;
  {
    const py::gil_scoped_release release;
    records = sgd::fit(rows, y.data(), schedule, sampler, model, [&] {
      const py::gil_scoped_acquire acquire;
      signalled = PyErr_CheckSignals() != 0;
      return signalled;
    });
  }
  if (signalled) throw py::error_already_set();
  return py::make_tuple(records.losses, records.seconds, records.examples,
                        static_cast<double>(model.bias));
}

template <class T>
double mean_loss(const Array<T>& x, const Array<T>& y, const Array<T>& weights, double bias) {
  check_shapes(x, y, weights);
  const MatrixView<const T> rows = {x.data(), x.shape(0), x.shape(1), x.shape(1), 1};
  const py::gil_scoped_release release;
  return sgd::mean_loss(rows, y.data(), weights.data(), static_cast<T>(bias));
}

template <class T>
void register_for(py::module_& module) {
  module.def("fit", &fit<T>, py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("weights").noconvert(), py::arg("bias"), py::arg("schedule"),
             py::arg("sampler"));
  module.def("mean_loss", &mean_loss<T>, py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("weights").noconvert(), py::arg("bias"));
}

}  // namespace

void register_trainer(py::module_& module) {
  py::class_<sgd::Sampler>(module, "Sampler")
      .def(py::init(&make_sampler), py::arg("n"), py::arg("sampling"), py::arg("seed"))
      .def("next_epoch", &next_epoch, "The rows of the next epoch, int64 of shape (n,).");
  py::class_<sgd::Schedule>(module, "Schedule")
      .def(py::init([](index batch_size, double learning_rate, index epochs, index record_every) {
             return sgd::Schedule{batch_size, learning_rate, epochs, record_every};
           }),
           py::arg("batch_size"), py::arg("learning_rate"), py::arg("epochs"),
           py::arg("record_every"));
  register_for<float>(module);
  register_for<double>(module);
}

}  // namespace tilewise::bindings
