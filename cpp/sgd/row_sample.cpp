#include "sgd/row_sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/split.hpp"
#include "kernels/registry.hpp"
#include "sgd/sampler.hpp"

namespace tilewise::sgd {
namespace {

constexpr index rows_in_a_chunk = tuning::rows_in_a_loss_chunk;

// Draws the points of a line that grows. Its pieces begin small; whenever there are too many points
// the pieces are joined in pairs, of which one keeps its point.
class LineSample {
 public:
  explicit LineSample(index count) : count_(count) { rows_.reserve(2 * count); }

  // The next rows, from number `first` on.
  void append(index first, std::span<const double> lengths) {
    double end = end_;  // in a register: one row waits for the one before
    for (index i = 0; i < std::ssize(lengths); ++i) {
      end += lengths[i];
      if (end > next_) [[unlikely]]
        draw_until(end, first + i);
    }
    end_ = end;
  }

  double piece() const { return piece_; }
  std::vector<index> take_rows() { return std::move(rows_); }

 private:
  void draw_until(double end, index row) {
    if (piece_ == 0) {
      piece_ = end / static_cast<double>(count_);
      draw();
    }
    while (next_ < end) {
      if (std::ssize(rows_) == 2 * count_) {
        join();
        continue;
      }
      rows_.push_back(row);
      ++pieces_;
      draw();
    }
  }

  bool flip() { return random_.next() >> 63 != 0; }

  // The point of the piece after `pieces_`.
  void draw() {
    const double part = static_cast<double>(random_.next() >> 11) * 0x1p-53;
    next_ = (static_cast<double>(pieces_) + part) * piece_;
  }

  void join() {
    for (index i = 0; i < count_; ++i) rows_[i] = rows_[2 * i + (flip() ? 1 : 0)];
    rows_.resize(count_);
    // The next point is one of the first half of its new piece.
    if (flip()) {
      ++pieces_;
      draw();
    }
    piece_ *= 2;
    pieces_ = count_;
  }

  index count_;
  Random random_{0};
  double piece_ = 0;  // 0: all was of length 0
  double end_ = 0;    // of the line
  index pieces_ = 0;  // with a point that was met
  double next_ = 0;   // the next point
  std::vector<index> rows_;
};

// The squared length of a row in double, where squares overflow T.
template <class T>
double squared_length(const T* row, index features) {
  double sum = 0;
  for (index j = 0; j < features; ++j) {
    sum += static_cast<double>(row[j]) * static_cast<double>(row[j]);
  }
  return sum;
}

// The squared lengths of some rows, with a 1 for the bias and times their sample weights. Returns
// the largest one; infinity if one is not finite.
template <class T>
double lengths_of(const MatrixView<const T>& x, const T* sample_weights,
                  std::span<double> lengths) {
  std::array<T, rows_in_a_chunk> squares;
  const index ahead = tuning::length_prefetch_bytes / (x.cols * index{sizeof(T)});
  kernels::in_use().sgd<T>().squared_lengths(
      {x.data, x.rows, x.cols, x.row_stride, squares.data(), std::max(ahead, index{16})});
  double longest = 0;
  double zero = 0;  // stays 0 unless a length is not finite
  for (index i = 0; i < x.rows; ++i) {
    const double weight = sample_weights == nullptr ? 1 : static_cast<double>(sample_weights[i]);
    lengths[i] = (static_cast<double>(squares[i]) + 1) * weight;
    longest = std::max(longest, lengths[i]);
    zero += lengths[i] * 0;
  }
  if (zero == 0) return longest;
  for (index i = 0; i < x.rows; ++i) {
    const double weight = sample_weights == nullptr ? 1 : static_cast<double>(sample_weights[i]);
    lengths[i] = (squared_length(&x(i, 0), x.cols) + 1) * weight;
    if (!std::isfinite(lengths[i])) return std::numeric_limits<double>::infinity();
  }
  return *std::max_element(lengths.begin(), lengths.begin() + x.rows);
}

}  // namespace

template <class T>
RowSample sample_rows(const MatrixView<const T>& x, const T* sample_weights, index count,
                      const Interrupted& interrupted) {
  std::array<double, rows_in_a_chunk> lengths;
  RowSample found;
  LineSample line(count);
  PollCounter polls(interrupted);
  for (index first = 0; first < x.rows; first += rows_in_a_chunk) {
    const index rows = std::min(rows_in_a_chunk, x.rows - first);
    const std::span<double> of_chunk(lengths.data(), rows);
    const T* const weights = sample_weights == nullptr ? nullptr : sample_weights + first;
    found.longest =
        std::max(found.longest, lengths_of(x.block(first, 0, rows, x.cols), weights, of_chunk));
    if (std::isinf(found.longest)) return found;
    line.append(first, of_chunk);
    if (polls.after(rows * x.cols)) return found;
  }
  found.piece = line.piece();
  found.rows = line.take_rows();
  return found;
}

#define TILEWISE_INSTANTIATE(T) \
  template RowSample sample_rows(const MatrixView<const T>&, const T*, index, const Interrupted&);
TILEWISE_FOR_EACH_FLOAT_TYPE(TILEWISE_INSTANTIATE)
#undef TILEWISE_INSTANTIATE

}  // namespace tilewise::sgd
