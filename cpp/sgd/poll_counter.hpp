// Long work asks now and then whether to stop.
#pragma once

#include <functional>

#include "sgd/tuning.hpp"

namespace tilewise::sgd {

// True: stop.
using Interrupted = std::function<bool()>;

// Counts the numbers that were looked at, and polls when they are many.
class PollCounter {
 public:
  explicit PollCounter(const Interrupted& interrupted) : interrupted_(interrupted) {}

  // True if it polled and is interrupted.
  bool after(index numbers) {
    left_ -= numbers;
    if (left_ > 0) return false;
    left_ = tuning::poll_interval;
    return interrupted_();
  }

 private:
  const Interrupted& interrupted_;
  index left_ = tuning::poll_interval;
};

}  // namespace tilewise::sgd
