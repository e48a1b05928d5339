// Runs of steps, in the fastest way that the settings allow.
#pragma once

#include <vector>

#include "sgd/trainer.hpp"

namespace tilewise::sgd {

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
  bool step(const std::int64_t* order, index begin, index size, T rate);

  const Examples<T>& examples_;
  const Settings& settings_;
  const State<T>& state_;
  const Interrupted& interrupted_;
  void (*kernel_)(const kernels::SgdSteps<T>&);  // does whole steps; null: one by one, below
  std::vector<T> gradient_;
};

}  // namespace tilewise::sgd
