// The gradient of the loss over a minibatch of any size, on as many threads as it is worth.
#pragma once

#include <cstdint>

#include "sgd/poll_counter.hpp"
#include "sgd/problem.hpp"

namespace tilewise::sgd {

// gradient = sum_i s_i x_i (x_i W + bias - y_i) and, as its last row, the same with 1 for x_i: the
// layout of the model's parameters. The rows are order[first], .. or, without an order, those
// from `first` on; s_i are the sample weights. The order of the additions depends on the sizes
// alone, so the result is bitwise the same for every number of threads. Returns false, with the
// gradient unfinished, if interrupted. Throws std::bad_alloc.
template <class T>
bool sum_gradients(const Examples<T>& examples, const std::int64_t* order, index first, index size,
                   const Model<T>& model, const Interrupted& interrupted, T* gradient);

// Whether a batch is so large that sum_gradients cuts it into parts.
bool is_large(index size, index features);

}  // namespace tilewise::sgd
