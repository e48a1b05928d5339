#include "sgd/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/split.hpp"
#include "sgd/divergence.hpp"
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
  Backup(const State<T>& state, index slots) : state_(state), slots_(slots * state.model.size()) {
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

  // At least min(least, left), from step `first` on; none if interrupted. `first` never falls.
  std::span<const T> from(index first, index least, index left) {
    if (const auto* constant = std::get_if<double>(&rates_)) {
      if (held_.empty()) held_.assign(std::min(left, block), static_cast<T>(*constant));
      return held_;
    }
    const index used = std::min(first - begin_, held());
    held_.erase(held_.begin(), held_.begin() + used);
    begin_ = first;
    while (held() < std::min(least, left)) {
      // Blocks end at multiples, so that a resumed run has the same ones.
      const index next = first + held();
      std::vector<double> asked(std::min(left - held(), block - next % block));
      if (!std::get<RateWriter>(rates_)(next, asked)) return {};
      held_.insert(held_.end(), asked.begin(), asked.end());
    }
    return held_;
  }

 private:
  static constexpr index block = 4096;

  index held() const { return static_cast<index>(held_.size()); }

  const Rates& rates_;
  index begin_ = 0;  // the step of the first rate held
  std::vector<T> held_;
};

constexpr index never = std::numeric_limits<index>::max();

// The next of the multiples, which do not depend on where a run began.
index multiple_after(index examples, index every) {
  return every > never - examples ? never : (examples / every + 1) * every;
}

template <class T>
class Training {
 public:
  Training(const Examples<T>& examples, const Settings& settings, const Schedule& schedule,
           const Rates& rates, const State<T>& state, const Interrupted& interrupted)
      : examples_(examples),
        settings_(settings),
        schedule_(schedule),
        state_(state),
        interrupted_(interrupted),
        stepper_(examples, settings, state, interrupted),
        rates_(rates),
        together_(stepper_.steps_together()),
        slots_(settings.optimizer->slots + (settings.average ? 1 : 0)),
        backup_(state, slots_),
        check_(examples, state.model, schedule.start_loss, interrupted),
        between_looks_(std::max(1'000'000 / state.model.size(), index{1})),
        between_verdicts_(std::max(between_looks_, least_between_verdicts)),
        between_records_(schedule.record_every > 0 ? schedule.record_every : never),
        next_look_(multiple_after(*state.examples, between_looks_)),
        next_verdict_(multiple_after(*state.examples, between_verdicts_)),
        next_record_(multiple_after(*state.examples, between_records_)),
        last_(at_the_end(*state.examples, examples.x.rows)),
        last_step_(at_the_end(*state.steps, ceil_div(examples.x.rows, settings.batch_size))) {}

  // False: it is over before its time.
  bool epoch(Sampler& sampler, std::int64_t* order) {
    watch_.start();
    const bool drawn = sampler.next_epoch(order, interrupted_);
    watch_.stop();
    if (!drawn) return false;
    for (index begin = 0; begin < examples_.x.rows;) {
      if (!record_within_steps(order, begin)) return false;
      const index done = some_steps(order, begin);
      if (done == 0 || !look()) return false;
      begin += done;
    }
    return true;
  }

  Records finish() {
    records_.total_seconds = watch_.seconds();
    // A model that ends well begins anew, with whatever data come next.
    const double nan = std::numeric_limits<double>::quiet_NaN();
    records_.start_loss = ended_well_ ? nan : check_.start_loss();
    return std::move(records_);
  }

 private:
  // A verdict reads fewer rows than one in fifty of these.
  static constexpr index least_between_verdicts = 3200;

  // Where a count is after all epochs; they may be more than anyone can wait for.
  index at_the_end(index now, index in_an_epoch) const {
    return schedule_.epochs > (never - now) / in_an_epoch ? never
                                                          : now + schedule_.epochs * in_an_epoch;
  }

  // Rows until the next look or record, in whole batches; less where a record falls within steps
  // that are taken together.
  index rows_until_look(index left) const {
    const index batch = settings_.batch_size;
    const auto in_units = [left](index rows, index unit) {
      return std::min(ceil_div(std::min(rows, left), unit) * unit, left);
    };
    const index record = in_units(next_record_ - *state_.examples, batch);
    const index before = record < left ? record - record % (together_ * batch) : left;
    return std::min(before, in_units(next_look_ - *state_.examples, together_ * batch));
  }

  std::span<const T> next_rates() {
    watch_.start();
    const auto rates = rates_.from(*state_.steps, together_, last_step_ - *state_.steps);
    watch_.stop();
    return rates;
  }

  index some_steps(const std::int64_t* order, index begin) {
    const index left = examples_.x.rows - begin;
    const auto rates = next_rates();
    if (rates.empty()) return 0;
    const index batch = settings_.batch_size;
    index rows = std::min(rows_until_look(left), static_cast<index>(rates.size()) * batch);
    if (rows < left) rows -= rows % (together_ * batch);
    watch_.start();
    const index done = stepper_.run(order, begin, rows, rates.data());
    watch_.stop();
    records_.rows += done;
    return done;
  }

  // Takes the records that fall within the next steps taken together, and takes the steps back, so
  // that records do not change the bits of the training.
  bool record_within_steps(const std::int64_t* order, index begin) {
    const index together = std::min(together_, examples_.x.rows - begin);
    while (next_record_ < never && next_record_ - *state_.examples < together) {
      const Backup<T> here(state_, slots_);
      const auto rates = next_rates();
      if (rates.empty()) return false;
      stepper_.run(order, begin, next_record_ - *state_.examples, rates.data());
      const bool recorded = record();
      if (records_.diverged_at == 0) here.restore();
      if (!recorded) return false;
    }
    return true;
  }

  // Records where it is time to, and sees now and then whether it is worth going on.
  bool look() {
    const index done = *state_.examples;
    const bool end = done == last_;
    const bool record_now = done >= next_record_ || (end && schedule_.record_end);
    if (!record_now && !end && done < next_look_) return true;
    next_look_ = multiple_after(done, between_looks_);
    const bool interrupted = interrupted_();
    if (!record_now && !end && !interrupted && done < next_verdict_) return true;
    next_verdict_ = multiple_after(done, between_verdicts_);
    const Progress progress = judge();
    ended_well_ = progress == Progress::good;
    if (progress == Progress::diverged) return diverge();
    if (record_now && !interrupted && !record()) return false;
    if (progress == Progress::good) backup_.save();
    return !interrupted;
  }

  bool record() {
    const double loss = mean_loss(examples_, result(), interrupted_);
    const bool diverged = check_.is_diverged(loss);
    if (interrupted_()) return false;
    if (diverged) return diverge();
    records_.losses.push_back(loss);
    records_.seconds.push_back(watch_.seconds());
    records_.examples.push_back(*state_.examples);
    next_record_ = multiple_after(*state_.examples, between_records_);
    return true;
  }

  Progress judge() const {
    const index size = state_.model.size();
    // Where a square of a gradient is not finite, an optimizer that divides by it stands still.
    if (!all_finite(state_.model.parameters, size) || !all_finite(state_.slots, slots_ * size)) {
      return Progress::diverged;
    }
    return check_.of(state_.model);
  }

  bool diverge() {
    records_.diverged_at = *state_.examples;
    backup_.restore();
    ended_well_ = true;
    return false;
  }

  Model<T> result() const {
    Model<T> model = state_.model;
    if (settings_.average) model.parameters = state_.slot(settings_.optimizer->slots);
    return model;
  }

  const Examples<T>& examples_;
  const Settings& settings_;
  const Schedule& schedule_;
  const State<T>& state_;
  const Interrupted& interrupted_;
  Stepper<T> stepper_;
  RateQueue<T> rates_;
  index together_;  // steps
  index slots_;
  Backup<T> backup_;
  DivergenceCheck<T> check_;
  Stopwatch watch_;
  Records records_;
  index between_looks_;  // about a millisecond of work; this and what follows count examples
  index between_verdicts_;
  index between_records_;
  index next_look_;  // since the model began, as the next three
  index next_verdict_;
  index next_record_;
  index last_;
  index last_step_;
  bool ended_well_ = false;
};

}  // namespace

template <class T>
Records train(const Examples<T>& examples, const Settings& settings, const Schedule& schedule,
              const Rates& rates, Sampler& sampler, const State<T>& state,
              const Interrupted& interrupted) {
  // Not set to zeros: that takes long where there are many rows.
  const auto order = sampler.in_order()
                         ? nullptr
                         : std::make_unique_for_overwrite<std::int64_t[]>(examples.x.rows);
  Training<T> training(examples, settings, schedule, rates, state, interrupted);
  for (index epoch = 0; epoch < schedule.epochs; ++epoch) {
    if (!training.epoch(sampler, order.get())) break;
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

#define TILEWISE_INSTANTIATE(T)                                                              \
  template Records train(const Examples<T>&, const Settings&, const Schedule&, const Rates&, \
                         Sampler&, const State<T>&, const Interrupted&);                     \
  template bool step(const Examples<T>&, const Settings&, double, const State<T>&,           \
                     const Interrupted&);
TILEWISE_INSTANTIATE(float)
TILEWISE_INSTANTIATE(double)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
