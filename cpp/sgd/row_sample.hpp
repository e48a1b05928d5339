// A sample of rows, drawn by their squared lengths, that tells of the curvature of the loss.
#pragma once

#include <vector>

#include "sgd/poll_counter.hpp"
#include "sgd/problem.hpp"

namespace tilewise::sgd {

// Rows x with a 1 after the last feature, for the bias, have squared lengths s |x|^2 with their
// sample weights s. Laid end to end they are a line; each piece of it of length `piece` has one
// point at random, and a row is in the sample once for each point in it. So a row of a piece or
// more is there for certain, and piece * sum_drawn u u^T, over the unit vectors u of the rows
// drawn, is in the mean the sum of s x x^T over all rows.
struct RowSample {
  double longest = 0;  // the largest squared length; infinity: a number overflows or is not finite
  double piece = 0;
  std::vector<index> rows;
};

// A sample of `count` to 2 * `count` rows, the same for the same rows; empty if all lengths are 0.
// Reads X once. Stops early when interrupted.
template <class T>
RowSample sample_rows(const MatrixView<const T>& x, const T* sample_weights, index count,
                      const Interrupted& interrupted);

}  // namespace tilewise::sgd
