// What a step does, and runs of steps in the fastest way that the settings allow.
#pragma once

#include <array>
#include <vector>

#include "sgd/optimizer.hpp"
#include "sgd/poll_counter.hpp"
#include "sgd/problem.hpp"

namespace tilewise::sgd {

// What a step is. The gradient is X_b^T (X_b W + bias - Y_b) / |B|, cut to the norm clip_norm; then
// weight_decay times the weights, not the bias, is added; then the optimizer has it.
struct Settings {
  index batch_size;
  const Optimizer* optimizer;
  std::array<double, 3> hyperparameters;
  double weight_decay;
  double clip_norm;  // infinity: never cut
};

// The second half of a step: takes the sum of the gradients of `count` rows, wherever its parts
// were computed, through all that Settings says. The gradient is overwritten. Steps grow by one,
// examples by `count`.
template <class T>
void apply_gradient(T* gradient, index count, const Settings& settings, const State<T>& state,
                    T rate);

// One step, on all the examples as one batch. Returns false, with the state as it was, if
// interrupted.
template <class T>
bool step(const Examples<T>& examples, const Settings& settings, double rate, const State<T>& state,
          const Interrupted& interrupted);

template <class T>
class Stepper {
 public:
  Stepper(const Examples<T>& examples, const Settings& settings, const State<T>& state,
          const Interrupted& interrupted);

  // Steps over the `count` rows that begin at order[begin], or without an order at `begin`, with a
  // rate for each step. Returns the number of rows done: fewer if interrupted.
  index run(const std::int64_t* order, index begin, index count, const T* rates);

  // Runs have the same bits if they are cut at multiples of so many steps.
  index steps_together() const;

 private:
  void run_kernel(const std::int64_t* order, index begin, index count, const T* rates);
  void run_targets(kernels::SgdSteps<T> steps, const std::int64_t* order, index begin);

  const Examples<T>& examples_;
  const Settings& settings_;
  const State<T>& state_;
  const Interrupted& interrupted_;
  void (*kernel_)(const kernels::SgdSteps<T>&);  // does whole steps; null: one by one
  std::vector<T> gradient_;
  std::vector<T> models_;  // of several targets for the kernel: their parameters, their averages
};

}  // namespace tilewise::sgd
