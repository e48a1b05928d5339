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
constexpr index unpacked_b_panels = 12;  // A-panels up to which packing B costs more than it saves,
constexpr index fitting_b_panels = 32;   // and where B fits half of L2
constexpr index one_pass_panels = 2;     // A-panels for which reading B from memory is all the time
constexpr index one_pass_blocks = 256;   // blocks of k at most in one pass: each adds a rounding
constexpr index min_one_pass_kc = 16;    // steps
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

// Operands that are converted: elements, and sides of what is converted at a time.
constexpr index converted_together = 16384;    // elements of a stack's products that share L2
constexpr index converted_whole = 65536;       // of a product whose blocks would be larger than it
constexpr index converted_gemv = 2048;         // of one with a vector, which L1 holds
constexpr index converted_gemv_side = 16;      // rows of A that a matrix-vector kernel needs, and
constexpr index converted_gemv_strip = 512;    // their elements: L1 holds both
constexpr index converted_side = 512;          // of a block of C: L2 and L3 hold it, and B's
constexpr index converted_parts_a_thread = 4;  // blocks after which no thread waits for another

// Strips that are copied together.
constexpr index pack_strip = 16;    // rows
constexpr index gemv_strip = 1024;  // elements of y

}  // namespace tilewise::gemm::tuning
