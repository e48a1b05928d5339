#include "sgd/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "gemm/gemm.hpp"

namespace tilewise::sgd {
namespace {

// Numbers looked at between two questions whether to stop: some milliseconds.
constexpr index numbers_between_questions = index{1} << 22;

// The sum of the squares of `count` residuals, in double; in several chains of additions.
template <class T>
double sum_of_squares(const T* residuals, index count) {
  constexpr index chains = 8;
  double sums[chains] = {};
  index i = 0;
  for (; i + chains <= count; i += chains) {
    TILEWISE_UNROLL
    for (index c = 0; c < chains; ++c) {
      const auto residual = static_cast<double>(residuals[i + c]);
      sums[c] += residual * residual;
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(residuals[i]) * residuals[i];
  return std::accumulate(sums, sums + chains, 0.0);
}

}  // namespace

template <class T>
double mean_loss(const Examples<T>& examples, const Model<T>& model,
                 const Interrupted& interrupted) {
  constexpr index chunk = 1024;
  const index rows = examples.x.rows;
  const index targets = model.targets;
  std::vector<T> residuals(std::min(chunk, rows) * targets);
  double sum = 0;
  double weights = 0;
  index until_question = numbers_between_questions;
  for (index i0 = 0; i0 < rows; i0 += chunk) {
    const index count = std::min(chunk, rows - i0);
    gemm::gemm(examples.x.block(i0, 0, count, examples.features()), model.weights(),
               MatrixView<T>{residuals.data(), count, targets, targets, 1});
    for (index i = 0; i < count; ++i) {
      T* const row = &residuals[i * targets];
      for (index t = 0; t < targets; ++t) {
        row[t] = row[t] + model.bias()[t] - examples.y(i0 + i, t);
      }
    }
    if (examples.sample_weights == nullptr) {
      sum += sum_of_squares(residuals.data(), count * targets);
      weights += static_cast<double>(count);
    } else {
      for (index i = 0; i < count; ++i) {
        const double weight = examples.sample_weights[i0 + i];
        sum += weight * sum_of_squares(&residuals[i * targets], targets);
        weights += weight;
      }
    }
    until_question -= count * (examples.features() + 1);
    if (until_question > 0) continue;
    if (interrupted()) return std::numeric_limits<double>::quiet_NaN();
    until_question = numbers_between_questions;
  }
  return sum / (2 * weights);
}

template <class T>
index first_nonfinite(const MatrixView<const T>& matrix, const Interrupted& interrupted) {
  index until_question = numbers_between_questions;
  for (index i = 0; i < matrix.rows; ++i) {
    for (index j0 = 0; j0 < matrix.cols; j0 += numbers_between_questions) {
      const index end = std::min(j0 + numbers_between_questions, matrix.cols);
      T zero = 0;  // stays 0 unless a number is not finite
      for (index j = j0; j < end; ++j) zero += matrix(i, j) * T{0};
      if (zero != 0) {
        index j = j0;
        while (std::isfinite(matrix(i, j))) ++j;
        return i * matrix.cols + j;
      }
      until_question -= end - j0;
      if (until_question > 0) continue;
      if (interrupted()) return -1;
      until_question = numbers_between_questions;
    }
  }
  return -1;
}

template <class T>
bool all_finite(const T* values, index size) {
  return std::all_of(values, values + size, [](T value) { return std::isfinite(value); });
}

#define TILEWISE_INSTANTIATE(T)                                                       \
  template double mean_loss(const Examples<T>&, const Model<T>&, const Interrupted&); \
  template index first_nonfinite(const MatrixView<const T>&, const Interrupted&);     \
  template bool all_finite(const T*, index);
TILEWISE_INSTANTIATE(float)
TILEWISE_INSTANTIATE(double)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
