#include "sgd/stepper.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/split.hpp"
#include "kernels/registry.hpp"
#include "sgd/gradient.hpp"

namespace tilewise::sgd {
namespace {

// The kernels' own steps are plain SGD on one target. Several targets are as many models, unless
// their common gradient is cut.
template <class T>
auto kernel_for(const Examples<T>& examples, const Settings& settings)
    -> void (*)(const kernels::SgdSteps<T>&) {
  const bool plain = settings.optimizer == &optimizers().front();
  const bool apart = examples.targets() == 1 ||
                     (std::isinf(settings.clip_norm) && examples.targets() <= tuning::most_models);
  if (!plain || !apart || is_large(settings.batch_size, examples.features())) return nullptr;
  return kernels::in_use().sgd<T>().steps;
}

// For the kernels: 0 if gradients are never cut.
template <class T>
T inverse_of(double clip_norm) {
  return static_cast<T>(std::min(1 / clip_norm, double{std::numeric_limits<T>::max()}));
}

template <class T>
void transpose(const T* from, index rows, index cols, T* to) {
  kernels::in_use().gemm<T>().transpose({from, rows, cols, cols, to, rows});
}

template <class T>
void clip(std::span<T> gradient, double clip_norm) {
  if (std::isinf(clip_norm)) return;
  double squares = 0;
  for (const T g : gradient) squares += static_cast<double>(g) * static_cast<double>(g);
  const double norm = std::sqrt(squares);
  if (!(norm > clip_norm)) return;
  const T factor = static_cast<T>(clip_norm / norm);
  for (T& g : gradient) g *= factor;
}

}  // namespace

template <class T>
void apply_gradient(T* gradient, index count, const Settings& settings, const State<T>& state,
                    T rate) {
  const Model<T>& model = state.model;
  const T share = T{1} / static_cast<T>(count);
  for (index j = 0; j < model.size(); ++j) gradient[j] *= share;
  clip(std::span<T>(gradient, model.size()), settings.clip_norm);
  const T decay = static_cast<T>(settings.weight_decay);
  const index weights = model.features * model.targets;
  for (index j = 0; j < weights && decay != 0; ++j) gradient[j] += decay * model.parameters[j];
  settings.optimizer->update(Update<T>{.size = model.size(),
                                       .parameters = model.parameters,
                                       .gradient = gradient,
                                       .slots = {state.slots[0], state.slots[1]},
                                       .rate = rate,
                                       .step = *state.steps,
                                       .hyperparameters = settings.hyperparameters.data()});
  *state.steps += 1;
  *state.examples += count;
  if (state.average == nullptr) return;
  const T part = T{1} / static_cast<T>(*state.steps);
  for (index j = 0; j < model.size(); ++j) {
    state.average[j] += part * (model.parameters[j] - state.average[j]);
  }
}

template <class T>
bool step(const Examples<T>& examples, const Settings& settings, double rate, const State<T>& state,
          const Interrupted& interrupted) {
  Settings whole = settings;
  whole.batch_size = examples.x.rows;
  const T as_t = static_cast<T>(rate);
  return Stepper<T>(examples, whole, state, interrupted).run(nullptr, 0, whole.batch_size, &as_t) ==
         whole.batch_size;
}

template <class T>
Stepper<T>::Stepper(const Examples<T>& examples, const Settings& settings, const State<T>& state,
                    const Interrupted& interrupted)
    : examples_(examples),
      settings_(settings),
      state_(state),
      interrupted_(interrupted),
      kernel_(kernel_for(examples, settings)),
      gradient_(state.model.size()),
      models_(kernel_ != nullptr && examples.targets() > 1 ? 2 * state.model.size() : 0) {}

template <class T>
index Stepper<T>::run(const std::int64_t* order, index begin, index count, const T* rates) {
  const index batch_size = settings_.batch_size;
  T* const gradient = gradient_.data();
  if (kernel_ != nullptr) {
    run_kernel(order, begin, count, rates);
    return count;
  }
  for (index done = 0; done < count; done += batch_size) {
    const index size = std::min(batch_size, count - done);
    if (!sum_gradients(examples_, order, begin + done, size, state_.model, interrupted_,
                       gradient)) {
      return done;
    }
    apply_gradient(gradient, size, settings_, state_, rates[done / batch_size]);
  }
  return count;
}

template <class T>
void Stepper<T>::run_kernel(const std::int64_t* order, index begin, index count, const T* rates) {
  const Model<T>& model = state_.model;
  const index steps = ceil_div(count, settings_.batch_size);
  kernels::SgdSteps<T> given = {
      .rows = examples_.rows(order, begin),
      .count = count,
      .batch_size = settings_.batch_size,
      .rates = rates,
      .weight_decay = static_cast<T>(settings_.weight_decay),
      .inverse_clip = inverse_of<T>(settings_.clip_norm),
      .parameters = model.parameters,
      .gradient = gradient_.data(),
      .average = state_.average,
      .averaged = *state_.steps,
  };
  if (model.targets == 1) {
    kernel_(given);
  } else {
    run_targets(given, order, begin);
  }
  *state_.steps += steps;
  *state_.examples += count;
}

// A model for each target. They take turns, so that the next one finds the rows in the cache.
template <class T>
void Stepper<T>::run_targets(kernels::SgdSteps<T> steps, const std::int64_t* order, index begin) {
  const Model<T>& model = state_.model;
  const index size = model.features + 1;
  T* const parameters = models_.data();
  T* const averages = parameters + model.size();
  transpose(model.parameters, size, model.targets, parameters);
  if (state_.average != nullptr) transpose(state_.average, size, model.targets, averages);
  const index unit = steps_together() * steps.batch_size;
  const index turn = std::max(tuning::numbers_in_a_turn / size / unit, index{1}) * unit;
  const index end = begin + steps.count;
  for (; begin < end; begin += turn) {
    steps.count = std::min(turn, end - begin);
    for (index t = 0; t < model.targets; ++t) {
      steps.rows = examples_.rows(order, begin, t);
      steps.parameters = parameters + t * size;
      if (state_.average != nullptr) steps.average = averages + t * size;
      kernel_(steps);
    }
    steps.rates += steps.count / steps.batch_size;
    steps.averaged += steps.count / steps.batch_size;
  }
  transpose(parameters, model.targets, size, model.parameters);
  if (state_.average != nullptr) transpose(averages, model.targets, size, state_.average);
}

template <class T>
index Stepper<T>::steps_together() const {
  if (kernel_ == nullptr) return 1;
  return kernels::in_use().sgd<T>().steps_together(examples_.features(), settings_.batch_size);
}

#define TILEWISE_INSTANTIATE(T)                                                    \
  template class Stepper<T>;                                                       \
  template void apply_gradient(T*, index, const Settings&, const State<T>&, T);    \
  template bool step(const Examples<T>&, const Settings&, double, const State<T>&, \
                     const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
