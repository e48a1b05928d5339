// The thresholds of products: unit, reason and figure. `python docs/sweep_tuning.py` measures those
// that it lists, as speeds over that of the value here.
//
// [Z5]: AMD EPYC, Zen 5 (family 26), 2 vCPUs, AVX-512, float32, one thread unless said, 2026-11-29,
// the machine shared. [Z4]: AMD EPYC, Zen 4, 2 vCPUs, 2026-11-24.
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

// Columns of a dot tile; so few take it for every k. Not measured here: 16 accumulators.
constexpr index dot_cols = 4;

// Rows from which the tables of the lanes of A and B pay. Not measured here.
constexpr index short_k_rows = 32;

// FMAs for a row of C up to which vectors of several rows beat dot tiles: 20000 x 2 x 16, 8 of
// them, runs at half of their speed; and with more columns half-empty tiles: 10000 x 8 x 12, 6,
// twice as fast, 10000 x 8 x 16, 8, 1.75. [Z5]
constexpr index short_k_steps = 4;
constexpr index short_k_most_steps = 8;

// Rows up to which packing B for dot tiles costs more than permuting A: 100 x 8 x 5000 takes 75 us
// by dot tiles, 54 by long_k. [Z5]
constexpr index long_k_rows = 256;

// k from which the sum over the lanes is little, for each row too: 127 x 12 x 96 takes 4.7 us
// so, 2.3 in the five loops; 100 x 8 x 1000 the same. [Z5]
constexpr index long_k_depth = 64;
constexpr index long_k_depth_a_row = 8;

// Steps of a part of k: more would be too few parts for the threads; 512 costs 5 to 35 %, 4 x 2 x
// 30000 most. [Z5]
constexpr index long_k_piece = 1024;

// k up to which C is written along its rows: 2000 x 300 takes 87 us at k = 16, 110 in the five
// loops. [Z5]
constexpr index rank_k_depth = 16;

// Rows of C from which that pays: 9 x 12833 x 3 takes 6.3 us so, 8.8 in the five loops; 7 x 2124 x
// 16 2.6 and 2.3. [Z5]
constexpr index rank_k_rows = 8;

// A-panels up to which packing B costs more than it saves: 48 x 1000 x 1000 takes 378 us without,
// 443 with; 96 x 2048 x 2048 3.7 ms and 4.6; 192 x 2000 x 2000 15 ms and 11. [Z5]
constexpr index unpacked_b_panels = 12;

// The same where B, or a block of it with its gaps, fits half of L2: 256 x 64 x 100, 1.03 times the
// speed of packing. [Z4]
constexpr index near_b_panels = 32;

// A-panels so few that reading B from memory is all the time: 8 x 4000 x 4000 takes 3.3 ms in long
// runs, 3.9 else; where a cache holds B, 8 x 1000 x 1000 takes 86 us and 63. [Z5]
constexpr index one_pass_panels = 2;

// Blocks of k at most in such a pass, since each adds a rounding, and their steps and bytes of B at
// least: with fewer, C is read and written more than B. 64 x 5000 x 2, A by columns, runs at 1.3
// times the speed. [Z5]
constexpr index one_pass_blocks = 256;
constexpr index min_one_pass_kc = 16;
constexpr index one_pass_bytes = index{32} << 10;

// B-panels up to which packing A for half of them, of X.T @ X, costs more than it saves: 500
// columns run at 1.2 times the speed without, 1000 at 0.6. [Z5]
constexpr index symmetric_pack_panels = 16;

// k up to which writing C is most of the work: it is written along its rows then. 2447 x 10880 x 23
// takes 16 ms so, 27 panel by panel; where a cache holds C it makes no difference. [Z5]
constexpr index short_depth = 64;

// Products of a stack that one call of a kernel computes, many of them: vectors of C at most; 16 x
// 16 x 16, 16 of them, runs at 0.9 so. [Z5]
constexpr index tiny_stack_vectors = 8;

// Multiply-adds of a vector times a matrix in such a call: 1 x 64 @ 64 x 20 takes 128, at 1.3 times
// the speed. And where vectors have one element: 1 x 64 @ 64 x 1 would take 64, at 0.35. [Z5]
constexpr index tiny_stack_vector_steps = 256;
constexpr index tiny_stack_lane_steps = 32;

// Elements of copies of B, in L1, that are made at a time. Not measured here: 4 or 8 KiB.
constexpr index tiny_stack_copied = 1024;

// Flops that a product takes as long as besides its own, 1 ns. Not measured here.
constexpr double tiny_stack_flops = 100;

// Threads.

// Flops worth waking a thread: 20 us at 100 GFLOP/s. 160 x 160 x 160, of 8.2e6, runs at 1.85 of one
// thread's speed on two. [Z5]
constexpr double thread_flops = 2e6;

// FMAs that an element read or written takes as long as, where the operands are all the work. Not
// measured here: a core reads 30 GB/s from memory, four times that from a cache, and does 250
// GFLOP/s.
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

// The same where there are more parts than threads: 1024 x 1024 x 1024 right after NumPy runs
// at 1.23 of one thread's speed, with 4 at 1.02. [Z5, two threads]
constexpr index min_extra_part_tiles = 2;

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
// near; the same sweep.
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

// k up to which C goes past the caches, row by row, each of which reads B anew: 65 x 55722 x 13
// takes 1.5 ms so, 0.55 through the caches. [Z5]
constexpr index rank_k_stream_depth = 4;

// Bytes: an L3 above the first is a whole server's, nearly as far away as memory, and counts as the
// second. Not measured here: this CPU's is smaller.
constexpr index server_l3 = index{128} << 20;
constexpr index far_l3 = index{32} << 20;

// Eighths of L3 up to which a matrix stays in a cache, which holds other data too: C of 12354 x 304
// x 3, of 15 MB, takes 162 us through the caches, 317 past them; of 9000 x 1003 x 4, of 36 MB, 1.2
// ms and 0.9. [Z5]
constexpr index in_memory_l3_share = 6;

// Bytes ahead that a product with a vector prefetches from memory: 8 numbers in a row come at 25
// GB/s, with 512 bytes at 17, without at 9; 20 at 33, 25, 28. [Z5]
constexpr index gemv_prefetch_bytes = 8192;

// Elements of the longest rows of which it does: rows of 32 come at 27 GB/s, without at 33; of 200
// at 31, 37; 25 float64 at 30, 25. [Z5]
constexpr index gemv_prefetch_row = 28;

// Bytes of rows from which the CPU's own prefetchers lose track of four at once. Not measured here.
constexpr index prefetch_row_bytes = 1024;

// Operands that are converted. Elements of a stack's products that are converted together, 64 KiB
// and so in L2; of a product whose blocks would be larger than it; and of one with a vector, which
// L1 holds. Not measured here.
constexpr index converted_together = 16384;
constexpr index converted_whole = 65536;
constexpr index converted_gemv = 2048;

// Rows of A that a product with a vector needs at once, and their elements: L1 holds both, 32 KiB.
// Not measured here.
constexpr index converted_gemv_side = 16;
constexpr index converted_gemv_strip = 512;

// Side of a block of C, 1 MiB: L2 and L3 hold it, and B's. Not measured here.
constexpr index converted_side = 512;

// Blocks for each thread. Not measured here: as the parts above.
constexpr index converted_parts_a_thread = 4;

// Rows, and elements of y, that are copied or added together: a page at most. Not measured here.
constexpr index pack_strip = 16;
constexpr index gemv_strip = 1024;
constexpr index mirror_side = 64;   // of a symmetric C
constexpr index long_k_strip = 32;  // rows of A that meet a piece of B
constexpr index dot_strip = 40;     // rows whose tiles, of every height, meet A in L2

}  // namespace tilewise::gemm::tuning
