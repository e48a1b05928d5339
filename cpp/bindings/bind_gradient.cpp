#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>

#include "bindings/bindings.hpp"
#include "bindings/signals.hpp"
#include "bindings/training_arrays.hpp"
#include "sgd/gradient.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

template <class T>
T* gradient_of(Array<T>& gradient, const sgd::Model<T>& model) {
  require(gradient.size() == model.size() && is_contiguous(gradient),
          "gradient must be C-contiguous, as large as parameters");
  return gradient.mutable_data();
}

template <class T>
void sum_gradients(const Array<T>& x, const Array<T>& y,
                   const std::optional<Array<T>>& sample_weights, const std::optional<Order>& order,
                   index first, index count, const BoundState& state, Array<T>& gradient) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto& model = state.fitting(examples).model;
  T* const sum = gradient_of(gradient, model);
  const index rows = order ? order->size() : examples.x.rows;
  require(first >= 0 && count > 0 && count <= rows - first, "first and count leave the rows");
  if (order) {
    const auto drawn = order->template unchecked<1>();
    for (index i = first; i < first + count; ++i) {
      require(drawn(i) >= 0 && drawn(i) < examples.x.rows, "order leaves the rows");
    }
  }
  interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::sum_gradients(examples, order ? order->data() : nullptr, first, count, model,
                              interrupted, sum);
  });
}

template <class T>
void apply_gradient(Array<T>& gradient, index count, const BoundState& state, double rate) {
  require(count > 0, "count must be above 0");
  const auto& changed = state.as<T>();
  sgd::apply_gradient(gradient_of(gradient, changed.model), count, state.settings, changed,
                      static_cast<T>(rate));
}

template <class T>
void register_for(py::module_& module) {
  const auto gradient = py::arg("gradient").noconvert();
  module.def("sum_gradients", &sum_gradients<T>, py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("sample_weights").noconvert(), py::arg("order").noconvert(), py::arg("first"),
             py::arg("count"), py::arg("state"), gradient);
  module.def("apply_gradient", &apply_gradient<T>, gradient, py::arg("count"), py::arg("state"),
             py::arg("rate"));
}

}  // namespace

void register_gradient(py::module_& module) {
  register_for<float>(module);
  register_for<double>(module);
}

}  // namespace tilewise::bindings
