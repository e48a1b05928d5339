// Whether a training gets anywhere, judged by a few of the rows.
#pragma once

#include <vector>

#include "sgd/poll_counter.hpp"
#include "sgd/problem.hpp"

namespace tilewise::sgd {

enum class Progress { good, poor, diverged };

// Whether all that training changes is finite.
template <class T>
bool is_finite(const State<T>& state);

template <class T>
class DivergenceCheck {
 public:
  // The start loss is what start_loss() gave before all training, or NaN: `model` is at the start.
  DivergenceCheck(const Examples<T>& examples, const Model<T>& model, double start_loss,
                  const Interrupted& interrupted);

  double start_loss() const { return start_loss_; }

  // Good: the loss is at most that of the start, or that of a model of zeros. Diverged: it is more
  // than a million times that, or a number is not finite.
  Progress of(const State<T>& state) const;

  // The same of a loss over all rows: it shows what grows in rows that are not looked at.
  bool is_diverged(double loss) const;

 private:
  void look_at(index row);
  double loss(const Model<T>& model) const;

  const Examples<T>& examples_;
  const Interrupted& interrupted_;
  std::vector<T> start_;  // the parameters
  std::vector<T> x_;
  std::vector<T> y_;
  std::vector<T> sample_weights_;  // none: all 1
  double start_loss_;
  double good_;
};

}  // namespace tilewise::sgd
