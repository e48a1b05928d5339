#include "sgd/optimizer.hpp"

#include <cmath>

namespace tilewise::sgd {
namespace {

template <class T>
void sgd(const Update<T>& u) {
  for (index j = 0; j < u.size; ++j) u.parameters[j] -= u.rate * u.gradient[j];
}

// Momentum and Nesterov's form as in PyTorch: the rate is outside the velocity.
template <class T>
void momentum(const Update<T>& u) {
  const T mu = static_cast<T>(u.hyperparameters[0]);
  T* const velocity = u.slots[0];
  for (index j = 0; j < u.size; ++j) {
    velocity[j] = mu * velocity[j] + u.gradient[j];
    u.parameters[j] -= u.rate * velocity[j];
  }
}

template <class T>
void nesterov(const Update<T>& u) {
  const T mu = static_cast<T>(u.hyperparameters[0]);
  T* const velocity = u.slots[0];
  for (index j = 0; j < u.size; ++j) {
    velocity[j] = mu * velocity[j] + u.gradient[j];
    u.parameters[j] -= u.rate * (u.gradient[j] + mu * velocity[j]);
  }
}

// Duchi, Hazan and Singer, 2011.
template <class T>
void adagrad(const Update<T>& u) {
  const T epsilon = static_cast<T>(u.hyperparameters[0]);
  T* const squares = u.slots[0];
  for (index j = 0; j < u.size; ++j) {
    squares[j] += u.gradient[j] * u.gradient[j];
    u.parameters[j] -= u.rate * u.gradient[j] / (std::sqrt(squares[j]) + epsilon);
  }
}

// Tieleman and Hinton, 2012.
template <class T>
void rmsprop(const Update<T>& u) {
  const T decay = static_cast<T>(u.hyperparameters[0]);
  const T rest = static_cast<T>(1 - u.hyperparameters[0]);
  const T epsilon = static_cast<T>(u.hyperparameters[1]);
  T* const squares = u.slots[0];
  for (index j = 0; j < u.size; ++j) {
    squares[j] = decay * squares[j] + rest * u.gradient[j] * u.gradient[j];
    u.parameters[j] -= u.rate * u.gradient[j] / (std::sqrt(squares[j]) + epsilon);
  }
}

// Zeiler, 2012.
template <class T>
void adadelta(const Update<T>& u) {
  const T decay = static_cast<T>(u.hyperparameters[0]);
  const T rest = static_cast<T>(1 - u.hyperparameters[0]);
  const T epsilon = static_cast<T>(u.hyperparameters[1]);
  T* const squares = u.slots[0];
  T* const changes = u.slots[1];  // squared
  for (index j = 0; j < u.size; ++j) {
    squares[j] = decay * squares[j] + rest * u.gradient[j] * u.gradient[j];
    const T change =
        std::sqrt(changes[j] + epsilon) / std::sqrt(squares[j] + epsilon) * u.gradient[j];
    changes[j] = decay * changes[j] + rest * change * change;
    u.parameters[j] -= u.rate * change;
  }
}

// Kingma and Ba, 2015.
template <class T>
void adam(const Update<T>& u) {
  const T beta1 = static_cast<T>(u.hyperparameters[0]);
  const T beta2 = static_cast<T>(u.hyperparameters[1]);
  const T rest1 = static_cast<T>(1 - u.hyperparameters[0]);  // exact where beta is close to 1
  const T rest2 = static_cast<T>(1 - u.hyperparameters[1]);
  const T epsilon = static_cast<T>(u.hyperparameters[2]);
  const auto steps = static_cast<double>(u.step + 1);
  const double correction = 1 - std::pow(u.hyperparameters[0], steps);
  const T rate = static_cast<T>(u.rate / correction);
  const T root = static_cast<T>(std::sqrt(1 - std::pow(u.hyperparameters[1], steps)));
  T* const mean = u.slots[0];
  T* const squares = u.slots[1];
  for (index j = 0; j < u.size; ++j) {
    mean[j] = beta1 * mean[j] + rest1 * u.gradient[j];
    squares[j] = beta2 * squares[j] + rest2 * u.gradient[j] * u.gradient[j];
    u.parameters[j] -= rate * mean[j] / (std::sqrt(squares[j]) / root + epsilon);
  }
}

// To add one, add its function above and its line here.
constexpr Optimizer table[] = {
    {"sgd", 0, {}, sgd<float>, sgd<double>},
    {"momentum", 1, {{"momentum", 0.9}}, momentum<float>, momentum<double>},
    {"nesterov", 1, {{"momentum", 0.9}}, nesterov<float>, nesterov<double>},
    {"adagrad", 1, {{"epsilon", 1e-10}}, adagrad<float>, adagrad<double>},
    {"rmsprop", 1, {{"decay", 0.9}, {"epsilon", 1e-8}}, rmsprop<float>, rmsprop<double>},
    {"adadelta", 2, {{"decay", 0.9}, {"epsilon", 1e-6}}, adadelta<float>, adadelta<double>},
    {"adam", 2, {{"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}}, adam<float>, adam<double>},
};

}  // namespace

std::span<const Optimizer> optimizers() { return table; }

const Optimizer* optimizer_named(std::string_view name) {
  for (const Optimizer& optimizer : table) {
    if (name == optimizer.name) return &optimizer;
  }
  return nullptr;
}

}  // namespace tilewise::sgd
