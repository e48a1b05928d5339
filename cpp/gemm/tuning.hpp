// Every threshold of the products, a line each: what it is, why, and what was measured. The figures
// are speeds over that of the line's value; docs/sweep_tuning.py prints them.
#pragma once

#include "base/types.hpp"

namespace tilewise::gemm::tuning {

// Paths.
constexpr index tiny_side = 64;      // m, n and k of a product that fits L1 and needs no plan
constexpr index small_n_cols = 8;    // columns of B that leave most lanes of a tile's vectors empty
constexpr index small_n_depth = 64;  // k from which full vectors along k pay for the sum of lanes

constexpr index rank_k_depth = 16;     // k up to which C is written along its rows
constexpr index rank_k_pack_rows = 8;  // rows of C for which B is first packed into rows

// Products of a stack that are computed many in a call (figures: Zen 5, 2026-11-29).
constexpr index tiny_stack_vectors =
    8;  // vectors of C at most: 16 x 16 x 16, float32, 16 of them: 0.9
constexpr index tiny_stack_vector_steps = 256;  // multiply-adds of a vector times a matrix: 1 x 64
                                                // @ 64 x 20, float32, takes 128: 1.3
constexpr index tiny_stack_lane_steps = 32;  // and those where vectors have one element: 1 x 64 @
                                             // 64 x 1, float32, would take 64: 0.35
constexpr index tiny_stack_copied =
    1024;                                 // elements of copies of B, in L1, that are made at a time
constexpr double tiny_stack_flops = 100;  // what a product takes besides its own: 1 ns

// Threads.
constexpr double thread_flops = 2e6;       // flops worth a thread's waking: 20 us at 100 GFLOP/s
constexpr double memory_bound_factor = 4;  // what a flop of a product with a vector is worth then
constexpr double extra_part_flops = 1e8;   // flops of a thread that are worth a part more,
constexpr double most_parts_a_thread = 4;  // and parts after which no thread waits for another
constexpr index ranges_a_thread = 4;       // of a stack
constexpr index min_part_tiles = 4;    // tiles across a part of C, below which B is read too often
constexpr index gemv_unit_bytes = 64;  // of y: a line, which no two threads write
constexpr index dot_piece = index{16} << 12;  // elements of a part of one inner product

// Blocks, in bytes or parts of a cache.
constexpr index kc_l2_share = 8;  // a B-panel, kc x nr, takes an eighth of L2
constexpr index min_kc = 192;     // steps, so that reading and writing C is little
constexpr index max_kc = 512;     // steps
constexpr index mc_l2_share =
    4;  // a block of A takes a quarter of L2: C and B pass through the rest
constexpr index nc_l3_share = 4;                // a block of B takes a quarter of L3,
constexpr index max_nc_bytes = index{8} << 20;  // and no more than this of a server's
constexpr index one_pass_panels = 2;   // A-panels so few that all of the time goes into reading B
constexpr index few_rows_panels = 8;   // A-panels so few that a block of B is best kept in L2
constexpr index few_uses_panels = 32;  // A-panels up to which packing B costs more than it saves
constexpr index symmetric_pack_panels =
    16;  // B-panels up to which packing A for half of them costs more: X.T @ X of 500 columns 1.2,
         // of 1000 0.7 (float32, Zen 5, 2026-11)
constexpr index one_pass_blocks = 256;  // blocks of k at most in one pass: each adds a rounding
constexpr index min_one_pass_kc = 16;   // steps, and bytes of B, of a block in one pass: with fewer
constexpr index one_pass_bytes = index{32} << 10;  // C is read and written more than B: 64 x 5000 x
                                                   // 2, A by columns, 1.3 (float32, Zen 5, 2026-11)
constexpr index short_depth =
    64;  // k up to which writing C is most of the work: along its rows then

// Memory.
constexpr index spread_bytes = 1024;  // rows of B a multiple of this apart meet in a few cache sets
constexpr index rank_1_l3_share = 6;  // eighths of L3 from which C = x y goes past the caches,
constexpr index rank_k_l3_share = 3;  // and C of more columns, which several rows at once evict
constexpr index server_l3 = index{128} << 20;  // an L3 above this is a whole server's,
constexpr index far_l3 = index{32} << 20;      // nearly as far away as memory: it counts as this
constexpr index gemv_prefetch_rows = 16;       // no fewer than the kernels read together
constexpr index prefetch_row_bytes = 1024;  // rows from which the CPU's own prefetchers lose track

// Strips that are copied together.
constexpr index mirror_side = 64;   // rows of a symmetric C
constexpr index pack_strip = 16;    // rows
constexpr index gemv_strip = 1024;  // elements of y

}  // namespace tilewise::gemm::tuning
