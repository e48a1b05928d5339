// The thresholds of products: unit, reason and figure, as `python docs/sweep_tuning.py` prints it.
//
// [Z5]: AMD EPYC, Zen 5 (family 26), 2 vCPUs, AVX-512, float32, one thread unless said, 2026-11-29,
// the machine shared. [Z4]: AMD EPYC, Zen 4, the same month.
#pragma once

#include "base/types.hpp"

namespace tilewise::gemm::tuning {

// Paths.

// m, n and k of a product that needs no plan: three matrices of 16 KiB fit L1. Not measured here:
// at the border the five loops do the same work.
constexpr index tiny_side = 64;

// Columns of B that leave most lanes of a tile's vectors empty, and k from which full vectors along
// k pay for the sum of their lanes: 4096 x 2 x 48 took 2.8 times as long in masked tiles. [Z4]
constexpr index small_n_cols = 8;
constexpr index small_n_depth = 64;

// k up to which C is written along its rows: 2000 x 300 takes 87 us at k = 16, 110 in the five
// loops. [Z5]
constexpr index rank_k_depth = 16;

// Rows of C for which B is first packed into rows. Not measured here: packing k rows is then an
// eighth of writing C.
constexpr index rank_k_pack_rows = 8;

// A-panels up to which packing B costs more than it saves: 48 x 1000 x 1000 takes 378 us without,
// 443 with; 96 x 2048 x 2048 3.7 ms and 4.6; 192 x 2000 x 2000 15 ms and 11. [Z5]
constexpr index unpacked_b_panels = 12;

// The same where B fits half of L2: 256 x 64 x 100, 1.03 times the speed of packing. [Z4]
constexpr index fitting_b_panels = 32;

// A-panels so few that reading B from memory is all the time: 8 x 4000 x 4000 takes 3.3 ms in long
// runs, 3.9 else; where a cache holds B, 8 x 1000 x 1000 takes 86 us and 63. [Z5]
constexpr index one_pass_panels = 2;

// Blocks of k at most in such a pass, since each adds a rounding, and their steps at least. Not
// measured here: 16 steps are one line of a row of A.
constexpr index one_pass_blocks = 256;
constexpr index min_one_pass_kc = 16;

// Threads.

// Flops worth waking a thread: 20 us at 100 GFLOP/s. 160 x 160 x 160, of 8.2e6, runs at 1.85 of one
// thread's speed on two. [Z5]
constexpr double thread_flops = 2e6;

// What a flop counts as where each is a number from memory. Not measured here: a core reads 30 GB/s
// and does 250 GFLOP/s, and from a cache four times as many numbers.
constexpr double memory_bound_factor = 4;

// Flops of a thread that are worth one part more of C, and parts after which no thread waits long
// for another: right after NumPy, four parts a thread run 1024 x 1024 x 1024 at 1.39 of one
// thread's speed, one part at 0.94; 384 x 384 x 384 alone is 5 % slower with four. [Z5, two
// threads]
constexpr double extra_part_flops = 1e8;
constexpr double most_parts_a_thread = 4;

// Ranges of a stack for each thread. Not measured here: as the parts above.
constexpr index ranges_a_thread = 4;

// Tiles across a part of C, below which B is read too often. Not measured here: it needs more than
// two CPUs.
constexpr index min_part_tiles = 4;

// Bytes of y that a thread writes alone: a line.
constexpr index gemv_unit_bytes = 64;

// Elements of a part of one inner product, which fixes how it is added up: sixteen sums of 4096, in
// 10 us. Not measured here: another value changes the bits.
constexpr index dot_piece = index{16} << 12;

// Blocks.

// Shares of L2 that a B-panel, kc x nr, and a block of A take: C, B and what the prefetchers bring
// pass through the rest. docs/sweep_blocking.py measures both: the formula is within 2 % of the
// best of 30. [Z4]
constexpr index kc_l2_share = 8;
constexpr index mc_l2_share = 4;

// Steps: at least so many that reading and writing C is little; at most so many that A's rows stay
// near. As above.
constexpr index min_kc = 192;
constexpr index max_kc = 512;

// Share of L3 of a block of B, which each block of A reads once, and bytes of it at most. Not
// measured here: it counts from 4000 columns on.
constexpr index nc_l3_share = 4;
constexpr index max_nc_bytes = index{8} << 20;

// Memory.

// Rows of B a multiple of so many bytes apart meet in a few sets of a cache: 128 lines in 8 of 64.
// Not measured here.
constexpr index spread_bytes = 1024;

// Eighths of L3 from which C goes past the caches: of one column of A, written in order, and of
// more. 12354 x 304 x 3, of 15 MB, takes 0.56 ms so and 1.4 else; 8000 x 256 x 3, of 8 MB, 0.30 and
// 0.13. [Z4]
constexpr index rank_1_l3_share = 6;
constexpr index rank_k_l3_share = 3;

// Bytes: an L3 above the first is a whole server's, nearly as far away as memory, and counts as the
// second. Not measured here: this CPU's is smaller.
constexpr index server_l3 = index{128} << 20;
constexpr index far_l3 = index{32} << 20;

// Bytes ahead that a product with a vector prefetches from memory: 8 numbers in a row come at 25
// GB/s, with 512 bytes at 17, without at 9; 20 at 33, 25, 28. [Z5]
constexpr index gemv_prefetch_bytes = 8192;

// Elements of the longest rows of which it does: rows of 32 come at 27 GB/s, without at 33; of 200
// at 31, 37; 25 float64 at 30, 25. [Z5]
constexpr index gemv_prefetch_row = 28;

// Bytes of rows from which the CPU's own prefetchers lose track of four at once. Not measured here.
constexpr index prefetch_row_bytes = 1024;

// Rows, and elements of y, that are copied or added together: a page at most. Not measured here.
constexpr index pack_strip = 16;
constexpr index gemv_strip = 1024;

}  // namespace tilewise::gemm::tuning
