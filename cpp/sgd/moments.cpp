#include "sgd/moments.hpp"

#include <cstring>

#include "base/element_types.hpp"

namespace tilewise::sgd {
namespace {

// The sums over all rows of (x - origin) and then of (x - origin - rest)^2, for `Columns` columns
// from the first one of `x`, which stay in registers.
template <class T, int Columns>
void moments_of(const MatrixView<const T>& x, double* origin, double* rest, double* squares) {
  typedef T Narrow
      __attribute__((vector_size(Columns * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef double Wide __attribute__((vector_size(Columns * sizeof(double))));
  const auto read = [&](index i, Wide & to) __attribute__((always_inline)) {
    to = __builtin_convertvector(*reinterpret_cast<const Narrow*>(&x(i, 0)), Wide);
  };
  Wide first;
  Wide row;
  read(0, first);
  Wide sum = {};
  for (index i = 0; i < x.rows; ++i) {
    read(i, row);
    sum += row - first;
  }
  const Wide mean = sum / static_cast<double>(x.rows);
  Wide spread = {};
  for (index i = 0; i < x.rows; ++i) {
    read(i, row);
    const Wide deviation = (row - first) - mean;
    spread += deviation * deviation;
  }
  std::memcpy(origin, &first, sizeof first);
  std::memcpy(rest, &mean, sizeof mean);
  std::memcpy(squares, &spread, sizeof spread);
}

}  // namespace

template <class T>
void column_moments(const MatrixView<const T>& x, double* origin, double* rest, double* squares) {
  constexpr int together = 8;
  const auto from = [&](index j) { return x.block(0, j, x.rows, x.cols - j); };
  index j = 0;
  for (; j + together <= x.cols; j += together) {
    moments_of<T, together>(from(j), origin + j, rest + j, squares + j);
  }
  for (; j + 2 <= x.cols; j += 2) moments_of<T, 2>(from(j), origin + j, rest + j, squares + j);
  for (; j < x.cols; ++j) moments_of<T, 1>(from(j), origin + j, rest + j, squares + j);
}

#define TILEWISE_INSTANTIATE(T) \
  template void column_moments(const MatrixView<const T>&, double*, double*, double*);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
