#include "sgd/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "base/split.hpp"
#include "sgd/divergence.hpp"
#include "sgd/loss.hpp"

namespace tilewise::sgd {
namespace {

constexpr index never = std::numeric_limits<index>::max();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// What is due at the multiples of a number of examples since the model began, wherever a run began.
class Cadence {
 public:
  Cadence(index every, index now) : every_(every) { done(now); }

  index next() const { return next_; }
  bool is_due(index now) const { return now >= next_; }
  void done(index now) { next_ = every_ > never - now ? never : (now / every_ + 1) * every_; }

 private:
  index every_;
  index next_ = 0;
};

// What training changed until now, to go back to.
template <class T>
class Backup {
 public:
  explicit Backup(const State<T>& state)
      : values_(state.values.begin(), state.values.end()),
        steps_(*state.steps),
        examples_(*state.examples) {}

  void restore(const State<T>& state) const {
    std::copy(values_.begin(), values_.end(), state.values.begin());
    *state.steps = steps_;
    *state.examples = examples_;
  }

 private:
  std::vector<T> values_;
  index steps_;
  index examples_;
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
  static constexpr index block = tuning::rates_in_a_block;

  index held() const { return static_cast<index>(held_.size()); }

  const Rates& rates_;
  index begin_ = 0;  // the step of the first rate held
  std::vector<T> held_;
};

template <class T>
class Training {
 public:
  Training(const Examples<T>& examples, const Settings& settings, const Schedule& schedule,
           const Rates& rates, const State<T>& state, const Interrupted& interrupted)
      : examples_(examples),
        batch_size_(settings.batch_size),
        schedule_(schedule),
        state_(state),
        interrupted_(interrupted),
        stepper_(examples, settings, state, interrupted),
        rates_(rates),
        together_(stepper_.steps_together()),
        backup_(state),
        check_(examples, state.model, schedule.start_loss, interrupted),
        looks_(between_looks(), *state.examples),
        verdicts_(std::max(between_looks(), tuning::least_rows_between_verdicts), *state.examples),
        records_due_(schedule.record_every > 0 ? schedule.record_every : never, *state.examples),
        last_(at_the_end(*state.examples, examples.x.rows)),
        last_step_(at_the_end(*state.steps, ceil_div(examples.x.rows, batch_size_))) {}

  Records run(Sampler& sampler) {
    records_.start_loss = check_.start_loss();
    // Not set to zeros: that takes long where there are many rows.
    const auto order = sampler.in_order()
                           ? nullptr
                           : std::make_unique_for_overwrite<std::int64_t[]>(examples_.x.rows);
    for (index i = 0; i < schedule_.epochs; ++i) {
      if (!epoch(sampler, order.get())) break;
    }
    return std::move(records_);
  }

 private:
  // Calls what is training: the rest is not counted in the seconds.
  template <class F>
  auto timed(const F& call) {
    const auto begun = std::chrono::steady_clock::now();
    const auto result = call();
    records_.total_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return result;
  }

  index between_looks() const {
    return std::max(tuning::numbers_between_looks / state_.model.size(), index{1});
  }

  // Where a count is after all epochs; they may be more than anyone can wait for.
  index at_the_end(index now, index in_an_epoch) const {
    return schedule_.epochs > (never - now) / in_an_epoch ? never
                                                          : now + schedule_.epochs * in_an_epoch;
  }

  // False: it is over before its time.
  bool epoch(Sampler& sampler, std::int64_t* order) {
    if (!timed([&] { return sampler.next_epoch(order, interrupted_); })) return false;
    for (index begin = 0; begin < examples_.x.rows;) {
      if (!record_within_steps(order, begin)) return false;
      const index done = some_steps(order, begin);
      if (done == 0 || !look()) return false;
      begin += done;
    }
    return true;
  }

  // Rows until the next look or record, in whole batches; less where a record falls within steps
  // that are taken together.
  index rows_until_look(index left) const {
    const auto in_units = [left](index rows, index unit) {
      return std::min(ceil_div(std::min(rows, left), unit) * unit, left);
    };
    const index unit = together_ * batch_size_;
    const index record = in_units(records_due_.next() - *state_.examples, batch_size_);
    const index before = record < left ? record - record % unit : left;
    return std::min(before, in_units(looks_.next() - *state_.examples, unit));
  }

  std::span<const T> next_rates() {
    return timed([&] { return rates_.from(*state_.steps, together_, last_step_ - *state_.steps); });
  }

  index some_steps(const std::int64_t* order, index begin) {
    const index left = examples_.x.rows - begin;
    const auto rates = next_rates();
    if (rates.empty()) return 0;
    index rows = std::min(rows_until_look(left), static_cast<index>(rates.size()) * batch_size_);
    if (rows < left) rows -= rows % (together_ * batch_size_);
    const index done = timed([&] { return stepper_.run(order, begin, rows, rates.data()); });
    records_.rows += done;
    return done;
  }

  // In whole batches, where there is one to come.
  index rows_until_record() const {
    const index next = records_due_.next();
    return next == never ? never : ceil_div(next - *state_.examples, batch_size_) * batch_size_;
  }

  // Takes the records that fall within the next steps taken together, and takes the steps back, so
  // that records do not change the bits of the training.
  bool record_within_steps(const std::int64_t* order, index begin) {
    const index together = std::min(together_ * batch_size_, examples_.x.rows - begin);
    while (rows_until_record() < together) {
      const index rows = rows_until_record();
      const Backup<T> here(state_);
      const auto rates = next_rates();
      if (rates.empty()) return false;
      stepper_.run(order, begin, rows, rates.data());
      const bool recorded = record();
      if (records_.diverged_at == 0) here.restore(state_);
      if (!recorded) return false;
    }
    return true;
  }

  // Records where it is time to, and sees now and then whether it is worth going on.
  bool look() {
    const index now = *state_.examples;
    const bool end = now == last_;
    const bool record_now = records_due_.is_due(now) || (end && schedule_.record_end);
    if (!record_now && !end && !looks_.is_due(now)) return true;
    looks_.done(now);
    const bool interrupted = interrupted_();
    if (!record_now && !end && !interrupted && !verdicts_.is_due(now)) return true;
    verdicts_.done(now);
    const Progress progress = check_.of(state_);
    if (progress == Progress::diverged) return diverge();
    const bool good = progress == Progress::good;
    // A model that ends well begins anew, with whatever data come next.
    records_.start_loss = good ? nan : check_.start_loss();
    if (record_now && !interrupted && !record()) return false;
    if (good) backup_ = Backup<T>(state_);
    return !interrupted;
  }

  bool record() {
    const double loss = mean_loss(examples_, state_.result(), interrupted_);
    const bool diverged = check_.is_diverged(loss);
    if (interrupted_()) return false;
    if (diverged) return diverge();
    records_.losses.push_back(loss);
    records_.seconds.push_back(records_.total_seconds);
    records_.examples.push_back(*state_.examples);
    records_due_.done(*state_.examples);
    return true;
  }

  bool diverge() {
    records_.diverged_at = *state_.examples;
    records_.start_loss = nan;
    backup_.restore(state_);
    return false;
  }

  const Examples<T>& examples_;
  index batch_size_;
  const Schedule& schedule_;
  const State<T>& state_;
  const Interrupted& interrupted_;
  Stepper<T> stepper_;
  RateQueue<T> rates_;
  index together_;  // steps
  Backup<T> backup_;
  DivergenceCheck<T> check_;
  Records records_;
  Cadence looks_;
  Cadence verdicts_;
  Cadence records_due_;
  index last_;  // examples at the end, since the model began
  index last_step_;
};

}  // namespace

template <class T>
Records train(const Examples<T>& examples, const Settings& settings, const Schedule& schedule,
              const Rates& rates, Sampler& sampler, const State<T>& state,
              const Interrupted& interrupted) {
  Settings within_rows = settings;
  within_rows.batch_size = std::min(settings.batch_size, examples.x.rows);
  return Training<T>(examples, within_rows, schedule, rates, state, interrupted).run(sampler);
}

template <class T>
bool finite_step(const Examples<T>& examples, const Settings& settings, double rate,
                 const State<T>& state, const Interrupted& interrupted) {
  const Backup<T> before(state);
  if (!step(examples, settings, rate, state, interrupted)) return false;
  if (is_finite(state)) return true;
  before.restore(state);
  return false;
}

template <class T>
bool take_steps(const Examples<T>& examples, const Settings& settings, const std::int64_t* order,
                index first, index count, std::span<const double> rates, const State<T>& state,
                const Interrupted& interrupted) {
  Settings within_rows = settings;
  within_rows.batch_size = std::min(settings.batch_size, examples.x.rows);
  Stepper<T> stepper(examples, within_rows, state, interrupted);
  const std::vector<T> as_t(rates.begin(), rates.end());
  // Steps that would be taken together are taken one by one.
  const index until_poll =
      tuning::numbers_between_looks / state.model.size() / within_rows.batch_size;
  const index steps = stepper.steps_together() > 1 ? 1 : std::max(until_poll, index{1});
  PollCounter polls(interrupted);
  for (index step = 0; step < std::ssize(as_t); step += steps) {
    const index done = step * within_rows.batch_size;
    const index rows = std::min(steps * within_rows.batch_size, count - done);
    if (stepper.run(order, first + done, rows, as_t.data() + step) < rows) return false;
    if (polls.after(rows * state.model.size())) return false;
  }
  return true;
}

#define TILEWISE_INSTANTIATE(T)                                                                    \
  template Records train(const Examples<T>&, const Settings&, const Schedule&, const Rates&,       \
                         Sampler&, const State<T>&, const Interrupted&);                           \
  template bool finite_step(const Examples<T>&, const Settings&, double, const State<T>&,          \
                            const Interrupted&);                                                   \
  template bool take_steps(const Examples<T>&, const Settings&, const std::int64_t*, index, index, \
                           std::span<const double>, const State<T>&, const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
