// The thresholds of SGD: unit, reason and figure. Those of the kernels stand beside the kernels.
//
// [Z5]: AMD EPYC, Zen 5 (family 26), 2 vCPUs, 2026-11-29, float32, one thread unless said, the
// machine shared. [bits]: another value changes the last bits of results.
#pragma once

#include "base/types.hpp"

namespace tilewise::sgd::tuning {

// Numbers read between polls, which take microseconds: a loss reads so many in 0.5 ms. [Z5]
constexpr index poll_interval = index{1} << 22;

// Numbers that a draw counts as when polls are due: then 2^20 draws lie between two, 8 ms for 2^20
// rows and 31 for 2^23. [Z5]
constexpr index numbers_a_draw = 4;

// Numbers of X from which a part is worth waking a thread: a step on two parts takes 9.4 us on one
// thread and 9.6 on two, on four 12.9 and 11.3, on eight 22.7 and 14.8. [Z5] [bits]
constexpr index numbers_in_a_part = index{1} << 15;

// Rows: a part's gradient is another model to add up, here a sixteenth of the part's work. [bits]
// Not measured here: it follows from that count.
constexpr index least_rows_in_a_part = 16;

// Parts, which bound the threads and the memory: a model each. [bits]
// Not measured here: it needs more than 16 CPUs.
constexpr index most_parts = 16;

// Numbers of X between two polls of a gradient, summed into one more model. An epoch of 1e6 x 40 in
// one batch takes 95 to 171 ms with it, 112 to 121 with 2^21, 103 to 118 with 2^27. [Z5] [bits]
constexpr index numbers_in_a_slab = index{1} << 24;

// Numbers of X and Y that are gathered for several targets, to stay in cache: 40'000 x 100 with 10
// targets takes 4.9 ms, with 2^15 4.2, with 2^21 10.9; with 10 features 1.0, 1.0, 1.2. [Z5] [bits]
constexpr index numbers_in_a_slab_of_targets = index{1} << 18;

// Rows of such a slab, so that the products are no slivers. [bits]
// Not measured here: it counts from 4096 columns on alone.
constexpr index least_rows_in_a_slab = 64;

// Targets up to which each is a model of its own for the kernels of steps.
constexpr index most_models = 4;

// Numbers of X for which one such model has its turn before the next: a part of a second-level
// cache.
constexpr index numbers_in_a_turn = index{1} << 16;

// Rows whose predictions are kept: 256 to 4096 differ by less than the noise of 7 percent. [Z5]
// [bits]
constexpr index rows_in_a_loss_chunk = 1024;

// Bytes of X from what is read to what is prefetched where the lengths of all rows are found: as
// cpp/gemm/tuning.hpp has it for products with a vector.
constexpr index length_prefetch_bytes = 8192;

// Rows up to which one random number gives four draws, or two: the products of the bounds are at
// most 2^56 and 2^60, so that one number of 2^8 or 2^4 is looked at twice. [bits]
// Not measured here: it follows from 64 bits.
constexpr index most_bound_of_four_draws = index{1} << 14;
constexpr index most_bound_of_two_draws = index{1} << 30;

// Bytes of rows in a chunk of chunked sampling, a part of a second-level cache. [bits]
// Not measured here: 32 KiB to 2 MiB took 113 to 338 ms in no order, as others used the memory.
constexpr index bytes_in_a_sampling_chunk = index{256} << 10;

// Numbers of X between two looks at signals and records, about a millisecond: an epoch of
// 200'000 x 5 at batch 1 takes 0.76 ms, 0.86 with 5e4 and 0.78 with 1e8. [Z5]
constexpr index numbers_between_looks = 1'000'000;

// Rows between two verdicts, fifty times as many as a verdict reads. Not measured here: it follows
// from that ratio.
constexpr index least_rows_between_verdicts = 3200;

// Rates asked of Python at once: 200'000 steps of a schedule take 2.4 ms, with 256 at once 9.0,
// with 65536 2.2; a fault of a schedule costs as many steps. [Z5]
constexpr index rates_in_a_block = 4096;

// Rows that a verdict reads. Nearly always one of them has a part in the direction in which a model
// diverges; where none has, what is not finite and the records show it, later. Not measured here:
// tests/training/test_divergence.py holds it.
constexpr index most_rows_of_a_verdict = 64;

// Times the start's loss, or that of zeros. Training that ends well stays far below. Not measured
// here: tests/training/test_divergence.py holds it.
constexpr double diverged_factor = 1e6;

}  // namespace tilewise::sgd::tuning
