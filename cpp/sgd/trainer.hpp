// Linear regression by minibatch stochastic gradient descent.
#pragma once

#include <functional>
#include <vector>

#include "base/matrix_view.hpp"
#include "sgd/sampler.hpp"

namespace tilewise::sgd {

// The model x -> x w + bias. Its owner keeps the weights.
template <class T>
struct Model {
  T* weights;
  index features;
  T bias;
};

// One entry a record; seconds of training so far, evaluation not counted.
struct Records {
  std::vector<double> losses;
  std::vector<double> seconds;
  std::vector<index> examples;
};

struct Schedule {
  index batch_size;
  double learning_rate;
  index epochs;
  index record_every;  // examples; the end is always recorded
};

// Half the squared error, averaged over the rows.
template <class T>
double mean_loss(const MatrixView<const T>& x, const T* y, const T* weights, T bias);

// Asked now and then, many times a second, whether to stop.
using Interrupted = std::function<bool()>;

// Trains for schedule.epochs epochs: for each batch of rows drawn by the sampler,
// w -= learning_rate * X_b^T (X_b w + bias - y_b) / |B|, and so the bias with a column of ones.
// The rows of X are contiguous and there is at least one. Ends early at a recorded loss that is not
// finite, or when interrupted; the model is then as far as it got. Throws std::bad_alloc.
template <class T>
Records fit(const MatrixView<const T>& x, const T* y, const Schedule& schedule, Sampler& sampler,
            Model<T>& model, const Interrupted& interrupted);

}  // namespace tilewise::sgd
