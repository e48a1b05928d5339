#include "sgd/update.hpp"

#include <cmath>
#include <span>

namespace tilewise::sgd {
namespace {

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
                                       .slots = {state.slot(0), state.slot(1)},
                                       .rate = rate,
                                       .step = *state.steps,
                                       .hyperparameters = settings.hyperparameters.data()});
  *state.steps += 1;
  *state.examples += count;
  if (!settings.average) return;
  T* const mean = state.slot(settings.optimizer->slots);
  const T part = T{1} / static_cast<T>(*state.steps);
  for (index j = 0; j < model.size(); ++j) mean[j] += part * (model.parameters[j] - mean[j]);
}

template void apply_gradient(float*, index, const Settings&, const State<float>&, float);
template void apply_gradient(double*, index, const Settings&, const State<double>&, double);

}  // namespace tilewise::sgd
