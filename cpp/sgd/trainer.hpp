// Linear regression by minibatch stochastic gradient descent.
#pragma once

#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "sgd/sampler.hpp"
#include "sgd/stepper.hpp"

namespace tilewise::sgd {

// One rate for all steps, or what writes the rates of steps `first`, `first` + 1, .. and returns
// false if it was interrupted.
using RateWriter = std::function<bool(index first, std::span<double> rates)>;
using Rates = std::variant<double, RateWriter>;

struct Schedule {
  index epochs;
  index record_every;  // examples; 0: never
  bool record_end;
  double start_loss;  // that Records of an earlier call for this model has, or NaN
};

struct Records {
  std::vector<double> losses;
  std::vector<double> seconds;  // of training since the call; evaluation is not counted
  std::vector<index> examples;
  double total_seconds = 0;
  index rows = 0;         // trained on, also those that a divergence took back
  index diverged_at = 0;  // examples since the model began; 0: it did not
  double start_loss = 0;  // of DivergenceCheck, for the next call; NaN: all is well, it is new
};

// Trains for schedule.epochs epochs, on the rows that the sampler draws, in batches; the last batch
// of an epoch may be smaller. A divergence ends it, found by looks at the state now and then, at
// the end and at every record: the verdict of DivergenceCheck. The state is then that of the last
// look at which it was good, and `diverged_at` is set. Ends early when interrupted, with the state
// as far as it got. Throws std::bad_alloc, and what `rates` throws.
template <class T>
Records train(const Examples<T>& examples, const Settings& settings, const Schedule& schedule,
              const Rates& rates, Sampler& sampler, const State<T>& state,
              const Interrupted& interrupted);

// One step on all the examples as one batch. Returns false, with the state as it was, if the step
// led to what is not finite, or was interrupted.
template <class T>
bool finite_step(const Examples<T>& examples, const Settings& settings, double rate,
                 const State<T>& state, const Interrupted& interrupted);

// Steps over the rows order[first], .., or without an order those from `first` on: `count` of them,
// in batches, with a rate for each. The bits do not depend on where such runs are cut. Returns
// false, with the state as far as it got, if interrupted.
template <class T>
bool take_steps(const Examples<T>& examples, const Settings& settings, const std::int64_t* order,
                index first, index count, std::span<const double> rates, const State<T>& state,
                const Interrupted& interrupted);

}  // namespace tilewise::sgd
