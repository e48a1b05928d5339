#include "sgd/divergence.hpp"

#include <algorithm>
#include <cmath>

#include "sgd/loss.hpp"

namespace tilewise::sgd {
namespace {

// Rows looked at: each has some part in the direction in which a model diverges.
constexpr index most_rows = 64;
constexpr double diverged_factor = 1e6;

// The loss of zeros over all rows; X need not be read for it.
template <class T>
double loss_of_zeros(const Examples<T>& examples, const Interrupted& interrupted) {
  std::vector<T> zeros(examples.targets());
  const Examples<T> without_features = {
      {examples.x.data, examples.x.rows, 0, examples.x.row_stride, 1},
      examples.y,
      examples.sample_weights};
  return mean_loss(without_features, Model<T>{zeros.data(), 0, examples.targets()}, interrupted);
}

}  // namespace

template <class T>
DivergenceCheck<T>::DivergenceCheck(const Examples<T>& examples, const Model<T>& model,
                                    double start_loss, const Interrupted& interrupted)
    : rows_(std::min(examples.x.rows, most_rows)) {
  const auto append = [](std::vector<T>& to, const T* from, index count) {
    to.insert(to.end(), from, from + count);
  };
  const index step = examples.x.rows / rows_;
  for (index i = 0; i < rows_ * step; i += step) {
    append(x_, &examples.x(i, 0), examples.features());
    append(y_, &examples.y(i, 0), examples.targets());
    if (examples.sample_weights != nullptr) append(sample_weights_, examples.sample_weights + i, 1);
  }
  start_loss_ = std::isnan(start_loss) ? loss(model) : start_loss;
  good_ = std::max(loss_of_zeros(examples, interrupted), start_loss_);
}

template <class T>
double DivergenceCheck<T>::loss(const Model<T>& model) const {
  const Examples<T> sample = {{x_.data(), rows_, model.features, model.features, 1},
                              {y_.data(), rows_, model.targets, model.targets, 1},
                              sample_weights_.empty() ? nullptr : sample_weights_.data()};
  return mean_loss(sample, model, [] { return false; });
}

template <class T>
Progress DivergenceCheck<T>::of(const Model<T>& model) const {
  const double now = loss(model);
  if (now > diverged_factor * good_ && good_ > 0) return Progress::diverged;
  return now > good_ ? Progress::poor : Progress::good;
}

template class DivergenceCheck<float>;
template class DivergenceCheck<double>;

}  // namespace tilewise::sgd
