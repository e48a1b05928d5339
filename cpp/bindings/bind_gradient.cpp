#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "base/split.hpp"
#include "bindings/bindings.hpp"
#include "bindings/signals.hpp"
#include "bindings/training_arrays.hpp"
#include "sgd/gradient.hpp"
#include "sgd/trainer.hpp"

namespace py = pybind11;

namespace tilewise::bindings {
namespace {

using Rates = py::array_t<double, py::array::c_style>;

template <class T>
T* gradient_of(Array<T>& gradient, const sgd::Model<T>& model) {
  require(gradient.size() == model.size() && is_contiguous(gradient),
          "gradient must be C-contiguous, as large as parameters");
  return gradient.mutable_data();
}

// The rows that are drawn, null without an order, or an error if there are no such rows.
inline const std::int64_t* checked_order(const std::optional<Order>& order, index first,
                                         index count, index rows) {
  require(first >= 0 && count > 0 && count <= (order ? order->size() : rows) - first,
          "first and count leave the rows");
  if (!order) return nullptr;
  const auto drawn = order->template unchecked<1>();
  for (index i = first; i < first + count; ++i) {
    require(drawn(i) >= 0 && drawn(i) < rows, "order leaves the rows");
  }
  return order->data();
}

template <class T>
void sum_gradients(const Array<T>& x, const Array<T>& y,
                   const std::optional<Array<T>>& sample_weights, const std::optional<Order>& order,
                   index first, index count, const BoundState& state, Array<T>& gradient) {
  const auto examples = examples_of(x, y, sample_weights);
  const auto& model = state.fitting(examples).model;
  T* const sum = gradient_of(gradient, model);
  const auto* const drawn = checked_order(order, first, count, examples.x.rows);
  interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::sum_gradients(examples, drawn, first, count, model, interrupted, sum);
  });
}

template <class T>
void take_steps(const Array<T>& x, const Array<T>& y, const std::optional<Order>& order,
                index first, index count, const BoundState& state, const Rates& rates) {
  const auto examples = examples_of<T>(x, y, std::nullopt);
  const auto& changed = state.fitting(examples);
  const auto* const drawn = checked_order(order, first, count, examples.x.rows);
  const index batch_size = std::min(state.settings.batch_size, examples.x.rows);
  require(rates.ndim() == 1 && rates.size() == ceil_div(count, batch_size),
          "rates must have one rate for each step");
  interruptible([&](const sgd::Interrupted& interrupted) {
    return sgd::take_steps(examples, state.settings, drawn, first, count,
                           {rates.data(), static_cast<std::size_t>(rates.size())}, changed,
                           interrupted);
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
  module.def("take_steps", &take_steps<T>, py::arg("X").noconvert(), py::arg("y").noconvert(),
             py::arg("order").noconvert(), py::arg("first"), py::arg("count"), py::arg("state"),
             py::arg("rates"));
  module.def("apply_gradient", &apply_gradient<T>, gradient, py::arg("count"), py::arg("state"),
             py::arg("rate"));
}

}  // namespace

void register_gradient(py::module_& module) {
  register_for<float>(module);
  register_for<double>(module);
}

}  // namespace tilewise::bindings
