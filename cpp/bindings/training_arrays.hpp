// NumPy arrays as the training engine sees them.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <optional>

#include "bindings/bindings.hpp"
#include "sgd/trainer.hpp"

namespace tilewise::bindings {

template <class T>
using Array = pybind11::array_t<T, 0>;
using Counters = pybind11::array_t<index, pybind11::array::c_style>;
using Order = pybind11::array_t<std::int64_t, pybind11::array::c_style>;

// Python tells its callers more; these keep a wrong shape from reaching memory that is not ours.
inline void require(bool holds, const char* what) {
  if (!holds) throw pybind11::value_error(what);
}

template <class T>
MatrixView<const T> matrix_view(const Array<T>& array) {
  require(array.ndim() == 2, "X, y and parameters must have two dimensions");
  constexpr index size = sizeof(T);
  require(array.strides(0) % size == 0 && array.strides(1) % size == 0, "an array is not aligned");
  return {array.data(), array.shape(0), array.shape(1), array.strides(0) / size,
          array.strides(1) / size};
}

template <class T>
sgd::Examples<T> examples_of(const Array<T>& x, const Array<T>& y,
                             const std::optional<Array<T>>& sample_weights) {
  const sgd::Examples<T> examples = {matrix_view(x), matrix_view(y),
                                     sample_weights ? sample_weights->data() : nullptr};
  require(examples.x.rows > 0 && examples.y.rows == examples.x.rows && examples.targets() > 0,
          "X and y must have shapes (n, d) and (n, t)");
  require(examples.x.rows_contiguous() && examples.y.rows_contiguous() &&
              (examples.y.rows == 1 || examples.y.row_stride == examples.targets()),
          "the rows of X and all of y must be contiguous");
  if (sample_weights) {
    require(sample_weights->ndim() == 1 && sample_weights->shape(0) == examples.x.rows &&
                (sample_weights->shape(0) == 1 || sample_weights->strides(0) == sizeof(T)),
            "sample_weights must be contiguous, of shape (n,)");
  }
  return examples;
}

template <class T>
sgd::Model<T> model_of(Array<T>& parameters) {
  require(parameters.ndim() == 2 && (parameters.flags() & pybind11::array::c_style) &&
              parameters.shape(0) > 0,
          "parameters must be C-contiguous, of shape (d + 1, t)");
  return {parameters.mutable_data(), parameters.shape(0) - 1, parameters.shape(1)};
}

template <class T>
sgd::Model<T> model_of(Array<T>& parameters, const sgd::Examples<T>& examples) {
  const auto model = model_of(parameters);
  require(model.features == examples.features() && model.targets == examples.targets(),
          "parameters must have shape (d + 1, t)");
  return model;
}

template <class T>
sgd::State<T> state_of(const sgd::Model<T>& model, Array<T>& slots, Counters& counters,
                       const sgd::Settings& settings) {
  require(slots.size() == (settings.optimizer->slots + settings.average) * model.size() &&
              (slots.flags() & pybind11::array::c_style),
          "slots must be C-contiguous, of shape (s, d + 1, t)");
  require(counters.size() == 2, "counters must have shape (2,)");
  return {model, slots.mutable_data(), counters.mutable_data(), counters.mutable_data() + 1};
}

}  // namespace tilewise::bindings
