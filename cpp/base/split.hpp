// Cuts a length into parts that differ by one at most, so that no sliver is left at the end.
#pragma once

#include "base/types.hpp"

namespace tilewise {

constexpr index ceil_div(index a, index b) { return (a + b - 1) / b; }

struct EvenSplit {
  index total;
  index parts;

  EvenSplit(index total_length, index count)
      : total(total_length),
        parts(count),
        small_(count > 1 ? total_length / count : total_length),
        larger_parts_(count > 1 ? total_length - small_ * count : 0) {}

  static EvenSplit by_size(index total, index largest_part) {
    if (total <= largest_part) return {total, total > 0 ? 1 : 0};
    return {total, ceil_div(total, largest_part)};
  }

  // The larger parts come first.
  index begin(index part) const {
    return part * small_ + (part < larger_parts_ ? part : larger_parts_);
  }
  index size(index part) const { return small_ + (part < larger_parts_ ? 1 : 0); }
  index largest() const { return small_ + (larger_parts_ > 0 ? 1 : 0); }

 private:
  index small_;         // the size of a small part
  index larger_parts_;  // how many parts have one more
};

}  // namespace tilewise
