#include "sgd/divergence.hpp"

#include <algorithm>
#include <cmath>

#include "base/split.hpp"
#include "sgd/loss.hpp"
#include "sgd/sampler.hpp"

namespace tilewise::sgd {
namespace {

using tuning::diverged_factor;

// The loss of zeros over all rows; X need not be read for it.
template <class T>
double loss_of_zeros(const Examples<T>& examples, const Interrupted& interrupted) {
  std::vector<T> zeros(examples.targets());
  Examples<T> without_features = examples;
  without_features.x.cols = 0;
  return mean_loss(without_features, Model<T>{zeros.data(), 0, examples.targets()}, interrupted);
}

}  // namespace

template <class T>
bool is_finite(const State<T>& state) {
  return std::all_of(state.values.begin(), state.values.end(),
                     [](T value) { return std::isfinite(value); });
}

template <class T>
DivergenceCheck<T>::DivergenceCheck(const Examples<T>& examples, const Model<T>& model,
                                    double start_loss, const Interrupted& interrupted)
    : examples_(examples),
      interrupted_(interrupted),
      start_(model.parameters, model.parameters + model.size()) {
  // One at random from each part, or the next in it that has a weight: rows that repeat with a
  // period are not met at the same place.
  Random random(0);
  const T* const weights = examples.sample_weights;
  const EvenSplit parts(examples.x.rows, std::min(examples.x.rows, tuning::most_rows_of_a_verdict));
  for (index part = 0; part < parts.parts; ++part) {
    const index size = parts.size(part);
    const index drawn = static_cast<index>(random.below(size));
    for (index i = 0; i < size; ++i) {
      const index row = parts.begin(part) + (drawn + i) % size;
      if (weights != nullptr && !(weights[row] > 0)) continue;
      look_at(row);
      break;
    }
  }
  start_loss_ = std::isnan(start_loss) ? loss(model) : start_loss;
  good_ = std::max(loss_of_zeros(examples, interrupted), start_loss_);
}

template <class T>
void DivergenceCheck<T>::look_at(index row) {
  x_.insert(x_.end(), &examples_.x(row, 0), &examples_.x(row, 0) + examples_.features());
  y_.insert(y_.end(), &examples_.y(row, 0), &examples_.y(row, 0) + examples_.targets());
  if (examples_.sample_weights != nullptr) {
    sample_weights_.push_back(examples_.sample_weights[row]);
  }
}

template <class T>
double DivergenceCheck<T>::loss(const Model<T>& model) const {
  const index rows = static_cast<index>(y_.size()) / model.targets;
  const Examples<T> sample = {{x_.data(), rows, model.features, model.features, 1},
                              {y_.data(), rows, model.targets, model.targets, 1},
                              sample_weights_.empty() ? nullptr : sample_weights_.data()};
  return mean_loss(sample, model, [] { return false; });
}

template <class T>
Progress DivergenceCheck<T>::of(const State<T>& state) const {
  // Where a square of a gradient is not finite, an optimizer that divides by it stands still.
  if (!is_finite(state)) return Progress::diverged;
  const double now = loss(state.model);
  if (now > diverged_factor * good_ && good_ > 0) return Progress::diverged;
  return now > good_ ? Progress::poor : Progress::good;
}

template <class T>
bool DivergenceCheck<T>::is_diverged(double loss) const {
  if (!std::isfinite(loss)) return true;
  if (loss <= diverged_factor * good_ || good_ == 0) return false;
  // The model may have begun as badly, in rows that are not looked at.
  std::vector<T> start = start_;
  const Model<T> model = {start.data(), examples_.features(), examples_.targets()};
  return loss > diverged_factor * mean_loss(examples_, model, interrupted_);
}

#define TILEWISE_INSTANTIATE(T)             \
  template bool is_finite(const State<T>&); \
  template class DivergenceCheck<T>;
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
