#include "sgd/gradient.hpp"

#include <algorithm>
#include <vector>

#include "base/split.hpp"
#include "gemm/multiply.hpp"
#include "kernels/registry.hpp"
#include "threads/of_this_thread.hpp"
#include "threads/pool.hpp"

namespace tilewise::sgd {
namespace {

// Of the calling thread.
template <class T>
struct Scratch {
  std::vector<T> of_parts;
  std::vector<T> x;
};

// At most a slab of rows, of one target: cut into parts by size alone, and added up in their order.
template <class T>
void gradient_of_slab(const Examples<T>& examples, const std::int64_t* order, index first,
                      index size, const Model<T>& model, T* gradient) {
  const auto kernel = kernels::in_use().sgd<T>().gradient;
  const index wanted = std::min(size * model.size() / tuning::numbers_in_a_part,
                                size / tuning::least_rows_in_a_part);
  const EvenSplit parts = {size, std::clamp(wanted, index{1}, std::min(tuning::most_parts, size))};
  const auto run_part = [&](index part, T* result) {
    const index begin = parts.begin(part);
    const auto rows = examples.rows(order, first + begin);
    kernel(rows, parts.size(part), model.parameters, result);
  };
  const auto add = [&](const T* result) {
    for (index j = 0; j < model.size(); ++j) gradient[j] += result[j];
  };
  const int count = static_cast<int>(parts.parts);
  const int workers = threads::free_threads(count);
  if (workers == 1) {
    run_part(0, gradient);
    std::vector<T> more(count > 1 ? model.size() : 0);
    for (index part = 1; part < count; ++part) {
      run_part(part, more.data());
      add(more.data());
    }
    return;
  }

  const index stride = ceil_div(model.size(), index{64}) * 64;  // no two threads share a line
  auto& results = threads::of_this_thread<Scratch<T>>().of_parts;
  results.resize(count * stride);
  threads::for_each_part({count, workers},
                         [&](int part) { run_part(part, results.data() + part * stride); });
  std::copy_n(results.data(), model.size(), gradient);
  for (index part = 1; part < count; ++part) add(results.data() + part * stride);
}

// The rows of a slab side by side, where they are not already.
template <class T>
MatrixView<const T> gathered(const MatrixView<const T>& source, const std::int64_t* order,
                             index first, index size, std::vector<T>& copy) {
  if (order == nullptr) return source.block(first, 0, size, source.cols);
  copy.resize(size * source.cols);
  for (index i = 0; i < size; ++i) {
    std::copy_n(&source(order[first + i], 0), source.cols, copy.data() + i * source.cols);
  }
  return {copy.data(), size, source.cols, source.cols, 1};
}

// The same for several targets: residuals and gradient are matrix products.
template <class T>
void gradient_of_targets(const Examples<T>& examples, const std::int64_t* order, index first,
                         index size, const Model<T>& model, T* gradient) {
  auto& x_copy = threads::of_this_thread<Scratch<T>>().x;
  std::vector<T> kept(size * model.targets);
  const auto x = gathered(examples.x, order, first, size, x_copy);
  const MatrixView<T> residuals = {kept.data(), size, model.targets, model.targets, 1};
  gemm::multiply(x, model.weights(), residuals);
  T* const bias = gradient + model.features * model.targets;
  std::fill_n(bias, model.targets, T{0});
  for (index i = 0; i < size; ++i) {
    const index row = order != nullptr ? static_cast<index>(order[first + i]) : first + i;
    const T weight = examples.sample_weights != nullptr ? examples.sample_weights[row] : T{1};
    for (index t = 0; t < model.targets; ++t) {
      residuals(i, t) = weight * (residuals(i, t) + model.bias()[t] - examples.y(row, t));
      bias[t] += residuals(i, t);
    }
  }
  gemm::multiply(x.transposed(),
                 MatrixView<const T>{kept.data(), size, model.targets, model.targets, 1},
                 MatrixView<T>{gradient, model.features, model.targets, model.targets, 1});
}

template <class T>
index rows_in_a_slab(const Model<T>& model) {
  const index numbers =
      model.targets == 1 ? tuning::numbers_in_a_slab : tuning::numbers_in_a_slab_of_targets;
  return std::max(numbers / (model.features + model.targets), tuning::least_rows_in_a_slab);
}

}  // namespace

bool is_large(index size, index features) {
  return size * (features + 1) >= 2 * tuning::numbers_in_a_part;
}

template <class T>
bool sum_gradients(const Examples<T>& examples, const std::int64_t* order, index first, index size,
                   const Model<T>& model, const Interrupted& interrupted, T* gradient) {
  const auto gradient_of = model.targets == 1 ? gradient_of_slab<T> : gradient_of_targets<T>;
  const index slab = rows_in_a_slab(model);
  gradient_of(examples, order, first, std::min(slab, size), model, gradient);
  if (size <= slab) return true;
  std::vector<T> more(model.size());
  PollCounter polls(interrupted);
  for (index begin = slab; begin < size; begin += slab) {
    if (polls.after(slab * (model.features + model.targets))) return false;
    gradient_of(examples, order, first + begin, std::min(slab, size - begin), model, more.data());
    for (index j = 0; j < model.size(); ++j) gradient[j] += more[j];
  }
  return true;
}

#define TILEWISE_INSTANTIATE(T)                                                      \
  template bool sum_gradients(const Examples<T>&, const std::int64_t*, index, index, \
                              const Model<T>&, const Interrupted&, T*);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
