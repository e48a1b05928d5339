// Mean and spread of the columns of a matrix.
#pragma once

#include "base/matrix_view.hpp"

namespace tilewise::sgd {

// Of each column of X, which has contiguous rows, in double: its first number, the mean of what the
// others are above that, and the sum of the squared deviations from the mean. What is added up is
// added row by row.
template <class T>
void column_moments(const MatrixView<const T>& x, double* origin, double* rest, double* squares);

}  // namespace tilewise::sgd
