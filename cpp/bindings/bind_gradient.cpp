#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/signals.hpp"
#include "bindings/training_arrays.hpp"
#include "sgd/gradient.hpp"
#include "sgd/update.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

template <class T>
T* gradient_of(Array<T>& gradient, const sgd::Model<T>& model) {
  require(gradient.size() == model.size() && (gradient.flags() & py::array::c_style),
          "gradient must be C-contiguous, as large as parameters");
  return gradient.mutable_data();
}

template <class T>
void sum_gradients(const Array<T>& x, const Array<T>& y,
                   const std::optional<Array<T>>& sample_weights, const std::optional<Order>& order,
                   index first, index count, Array<T>& parameters, Array<T>& gradient) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto model = model_of(parameters, examples);
  T* const sum = gradient_of(gradient, model);
  const index rows = order ? order->size() : examples.x.rows;
  require(first >= 0 && count > 0 && count <= rows - first, "first and count leave the rows");
  if (order) {
    const auto drawn = order->template unchecked<1>();
    for (index i = first; i < first + count; ++i) {
      require(drawn(i) >= 0 && drawn(i) < examples.x.rows, "order leaves the rows");
    }
  }
  Signals signals;
  {
    const GilRelease release;
    sgd::sum_gradients(examples, order ? order->data() : nullptr, first, count, model,
                       signals.asked(), sum);
  }
  signals.rethrow();
}

template <class T>
void apply_gradient(Array<T>& gradient, index count, Array<T>& parameters, Array<T>& slots,
                    Counters& counters, const sgd::Settings& settings, double rate) {
  require(count > 0, "count must be above 0");
  const auto model = model_of(parameters);
  const auto state = state_of(model, slots, counters, settings);
  sgd::apply_gradient(gradient_of(gradient, model), count, settings, state, static_cast<T>(rate));
}

template <class T>
void register_for(py::module_& module) {
  const auto parameters = py::arg("parameters").noconvert();
  const auto gradient = py::arg("gradient").noconvert();
  module.def("sum_gradients", &sum_gradients<T>, py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("sample_weights").noconvert(), py::arg("order").noconvert(), py::arg("first"),
             py::arg("count"), parameters, gradient);
  module.def("apply_gradient", &apply_gradient<T>, gradient, py::arg("count"), parameters,
             py::arg("slots").noconvert(), py::arg("counters").noconvert(), py::arg("settings"),
             py::arg("rate"));
}

}  // namespace

void register_gradient(py::module_& module) {
  register_for<float>(module);
  register_for<double>(module);
}

}  // namespace tilewise::bindings
