#include "sgd/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "gemm/multiply.hpp"
#include "kernels/registry.hpp"

namespace tilewise::sgd {
namespace {

// The squared errors of the rows from `first` on, times their weights, added up in double.
template <class T>
double squared_errors(const Examples<T>& examples, index first, const MatrixView<T>& predictions,
                      const T* bias) {
  const MatrixView<const T> y = examples.y.block(first, 0, predictions.rows, predictions.cols);
  if (examples.sample_weights == nullptr && y.cols == 1 && y.row_stride == 1) {
    return kernels::in_use().sgd<T>().squared_error(y.rows, predictions.data, *bias, y.data);
  }
  double sum = 0;
  for (index i = 0; i < y.rows; ++i) {
    double of_row = 0;
    for (index t = 0; t < y.cols; ++t) {
      const double residual = predictions(i, t) + bias[t] - y(i, t);
      of_row += residual * residual;
    }
    sum +=
        examples.sample_weights == nullptr ? of_row : of_row * examples.sample_weights[first + i];
  }
  return sum;
}

}  // namespace

template <class T>
double mean_loss(const Examples<T>& examples, const Model<T>& model,
                 const Interrupted& interrupted) {
  constexpr index chunk = tuning::rows_in_a_loss_chunk;
  const index rows = examples.x.rows;
  const index targets = model.targets;
  std::vector<T> room(std::min(chunk, rows) * targets);
  double sum = 0;
  PollCounter polls(interrupted);
  for (index first = 0; first < rows; first += chunk) {
    const index count = std::min(chunk, rows - first);
    const MatrixView<T> predictions = {room.data(), count, targets, targets, 1};
    gemm::multiply(examples.x.block(first, 0, count, examples.features()), model.weights(),
                   predictions);
    sum += squared_errors(examples, first, predictions, model.bias());
    if (polls.after(count * (examples.features() + 1))) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  double weights = static_cast<double>(rows);
  if (examples.sample_weights != nullptr) {
    weights = std::accumulate(examples.sample_weights, examples.sample_weights + rows, 0.0);
  }
  return sum / (2 * weights);
}

template <class T>
index first_nonfinite(const MatrixView<const T>& matrix, const Interrupted& interrupted) {
  PollCounter polls(interrupted);
  for (index i = 0; i < matrix.rows; ++i) {
    for (index j0 = 0; j0 < matrix.cols; j0 += tuning::poll_interval) {
      const index end = std::min(j0 + tuning::poll_interval, matrix.cols);
      T zero = 0;  // stays 0 unless a number is not finite
      for (index j = j0; j < end; ++j) zero += matrix(i, j) * T{0};
      if (zero != 0) {
        index j = j0;
        while (std::isfinite(matrix(i, j))) ++j;
        return i * matrix.cols + j;
      }
      if (polls.after(end - j0)) return -1;
    }
  }
  return -1;
}

#define TILEWISE_INSTANTIATE(T)                                                       \
  template double mean_loss(const Examples<T>&, const Model<T>&, const Interrupted&); \
  template index first_nonfinite(const MatrixView<const T>&, const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)

}  // namespace tilewise::sgd
