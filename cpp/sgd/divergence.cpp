#include "sgd/divergence.hpp"

#include <algorithm>
#include <cmath>

#include "base/split.hpp"
#include "sgd/loss.hpp"
#include "sgd/sampler.hpp"

namespace tilewise::sgd {
namespace {

// Rows looked at. Nearly always one of them has a part in the direction in which a model diverges;
// where none has, what is not finite and the records show it, later.
constexpr index most_rows = 64;
constexpr double diverged_factor = 1e6;

// A row of the part that has a weight, from `row` on and then from the part's start; -1: none has.
template <class T>
index row_with_weight(const T* sample_weights, index begin, index end, index row) {
  if (sample_weights == nullptr) return row;
  const auto has_weight = [](T weight) { return weight > 0; };
  const T* found = std::find_if(sample_weights + row, sample_weights + end, has_weight);
  if (found != sample_weights + end) return found - sample_weights;
  found = std::find_if(sample_weights + begin, sample_weights + row, has_weight);
  return found != sample_weights + row ? found - sample_weights : -1;
}

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
    : examples_(examples),
      interrupted_(interrupted),
      start_(model.parameters, model.parameters + model.size()) {
  // One at random from each part: rows that repeat with a period are not met at the same place.
  Random random(0);
  const EvenSplit parts(examples.x.rows, std::min(examples.x.rows, most_rows));
  for (index i = 0; i < parts.parts; ++i) {
    const index begin = parts.begin(i);
    const index drawn = begin + static_cast<index>(random.below(parts.size(i)));
    const index row = row_with_weight(examples.sample_weights, begin, begin + parts.size(i), drawn);
    if (row >= 0) look_at(row);
  }
  start_loss_ = std::isnan(start_loss) ? loss(model) : start_loss;
  good_ = std::max(loss_of_zeros(examples, interrupted), start_loss_);
}

template <class T>
void DivergenceCheck<T>::look_at(index row) {
  const auto append = [](std::vector<T>& to, const T* from, index count) {
    to.insert(to.end(), from, from + count);
  };
  append(x_, &examples_.x(row, 0), examples_.features());
  append(y_, &examples_.y(row, 0), examples_.targets());
  if (examples_.sample_weights != nullptr) {
    append(sample_weights_, examples_.sample_weights + row, 1);
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
Progress DivergenceCheck<T>::of(const Model<T>& model) const {
  const double now = loss(model);
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

template class DivergenceCheck<float>;
template class DivergenceCheck<double>;

}  // namespace tilewise::sgd
