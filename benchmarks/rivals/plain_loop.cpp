// What a strong engineer writes without a library: minibatch SGD in a screen of C++.
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace {

// Fisher and Yates, with Lemire's bounded draws from a multiplicative generator.
void shuffle(std::vector<int64_t>& order, uint64_t& state) {
  for (uint64_t i = order.size(); i > 1; --i) {
    state += 0xa0761d6478bd642full;
    const auto mixed = static_cast<unsigned __int128>(state) * (state ^ 0xe7037ed1a0b428dbull);
    const auto random = static_cast<uint64_t>(mixed >> 64) ^ static_cast<uint64_t>(mixed);
    const auto chosen = static_cast<unsigned __int128>(random) * i >> 64;
    std::swap(order[i - 1], order[static_cast<uint64_t>(chosen)]);
  }
}

struct Steps {
  int64_t rows, features, batch_size, epochs, permuted, average;
  double learning_rate, weight_decay;
};

template <class T>
void train(const T* __restrict X, const T* __restrict y, T* __restrict w, const Steps& steps) {
  const int64_t n = steps.rows, d = steps.features;
  for (int64_t j = 0; j < d; ++j) w[j] = 0;
  std::vector<T> gradient_of(d), total_of(d + 1);
  T* __restrict gradient = gradient_of.data();
  T* __restrict total = total_of.data();
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  uint64_t state = 0;
  const T shrink = static_cast<T>(steps.learning_rate * steps.weight_decay);
  T b = 0;
  int64_t taken = 0;
  const auto add = [&] {
    for (int64_t j = 0; j < d; ++j) total[j] += w[j];
    total[d] += b;
  };
  for (int64_t epoch = 0; epoch < steps.epochs; ++epoch) {
    if (steps.permuted) shuffle(order, state);
    for (int64_t start = 0; start < n; start += steps.batch_size, ++taken) {
      if (steps.batch_size == 1) {
        const int64_t row = steps.permuted ? order[start] : start;
        const T* __restrict x = X + row * d;
        T residual = b - y[row];
        for (int64_t j = 0; j < d; ++j) residual += x[j] * w[j];
        residual *= static_cast<T>(steps.learning_rate);
        for (int64_t j = 0; j < d; ++j) w[j] -= residual * x[j] + shrink * w[j];
        b -= residual;
        if (steps.average) add();
        continue;
      }
      const int64_t end = start + steps.batch_size < n ? start + steps.batch_size : n;
      for (int64_t j = 0; j < d; ++j) gradient[j] = 0;
      T gradient_b = 0;
      for (int64_t i = start; i < end; ++i) {
        const int64_t row = steps.permuted ? order[i] : i;
        const T* __restrict x = X + row * d;
        T residual = b - y[row];
        for (int64_t j = 0; j < d; ++j) residual += x[j] * w[j];
        for (int64_t j = 0; j < d; ++j) gradient[j] += residual * x[j];
        gradient_b += residual;
      }
      const T rate = static_cast<T>(steps.learning_rate / (end - start));
      for (int64_t j = 0; j < d; ++j) w[j] -= rate * gradient[j] + shrink * w[j];
      b -= rate * gradient_b;
      if (steps.average) add();
    }
  }
  w[d] = b;
  if (steps.average)
    for (int64_t j = 0; j <= d; ++j) w[j] = total[j] / taken;
}

}  // namespace

extern "C" void train_float32(const float* X, const float* y, float* w, int64_t rows,
                              int64_t features, int64_t batch_size, int64_t epochs, int64_t permuted,
                              int64_t average, double learning_rate, double weight_decay) {
  train(X, y, w, {rows, features, batch_size, epochs, permuted, average, learning_rate, weight_decay});
}
extern "C" void train_float64(const double* X, const double* y, double* w, int64_t rows,
                              int64_t features, int64_t batch_size, int64_t epochs, int64_t permuted,
                              int64_t average, double learning_rate, double weight_decay) {
  train(X, y, w, {rows, features, batch_size, epochs, permuted, average, learning_rate, weight_decay});
}
