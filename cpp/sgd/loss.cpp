#include "sgd/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/split.hpp"
#include "gemm/multiply.hpp"
#include "kernels/registry.hpp"
#include "threads/for_each_range.hpp"

namespace tilewise::sgd {
namespace {

// The squared errors of the rows from `first` on, times their weights, added up in double.
template <class T>
double squared_errors(const Examples<T>& examples, index first, const MatrixView<T>& predictions,
                      const T* bias) {
  const MatrixView<const T> y = examples.y.block(first, 0, predictions.rows, predictions.cols);
  if (examples.sample_weights == nullptr && y.cols == 1 && y.row_stride == 1) {
    return kernels::in_use().sgd<T>().squared_error(y.rows, predictions.data, *bias, y.data);
  }
  double sum = 0;
  for (index i = 0; i < y.rows; ++i) {
    double of_row = 0;
    for (index t = 0; t < y.cols; ++t) {
      const double residual = predictions(i, t) + bias[t] - y(i, t);
      of_row += residual * residual;
    }
    sum +=
        examples.sample_weights == nullptr ? of_row : of_row * examples.sample_weights[first + i];
  }
  return sum;
}

constexpr index rows_in_a_chunk = tuning::rows_in_a_loss_chunk;

// The losses of chunks of rows, whose predictions stay in the first cache. The product is planned
// for all rows: that of a chunk does not know that X comes from memory.
template <class T>
class LossOfChunks {
 public:
  LossOfChunks(const Examples<T>& examples, const Model<T>& model)
      : examples_(examples), model_(model) {
    const index targets = model.targets;
    const gemm::Problem problem = {.m = examples.x.rows,
                                   .n = targets,
                                   .k = examples.features(),
                                   .a = {examples.x.row_stride, 1},
                                   .b = {targets, 1},
                                   .c = {targets, 1}};
    plan_ = gemm::plan_of({}, problem, kernels_, 1);
    threads_ = gemm::threads_for(gemm::work_of(problem));
  }

  index chunks() const { return ceil_div(examples_.x.rows, rows_in_a_chunk); }

  // `sum` and the losses of `count` chunks, added up in their order, whoever computed them.
  double added(double sum, index first, index count) const {
    if (threads_ == 1 || count == 1) {
      std::vector<T> room(rows_of(first) * model_.targets);
      for (index i = first; i < first + count; ++i) sum += of(i, room.data());
      return sum;
    }
    std::vector<double> losses(count);
    const int parts = static_cast<int>(std::min(index{threads_}, count));
    threads::for_each_range(count, {parts, threads_}, [&](index begin, index end) {
      std::vector<T> room(rows_in_a_chunk * model_.targets);
      for (index i = begin; i < end; ++i) losses[i] = of(first + i, room.data());
    });
    return std::accumulate(losses.begin(), losses.end(), sum);
  }

 private:
  index rows_of(index chunk) const {
    return std::min(rows_in_a_chunk, examples_.x.rows - chunk * rows_in_a_chunk);
  }

  double of(index chunk, T* room) const {
    const index first = chunk * rows_in_a_chunk;
    const auto predictions = MatrixView<T>::row_major(room, rows_of(chunk), model_.targets);
    const auto x = examples_.x.block(first, 0, predictions.rows, examples_.features());
    // A plan holds for fewer rows only while no path asks for more: the last chunk has its own.
    if (predictions.rows == rows_of(0)) {
      gemm::execute(kernels_, plan_, x, model_.weights(), predictions);
    } else {
      gemm::multiply(x, model_.weights(), predictions);
    }
    return squared_errors(examples_, first, predictions, model_.bias());
  }

  const kernels::GemmKernels<T>& kernels_ = kernels::in_use().gemm<T>();
  const Examples<T>& examples_;
  const Model<T>& model_;
  gemm::Plan plan_;
  int threads_;
};

}  // namespace

template <class T>
double mean_loss(const Examples<T>& examples, const Model<T>& model,
                 const Interrupted& interrupted) {
  const index rows = examples.x.rows;
  const LossOfChunks<T> loss(examples, model);
  const index at_once =
      std::max(tuning::poll_interval / (examples.features() + 1) / rows_in_a_chunk, index{1});
  double sum = 0;
  for (index first = 0; first < loss.chunks(); first += at_once) {
    if (first > 0 && interrupted()) return std::numeric_limits<double>::quiet_NaN();
    sum = loss.added(sum, first, std::min(at_once, loss.chunks() - first));
  }
  double weights = static_cast<double>(rows);
  if (examples.sample_weights != nullptr) {
    weights = std::accumulate(examples.sample_weights, examples.sample_weights + rows, 0.0);
  }
  return sum / (2 * weights);
}

template <class T>
void predict(const MatrixView<const T>& x, const Model<T>& model, T* predictions) {
  const auto to = MatrixView<T>::row_major(predictions, x.rows, model.targets);
  gemm::multiply(x, model.weights(), to);
  for (index i = 0; i < x.rows; ++i) {
    for (index t = 0; t < model.targets; ++t) to(i, t) += model.bias()[t];
  }
}

template <class T>
index first_nonfinite(const MatrixView<const T>& matrix, const Interrupted& interrupted) {
  if (matrix.rows > 1 && matrix.rows_contiguous() && matrix.row_stride == matrix.cols) {
    const index size = matrix.rows * matrix.cols;
    return first_nonfinite(MatrixView<const T>{matrix.data, 1, size, size, 1}, interrupted);
  }
  constexpr index piece = kernels::sum_block;
  const auto dot = kernels::in_use().gemm<T>().dot;
  PollCounter polls(interrupted);
  for (index i = 0; i < matrix.rows; ++i) {
    for (index j0 = 0; j0 < matrix.cols; j0 += piece) {
      const index count = std::min(piece, matrix.cols - j0);
      const T* const first = &matrix(i, j0);
      // The sum of their squares tells, unless it overflows.
      if (!std::isfinite(dot(count, first, matrix.col_stride, first, matrix.col_stride))) {
        for (index j = j0; j < j0 + count; ++j) {
          if (!std::isfinite(matrix(i, j))) return i * matrix.cols + j;
        }
      }
      if (polls.after(count)) return -1;
    }
  }
  return -1;
}

#define TILEWISE_INSTANTIATE(T)                                                       \
  template void predict(const MatrixView<const T>&, const Model<T>&, T*);             \
  template double mean_loss(const Examples<T>&, const Model<T>&, const Interrupted&); \
  template index first_nonfinite(const MatrixView<const T>&, const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
