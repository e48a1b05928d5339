// Moving lanes between the registers of a square: for its transpose, and for the sums of its rows.
#pragma once

#include <type_traits>
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

// Lanes change places with rows in every block of Count lanes: in the first block, row i is what
// was lane i of all rows.
template <class V, int Count = V::width, int Side = 1>
TILEWISE_INLINE void transpose_blocks(typename V::Reg (&row)[Count]) {
  if constexpr (Side < Count) {
    TILEWISE_UNROLL
    for (int i = 0; i < Count; ++i) {
      if ((i & Side) == 0) {
        exchange<Side>(row[i], row[i + Side], std::make_index_sequence<V::width>());
      }
    }
    transpose_blocks<V, Count, 2 * Side>(row);
  }
}

// Lane i is the sum of the lanes of row[i % Count]: half as many exchanges as single sums would
// need. Overwrites the rows.
template <class V, int Count = V::width, int Side = 1>
TILEWISE_INLINE typename V::Reg reduce_rows(typename V::Reg (&row)[Count]) {
  if constexpr (Side < Count) {
    TILEWISE_UNROLL
    for (int i = 0; i < Count; i += 2 * Side) {
      exchange<Side>(row[i], row[i + Side], std::make_index_sequence<V::width>());
      row[i] += row[i + Side];
    }
  } else if constexpr (Side < V::width) {
    typename V::Reg copy = row[0];
    exchange<Side>(row[0], copy, std::make_index_sequence<V::width>());
    row[0] += copy;
  }
  if constexpr (2 * Side < V::width) return reduce_rows<V, Count, 2 * Side>(row);
  return row[0];
}

// All lanes get lane Lane.
template <int Lane, class V>
TILEWISE_INLINE typename V::Reg broadcast_lane(typename V::Reg r) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) TILEWISE_INLINE_LAMBDA {
    return __builtin_shufflevector(r, r, (static_cast<int>(I) * 0 + Lane)...);
  }
  (std::make_index_sequence<V::width>());
}

// Calls visit(std::integral_constant<int, i>) for i = 0 .. Count - 1: lanes are constants. Read
// them as decltype(argument)::value: the conversion to int may become a function that objects
// share.
template <int Count, class Visit>
TILEWISE_INLINE void each_index(const Visit& visit) {
  [&]<int... I>(std::integer_sequence<int, I...>) TILEWISE_INLINE_LAMBDA {
    (visit(std::integral_constant<int, I>()), ...);
  }
  (std::make_integer_sequence<int, Count>());
}

}  // namespace tilewise::kernels
