#include "sgd/stepper.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/split.hpp"
#include "kernels/registry.hpp"
#include "sgd/gradient.hpp"

namespace tilewise::sgd {
namespace {

// The kernels' own steps are plain SGD on one target.
template <class T>
auto kernel_for(const Examples<T>& examples, const Settings& settings, const State<T>& state)
    -> void (*)(const kernels::SgdSteps<T>&) {
  const bool plain = settings.optimizer == &optimizers().front() && settings.weight_decay == 0 &&
                     std::isinf(settings.clip_norm) && state.average == nullptr &&
                     examples.sample_weights == nullptr && examples.targets() == 1;
  if (!plain || is_large(settings.batch_size, examples.features())) return nullptr;
  return kernels::in_use().sgd<T>().steps;
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
      kernel_(kernel_for(examples, settings, state)),
      gradient_(state.model.size()) {}

template <class T>
index Stepper<T>::run(const std::int64_t* order, index begin, index count, const T* rates) {
  const index batch_size = settings_.batch_size;
  T* const gradient = gradient_.data();
  if (kernel_ != nullptr) {
    kernel_({examples_.rows(order, begin), count, batch_size, rates, state_.model.parameters,
             gradient});
    *state_.steps += ceil_div(count, batch_size);
    *state_.examples += count;
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
index Stepper<T>::steps_together() const {
  if (kernel_ == nullptr || settings_.batch_size > 1) return 1;
  return kernels::in_use().sgd<T>().steps_together(examples_.features());
}

#define TILEWISE_INSTANTIATE(T)                                                    \
  template class Stepper<T>;                                                       \
  template void apply_gradient(T*, index, const Settings&, const State<T>&, T);    \
  template bool step(const Examples<T>&, const Settings&, double, const State<T>&, \
                     const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)

}  // namespace tilewise::sgd
