// Moving lanes between the registers of a square: for its transpose, and for the sums of its rows.
#pragma once

#include <utility>

#include "base/types.hpp"

namespace tilewise::kernels {

// Swaps the off-diagonal blocks of side Side between two rows that are Side apart: lanes of `low`
// with bit Side set change places with lanes of `high` without it.
template <int Side, class Reg, std::size_t... Lane>
TILEWISE_INLINE void exchange(Reg& low, Reg& high, std::index_sequence<Lane...>) {
  constexpr int width = sizeof...(Lane);
  const Reg first = __builtin_shufflevector(
      low, high,
      ((Lane & Side) == 0 ? static_cast<int>(Lane) : width + static_cast<int>(Lane) - Side)...);
  high = __builtin_shufflevector(
      low, high,
      ((Lane & Side) != 0 ? width + static_cast<int>(Lane) : static_cast<int>(Lane) + Side)...);
  low = first;
}

// Lane i is the sum of the lanes of row[i]: half as many exchanges as single sums would need.
// Overwrites the rows.
template <class V, int Side = 1>
TILEWISE_INLINE typename V::Reg sums_of_rows(typename V::Reg (&row)[V::width]) {
  TILEWISE_UNROLL
  for (int i = 0; i < V::width; i += 2 * Side) {
    exchange<Side>(row[i], row[i + Side], std::make_index_sequence<V::width>());
    row[i] += row[i + Side];
  }
  if constexpr (2 * Side < V::width) return sums_of_rows<V, 2 * Side>(row);
  return row[0];
}

}  // namespace tilewise::kernels
