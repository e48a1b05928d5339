// Cuts a length into parts of at most a given size that differ by one at most, so that no sliver
// is left at the end.
#pragma once

#include "base/types.hpp"

namespace tilewise {

constexpr index ceil_div(index a, index b) { return (a + b - 1) / b; }

struct EvenSplit {
  index total;
  index parts;

  static EvenSplit by_size(index total, index largest_part) {
    return {total, ceil_div(total, largest_part)};
  }

  index begin(index part) const { return total * part / parts; }
  index size(index part) const { return begin(part + 1) - begin(part); }
  index largest() const { return ceil_div(total, parts); }
};

}  // namespace tilewise
