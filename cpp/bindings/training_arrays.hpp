// NumPy arrays as the training engine sees them.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <optional>
#include <variant>

#include "bindings/bindings.hpp"
#include "sgd/stepper.hpp"

namespace tilewise::bindings {

template <class T>
using Array = pybind11::array_t<T, 0>;
using Counters = pybind11::array_t<index, pybind11::array::c_style>;
using Order = pybind11::array_t<std::int64_t, pybind11::array::c_style>;

// Python tells its callers more; these keep a wrong shape from reaching memory that is not ours.
inline void require(bool holds, const char* what) {
  if (!holds) throw pybind11::value_error(what);
}

inline bool is_contiguous(const pybind11::array& array) {
  return (array.flags() & pybind11::array::c_style) != 0;
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

// A model in training: what a step is, and the arrays that it changes, which Python sees too. The
// values are the parameters, the optimizer's slots and, if it is to be kept, their average.
class BoundState {
 public:
  template <class T>
  BoundState(const sgd::Settings& its_settings, const Array<T>& values, const Counters& counters)
      : settings(its_settings), values_(values), counters_(counters) {
    require(values.ndim() == 3 && is_contiguous(values) && values.shape(1) > 0,
            "values must be C-contiguous, of shape (s, d + 1, t)");
    require(counters_.size() == 2, "counters must have shape (2,)");
    const index slots = settings.optimizer->slots;
    const index kept = values.shape(0) - 1 - slots;
    require(kept == 0 || kept == 1, "values must be the parameters, the slots and an average");
    T* const data = static_cast<T*>(values_.mutable_data());
    const auto part = [&](index i) { return data + i * values.shape(1) * values.shape(2); };
    state_ = sgd::State<T>{
        .values = {data, static_cast<std::size_t>(values.size())},
        .model = {part(0), values.shape(1) - 1, values.shape(2)},
        .slots = {slots > 0 ? part(1) : nullptr, slots > 1 ? part(2) : nullptr},
        .average = kept == 1 ? part(1 + slots) : nullptr,
        .steps = counters_.mutable_data(),
        .examples = counters_.mutable_data() + 1,
    };
  }

  template <class T>
  const sgd::State<T>& as() const {
    const auto* state = std::get_if<sgd::State<T>>(&state_);
    require(state != nullptr, "X must have the dtype of the state");
    return *state;
  }

  template <class T>
  const sgd::State<T>& fitting(const sgd::Examples<T>& examples) const {
    const auto& state = as<T>();
    require(
        state.model.features == examples.features() && state.model.targets == examples.targets(),
        "parameters must have shape (d + 1, t)");
    return state;
  }

  const sgd::Settings settings;

 private:
  pybind11::array values_;
  Counters counters_;
  std::variant<sgd::State<float>, sgd::State<double>> state_;
};

}  // namespace tilewise::bindings
