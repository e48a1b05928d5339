// The thresholds of the kernels of SGD: unit, reason and figure.
//
// [Z5]: AMD EPYC, Zen 5 (family 26), 2026-11-29, float32, AVX-512, one thread, the machine shared.
// [bits]: another value changes the last bits of results.
#pragma once

#include "base/types.hpp"

namespace tilewise::kernels {

// Rows whose gradients are taken together on long rows, in one loop over their vectors. [bits]
constexpr int rows_at_once = 8;

// Rows of a few vectors that are predicted together: with more, the compiler mixes their loads.
// [bits]
constexpr int medium_rows = 4;

// Steps of batch size 1 taken together on rows of a vector or more: the products of the rows are
// their registers. A step on 50, 256 and 1024 features in cache takes 9.3, 26 and 127 ns; with two
// at once 14.0, 34 and 148, with eight 11.0, 34 and 146. [Z5] [bits]
constexpr int single_rows = 4;

// The same on rows of less than two vectors, where they wait for sums more than they compute; only
// where there are 32 registers. A step on 16 and 31 features takes 5.2 and 7.4 ns, with four at
// once 6.2 and 8.7, with eight 5.3 and 7.1. [Z5] [bits]
constexpr int single_short_rows = 6;

// Steps on batches of narrow rows that are worth a group of them. An epoch of 1500 x 5 in batches
// of 2, 3 and 4 takes 6.6, 7.1 and 6.5 us, one by one 13.5, 9.2 and 6.8. [Z5] [bits]
constexpr index least_steps_of_a_group = 4;

// Columns, with the bias, of such a group: with twice as many it would be 12 KB more code. [bits]
constexpr int most_columns_of_a_group = 8;

// The prefetch distance in bytes, and the most rows that it may be.
constexpr index prefetch_bytes = index{32} << 10;
constexpr index max_prefetch_rows = 64;

}  // namespace tilewise::kernels
