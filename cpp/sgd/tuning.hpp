// The thresholds of SGD: unit, reason, figure, machine and date. Those of the kernels are theirs.
#pragma once

#include "base/types.hpp"

namespace tilewise::sgd::tuning {

constexpr index poll_interval = index{1} << 22;
constexpr index numbers_in_a_part = index{1} << 15;
constexpr index least_rows_in_a_part = 16;
constexpr index most_parts = 16;
constexpr index numbers_in_a_slab = index{1} << 24;
constexpr index numbers_in_a_slab_of_targets = index{1} << 18;
constexpr index least_rows_in_a_slab = 64;
constexpr index rows_in_a_loss_chunk = 1024;
constexpr index most_bound_of_four_draws = index{1} << 14;
constexpr index most_bound_of_two_draws = index{1} << 30;
constexpr index numbers_a_draw = 4;
constexpr index bytes_in_a_sampling_chunk = index{256} << 10;
constexpr index numbers_between_looks = 1'000'000;
constexpr index least_rows_between_verdicts = 3200;
constexpr index rates_in_a_block = 4096;
constexpr index most_rows_of_a_verdict = 64;
constexpr double diverged_factor = 1e6;

}  // namespace tilewise::sgd::tuning
