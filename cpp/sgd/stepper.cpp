#include "sgd/stepper.hpp"

#include <algorithm>
#include <cmath>

#include "base/split.hpp"
#include "kernels/registry.hpp"
#include "sgd/gradient.hpp"

namespace tilewise::sgd {
namespace {

// The kernels' own steps are plain SGD on one target.
template <class T>
auto kernel_for(const Examples<T>& examples, const Settings& settings)
    -> void (*)(const kernels::SgdSteps<T>&) {
  const bool plain = settings.optimizer == &optimizers().front() && settings.weight_decay == 0 &&
                     std::isinf(settings.clip_norm) && !settings.average &&
                     examples.sample_weights == nullptr && examples.targets() == 1;
  if (!plain || is_large(settings.batch_size, examples.features())) return nullptr;
  return kernels::in_use().sgd<T>().steps;
}

}  // namespace

template <class T>
Stepper<T>::Stepper(const Examples<T>& examples, const Settings& settings, const State<T>& state,
                    const Interrupted& interrupted)
    : examples_(examples),
      settings_(settings),
      state_(state),
      interrupted_(interrupted),
      kernel_(kernel_for(examples, settings)),
      gradient_(state.model.size()) {}

template <class T>
index Stepper<T>::run(const std::int64_t* order, index begin, index count, const T* rates) {
  const index batch_size = settings_.batch_size;
  if (kernel_ != nullptr) {
    kernel_({examples_.rows(order, begin), count, batch_size, rates, state_.model.parameters,
             gradient_.data()});
    *state_.steps += ceil_div(count, batch_size);
    *state_.examples += count;
    return count;
  }
  for (index done = 0; done < count;) {
    const index size = std::min(batch_size, count - done);
    if (!step(order, begin + done, size, rates[done / batch_size])) return done;
    done += size;
  }
  return count;
}

template <class T>
bool Stepper<T>::step(const std::int64_t* order, index begin, index size, T rate) {
  const Model<T>& model = state_.model;
  if (!sum_gradients(examples_, order, begin, size, model, interrupted_, gradient_.data())) {
    return false;
  }
  const T share = T{1} / static_cast<T>(size);
  for (T& g : gradient_) g *= share;
  clip();
  const T decay = static_cast<T>(settings_.weight_decay);
  const index weights = model.features * model.targets;
  for (index j = 0; j < weights && decay != 0; ++j) gradient_[j] += decay * model.parameters[j];
  settings_.optimizer->update(Update<T>{.size = model.size(),
                                        .parameters = model.parameters,
                                        .gradient = gradient_.data(),
                                        .slots = {state_.slot(0), state_.slot(1)},
                                        .rate = rate,
                                        .step = *state_.steps,
                                        .hyperparameters = settings_.hyperparameters.data()});
  *state_.steps += 1;
  *state_.examples += size;
  if (!settings_.average) return true;
  T* const mean = state_.slot(settings_.optimizer->slots);
  const T part = T{1} / static_cast<T>(*state_.steps);
  for (index j = 0; j < model.size(); ++j) mean[j] += part * (model.parameters[j] - mean[j]);
  return true;
}

template <class T>
void Stepper<T>::clip() {
  if (std::isinf(settings_.clip_norm)) return;
  double squares = 0;
  for (const T g : gradient_) squares += static_cast<double>(g) * static_cast<double>(g);
  const double norm = std::sqrt(squares);
  if (!(norm > settings_.clip_norm)) return;
  const T factor = static_cast<T>(settings_.clip_norm / norm);
  for (T& g : gradient_) g *= factor;
}

template class Stepper<float>;
template class Stepper<double>;

}  // namespace tilewise::sgd
