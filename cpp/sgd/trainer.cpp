#include "sgd/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/split.hpp"
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

// The steps of one run, where a row is longer than a vector. `gradient` has room for the features.
template <class T>
void run_wide(const kernels::SgdRun<T>& run, T* gradient) {
  const auto gradient_of = kernels::in_use().sgd<T>().gradient;
  for (index begin = 0; begin < run.count; begin += run.batch_size) {
    const index size = std::min(run.batch_size, run.count - begin);
    const T residuals = gradient_of({.x = run.x,
                                     .x_row_stride = run.x_row_stride,
                                     .y = run.y,
                                     .rows = run.rows + begin,
                                     .size = size,
                                     .features = run.features,
                                     .weights = run.weights,
                                     .bias = *run.bias},
                                    gradient);
    const T rate = run.learning_rate / static_cast<T>(size);
    for (index j = 0; j < run.features; ++j) run.weights[j] -= rate * gradient[j];
    *run.bias -= rate * residuals;
  }
}

// Rows from `examples` on to `next`, in whole batches, but not more than are left of the epoch.
index rows_until(index next, index examples, index batch_size, index left) {
  return std::min(ceil_div(next - examples, batch_size) * batch_size, left);
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
  const auto& kernels = kernels::in_use().sgd<T>();
  Records records;
  std::vector<std::int64_t> rows(x.rows);
  std::vector<T> gradient(x.cols);
  const index batch_size = std::min(schedule.batch_size, x.rows);
  Stopwatch watch;
  index examples = 0;
  index next_record = schedule.record_every;
  index next_question = examples_between_questions(x.cols);
  for (index epoch = 0; epoch < schedule.epochs; ++epoch) {
    watch.start();
    sampler.next_epoch(rows.data());
    watch.stop();
    for (index begin = 0; begin < x.rows;) {
      const kernels::SgdRun<T> run = {.x = x.data,
                                      .x_row_stride = x.row_stride,
                                      .y = y,
                                      .rows = rows.data() + begin,
                                      .count = rows_until(std::min(next_record, next_question),
                                                          examples, batch_size, x.rows - begin),
                                      .batch_size = batch_size,
                                      .features = x.cols,
                                      .learning_rate = static_cast<T>(schedule.learning_rate),
                                      .weights = model.weights,
                                      .bias = &model.bias};
      watch.start();
      x.cols <= kernels.most_narrow ? kernels.narrow(run) : run_wide(run, gradient.data());
      watch.stop();
      begin += run.count;
      examples += run.count;
      if (examples >= next_question) {
        next_question = examples + examples_between_questions(x.cols);
        if (interrupted()) return records;
      }
      if (examples < next_record && !(begin == x.rows && epoch == schedule.epochs - 1)) continue;
      records.losses.push_back(mean_loss<T>(x, y, model.weights, model.bias));
      records.seconds.push_back(watch.seconds());
      records.examples.push_back(examples);
      if (!std::isfinite(records.losses.back())) return records;
      next_record = (examples / schedule.record_every + 1) * schedule.record_every;
    }
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
