#include "sgd/stepper.hpp"

#include <algorithm>
#include <cmath>

#include "base/split.hpp"
#include "kernels/registry.hpp"
#include "sgd/gradient.hpp"
#include "sgd/update.hpp"

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
index Stepper<T>::steps_together() const {
  if (kernel_ == nullptr || settings_.batch_size > 1) return 1;
  return kernels::in_use().sgd<T>().steps_together(examples_.features());
}

template <class T>
bool Stepper<T>::step(const std::int64_t* order, index begin, index size, T rate) {
  T* const gradient = gradient_.data();
  if (!sum_gradients(examples_, order, begin, size, state_.model, interrupted_, gradient)) {
    return false;
  }
  apply_gradient(gradient, size, settings_, state_, rate);
  return true;
}

template class Stepper<float>;
template class Stepper<double>;

}  // namespace tilewise::sgd
