// The second half of a step: a gradient, wherever its parts were computed, changes the state.
#pragma once

#include "sgd/trainer.hpp"

namespace tilewise::sgd {

// Takes the sum of the gradients of `count` rows through all that Settings says a step does. The
// gradient is overwritten. Steps grow by one, examples by `count`.
template <class T>
void apply_gradient(T* gradient, index count, const Settings& settings, const State<T>& state,
                    T rate);

}  // namespace tilewise::sgd
