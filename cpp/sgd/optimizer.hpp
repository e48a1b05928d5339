// How a gradient changes the parameters.
#pragma once

#include <span>
#include <string_view>

#include "base/types.hpp"

namespace tilewise::sgd {

// One update of all parameters. The slots, as many as the optimizer needs, are what it keeps from
// step to step: arrays like the parameters, zeros at first.
template <class T>
struct Update {
  index size;
  T* parameters;
  const T* gradient;
  T* slots[2];
  T rate;
  index step;  // from 0
  const double* hyperparameters;
};

struct Hyperparameter {
  const char* name;
  double standard;
};

struct Optimizer {
  const char* name;
  int slots;
  Hyperparameter hyperparameters[3];  // as many as have a name
  void (*update_float)(const Update<float>&);
  void (*update_double)(const Update<double>&);

  void update(const Update<float>& u) const { update_float(u); }
  void update(const Update<double>& u) const { update_double(u); }
};

// Plain SGD is the first.
std::span<const Optimizer> optimizers();

// Null if there is none of this name.
const Optimizer* optimizer_named(std::string_view name);

}  // namespace tilewise::sgd
