// What a model predicts, how good it is, and whether data can be trained on at all.
#pragma once

#include "sgd/poll_counter.hpp"
#include "sgd/problem.hpp"

namespace tilewise::sgd {

// Half the squared error, summed over the targets and averaged over the rows by their sample
// weights. NaN if interrupted.
template <class T>
double mean_loss(const Examples<T>& examples, const Model<T>& model,
                 const Interrupted& interrupted);

// X W + bias, row by row, at `predictions`.
template <class T>
void predict(const MatrixView<const T>& x, const Model<T>& model, T* predictions);

// Where the first NaN or infinity is, counted row by row; -1 if there is none, or if interrupted.
template <class T>
index first_nonfinite(const MatrixView<const T>& matrix, const Interrupted& interrupted);

}  // namespace tilewise::sgd
