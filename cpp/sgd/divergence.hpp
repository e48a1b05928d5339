// Whether a training gets anywhere, judged by a few of the rows.
#pragma once

#include <vector>

#include "sgd/problem.hpp"

namespace tilewise::sgd {

enum class Progress { good, poor, diverged };

template <class T>
class DivergenceCheck {
 public:
  // The start loss is what loss() gave before all training, or NaN: `model` is at the start.
  DivergenceCheck(const Examples<T>& examples, const Model<T>& model, double start_loss,
                  const Interrupted& interrupted);

  double start_loss() const { return start_loss_; }

  // Good: the loss is at most that of the start, or that of a model of zeros. Diverged: more than a
  // million times that.
  Progress of(const Model<T>& model) const;

 private:
  double loss(const Model<T>& model) const;

  index rows_;
  std::vector<T> x_;
  std::vector<T> y_;
  std::vector<T> sample_weights_;  // none: all 1
  double start_loss_;
  double good_;
};

}  // namespace tilewise::sgd
