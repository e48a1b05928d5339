// What a linear model is trained on, and what training changes.
#pragma once

#include <span>

#include "base/element_types.hpp"
#include "base/matrix_view.hpp"
#include "kernels/kernel_set.hpp"

namespace tilewise::sgd {

// The rows of X and Y are contiguous, and there is at least one.
template <class T>
struct Examples {
  MatrixView<const T> x;    // n x features
  MatrixView<const T> y;    // n x targets
  const T* sample_weights;  // n of them, or null: all 1

  index features() const { return x.cols; }
  index targets() const { return y.cols; }

  // For the kernels, which know one target at a time: the rows order[begin], .. or, without an
  // order, those from `begin` on.
  kernels::SgdRows<T> rows(const std::int64_t* order, index begin, index target = 0) const {
    const kernels::SgdRows<T> all = {x.data, x.row_stride,   x.cols, y.data + target,
                                     y.cols, sample_weights, order,  x.rows};
    return all.from(begin);
  }
};

// The model x -> x W + bias. W and below it the bias are one matrix, (features + 1) x targets, with
// contiguous rows.
template <class T>
struct Model {
  T* parameters;
  index features;
  index targets;

  index size() const { return (features + 1) * targets; }
  MatrixView<const T> weights() const { return {parameters, features, targets, targets, 1}; }
  const T* bias() const { return parameters + features * targets; }
};

// Everything that training changes; the owner keeps it.
template <class T>
struct State {
  std::span<T> values;  // those of the model, the slots and the average, side by side
  Model<T> model;
  T* slots[2];      // as many as the optimizer needs, each like the parameters
  T* average;       // the mean of the parameters after each step; null: not kept
  index* steps;     // so far
  index* examples;  // so far

  // What training is for: the average, if it is kept and there was a step.
  Model<T> result() const {
    const bool averaged = average != nullptr && *steps > 0;
    return {averaged ? average : model.parameters, model.features, model.targets};
  }
};

}  // namespace tilewise::sgd
