#include "sgd/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "gemm/gemv.hpp"
#include "kernels/registry.hpp"

namespace tilewise::sgd {
namespace {

class Stopwatch {
 public:
  void start() { begun_ = Clock::now(); }
  void stop() { seconds_ += std::chrono::duration<double>(Clock::now() - begun_).count(); }
  double seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begun_;
  double seconds_ = 0;
};

// About a millisecond of work.
index examples_between_questions(index features) {
  return std::max(1'000'000 / features, index{1});
}

template <class T>
void step(const kernels::SgdBatch<T>& batch, T learning_rate, T* gradient, Model<T>& model) {
  const T residuals = kernels::in_use().sgd<T>().gradient(batch, gradient);
  const T rate = learning_rate / static_cast<T>(batch.size);
  for (index j = 0; j < model.features; ++j) model.weights[j] -= rate * gradient[j];
  model.bias -= rate * residuals;
}

}  // namespace

template <class T>
double mean_loss(const MatrixView<const T>& x, const T* y, const T* weights, T bias) {
  constexpr index chunk = 1024;
  T predictions[chunk];
  double sum = 0;
  for (index i0 = 0; i0 < x.rows; i0 += chunk) {
    const index rows = std::min(chunk, x.rows - i0);
    gemm::gemv(x.block(i0, 0, rows, x.cols), VectorView<const T>{weights, x.cols, 1},
               VectorView<T>{predictions, rows, 1});
    for (index i = 0; i < rows; ++i) {
      const double residual = static_cast<double>(predictions[i] + bias - y[i0 + i]);
      sum += residual * residual;
    }
  }
  return sum / (2 * static_cast<double>(x.rows));
}

template <class T>
Records fit(const MatrixView<const T>& x, const T* y, const Schedule& schedule, Sampler& sampler,
            Model<T>& model, const Interrupted& interrupted) {
  Records records;
  std::vector<std::int64_t> rows(x.rows);
  std::vector<T> gradient(x.cols);
  Stopwatch watch;
  index examples = 0;
  index next_record = schedule.record_every;
  index next_question = examples_between_questions(x.cols);
  for (index epoch = 0; epoch < schedule.epochs; ++epoch) {
    watch.start();
    sampler.next_epoch(rows.data());
    for (index begin = 0; begin < x.rows; begin += schedule.batch_size) {
      const index size = std::min(schedule.batch_size, x.rows - begin);
      step({.x = x.data,
            .x_row_stride = x.row_stride,
            .y = y,
            .rows = rows.data() + begin,
            .size = size,
            .features = x.cols,
            .weights = model.weights,
            .bias = model.bias},
           static_cast<T>(schedule.learning_rate), gradient.data(), model);
      examples += size;
      const bool end = begin + size == x.rows && epoch == schedule.epochs - 1;
      if (examples >= next_question) {
        next_question = examples + examples_between_questions(x.cols);
        if (interrupted()) return records;
      }
      if (examples < next_record && !end) continue;
      watch.stop();
      records.losses.push_back(mean_loss<T>(x, y, model.weights, model.bias));
      records.seconds.push_back(watch.seconds());
      records.examples.push_back(examples);
      if (!std::isfinite(records.losses.back())) return records;
      next_record = (examples / schedule.record_every + 1) * schedule.record_every;
      watch.start();
    }
    watch.stop();
  }
  return records;
}

template double mean_loss(const MatrixView<const float>&, const float*, const float*, float);
template double mean_loss(const MatrixView<const double>&, const double*, const double*, double);
template Records fit(const MatrixView<const float>&, const float*, const Schedule&, Sampler&,
                     Model<float>&, const Interrupted&);
template Records fit(const MatrixView<const double>&, const double*, const Schedule&, Sampler&,
                     Model<double>&, const Interrupted&);

}  // namespace tilewise::sgd
