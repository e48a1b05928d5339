#include "sgd/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/split.hpp"
#include "sgd/loss.hpp"
#include "sgd/stepper.hpp"

namespace tilewise::sgd {
namespace {

class Stopwatch {
 public:
  void start() { begun_ = Clock::now(); }
  void stop() { seconds_ += std::chrono::duration<double>(Clock::now() - begun_).count(); }
  double seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begun_;
  double seconds_ = 0;
};

// What training changed until now, to go back to.
template <class T>
class Backup {
 public:
  Backup(const State<T>& state, int slots) : state_(state), slots_(slots * state.model.size()) {
    save();
  }

  void save() {
    const T* const parameters = state_.model.parameters;
    parameters_.assign(parameters, parameters + state_.model.size());
    kept_.assign(state_.slots, state_.slots + slots_);
    steps_ = *state_.steps;
    examples_ = *state_.examples;
  }

  void restore() const {
    std::copy(parameters_.begin(), parameters_.end(), state_.model.parameters);
    std::copy(kept_.begin(), kept_.end(), state_.slots);
    *state_.steps = steps_;
    *state_.examples = examples_;
  }

 private:
  const State<T>& state_;
  index slots_;
  std::vector<T> parameters_;
  std::vector<T> kept_;
  index steps_ = 0;
  index examples_ = 0;
};

// The rates of the next steps, in the type of the model; asked for in blocks.
template <class T>
class RateQueue {
 public:
  explicit RateQueue(const Rates& rates) : rates_(rates) {}

  // At least 1 and at most `left`, from step `first` on.
  std::span<const T> from(index first, index left) {
    if (const auto* constant = std::get_if<double>(&rates_)) {
      if (held_.empty()) held_.assign(std::min(left, most), static_cast<T>(*constant));
      return held_;
    }
    if (first < begin_ || first >= begin_ + static_cast<index>(held_.size())) {
      // Blocks end at multiples, so that a resumed run has the same ones.
      std::vector<double> asked(std::min(left, most - first % most));
      std::get<RateWriter>(rates_)(first, asked);
      held_.assign(asked.begin(), asked.end());
      begin_ = first;
    }
    return std::span<const T>(held_).subspan(first - begin_);
  }

 private:
  static constexpr index most = 4096;

  const Rates& rates_;
  index begin_ = 0;
  std::vector<T> held_;
};

// Where to look next: after about a millisecond of work, at multiples that do not depend on where
// a run began.
template <class T>
index next_look(index examples, const Model<T>& model) {
  const index between = std::max(1'000'000 / model.size(), index{1});
  return (examples / between + 1) * between;
}

// What the loss never reaches in a training that gets somewhere: so many times that of the model at
// the start, and of one without any features.
template <class T>
double loss_ceiling(const Examples<T>& examples, const Model<T>& model,
                    const Interrupted& interrupted) {
  constexpr double factor = 1e6;
  std::vector<T> zeros(model.size());
  const Model<T> none = {zeros.data(), model.features, model.targets};
  const double least = mean_loss(examples, none, interrupted);
  const double start = mean_loss(examples, model, interrupted);
  const double ceiling = factor * std::max(least, start);
  return std::isfinite(ceiling) && ceiling > 0 ? ceiling : std::numeric_limits<double>::infinity();
}

template <class T>
class Training {
 public:
  Training(const Examples<T>& examples, const Settings& settings, const Plan& plan,
           const Rates& rates, const State<T>& state, const Interrupted& interrupted)
      : examples_(examples),
        settings_(settings),
        plan_(plan),
        state_(state),
        interrupted_(interrupted),
        stepper_(examples, settings, state, interrupted),
        rates_(rates),
        backup_(state, settings.optimizer->slots + (settings.average ? 1 : 0)),
        ceiling_(plan.record_every == 0 ? std::numeric_limits<double>::infinity()
                                        : loss_ceiling(examples, state.model, interrupted)),
        next_record_(next_multiple(*state.examples)),
        next_look_(next_look(*state.examples, state.model)),
        last_(at_the_end(*state.examples, examples.x.rows)),
        last_step_(at_the_end(*state.steps, ceil_div(examples.x.rows, settings.batch_size))) {}

  // False: it is over before its time.
  bool epoch(Sampler& sampler, std::vector<std::int64_t>& order) {
    watch_.start();
    const bool drawn = sampler.next_epoch(order.data(), interrupted_);
    watch_.stop();
    if (!drawn) return false;
    const std::int64_t* const rows = order.empty() ? nullptr : order.data();
    for (index begin = 0; begin < examples_.x.rows;) {
      const index done = some_steps(rows, begin);
      if (done == 0 || !look()) return false;
      begin += done;
    }
    return true;
  }

  Records finish() {
    records_.total_seconds = watch_.seconds();
    return std::move(records_);
  }

 private:
  static constexpr index never = std::numeric_limits<index>::max();

  // Where a count is after all epochs; they may be more than anyone can wait for.
  index at_the_end(index now, index in_an_epoch) const {
    return plan_.epochs > (never - now) / in_an_epoch ? never : now + plan_.epochs * in_an_epoch;
  }

  index next_multiple(index examples) const {
    if (plan_.record_every == 0 || plan_.record_every > never - examples) return never;
    return (examples / plan_.record_every + 1) * plan_.record_every;
  }

  // Whole batches until the next look, or the end of the epoch.
  index some_steps(const std::int64_t* rows, index begin) {
    const index batch_size = settings_.batch_size;
    const index left = examples_.x.rows - begin;
    const index wanted = std::min(next_record_, next_look_) - *state_.examples;
    watch_.start();
    const auto rates = rates_.from(*state_.steps, last_step_ - *state_.steps);
    const index steps = std::min(ceil_div(wanted, batch_size), static_cast<index>(rates.size()));
    const index done = stepper_.run(rows, begin, std::min(steps * batch_size, left), rates.data());
    watch_.stop();
    return done;
  }

  // Records where it is time to, and sees now and then whether it is worth going on.
  bool look() {
    const index done = *state_.examples;
    const bool end = done == last_;
    const bool record_now = done >= next_record_ || (end && plan_.record_end);
    if (!record_now && !end && done < next_look_) return true;
    next_look_ = next_look(done, state_.model);
    const bool finite = all_finite(state_.model.parameters, state_.model.size());
    const double loss = record_now && finite ? mean_loss(examples_, result(), interrupted_) : 0;
    if (finite && interrupted_()) return false;
    if (!finite || !(loss < ceiling_)) {
      backup_.restore();
      records_.diverged = true;
      return false;
    }
    if (record_now || plan_.record_every == 0) backup_.save();
    if (!record_now) return true;
    records_.losses.push_back(loss);
    records_.seconds.push_back(watch_.seconds());
    records_.examples.push_back(done);
    next_record_ = next_multiple(done);
    return true;
  }

  Model<T> result() const {
    Model<T> model = state_.model;
    if (settings_.average) model.parameters = state_.slot(settings_.optimizer->slots);
    return model;
  }

  const Examples<T>& examples_;
  const Settings& settings_;
  const Plan& plan_;
  const State<T>& state_;
  const Interrupted& interrupted_;
  Stepper<T> stepper_;
  RateQueue<T> rates_;
  Backup<T> backup_;
  Stopwatch watch_;
  Records records_;
  double ceiling_;     // of the loss
  index next_record_;  // these three in examples
  index next_look_;
  index last_;
  index last_step_;
};

}  // namespace

template <class T>
Records train(const Examples<T>& examples, const Settings& settings, const Plan& plan,
              const Rates& rates, Sampler& sampler, const State<T>& state,
              const Interrupted& interrupted) {
  std::vector<std::int64_t> order(sampler.in_order() ? 0 : examples.x.rows);
  Training<T> training(examples, settings, plan, rates, state, interrupted);
  for (index epoch = 0; epoch < plan.epochs; ++epoch) {
    if (!training.epoch(sampler, order)) break;
  }
  return training.finish();
}

template <class T>
bool step(const Examples<T>& examples, const Settings& settings, double rate, const State<T>& state,
          const Interrupted& interrupted) {
  const T as_t = static_cast<T>(rate);
  return Stepper<T>(examples, settings, state, interrupted)
             .run(nullptr, 0, examples.x.rows, &as_t) == examples.x.rows;
}

#define TILEWISE_INSTANTIATE(T)                                                                    \
  template Records train(const Examples<T>&, const Settings&, const Plan&, const Rates&, Sampler&, \
                         const State<T>&, const Interrupted&);                                     \
  template bool step(const Examples<T>&, const Settings&, double, const State<T>&,                 \
                     const Interrupted&);
TILEWISE_INSTANTIATE(float)
TILEWISE_INSTANTIATE(double)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
