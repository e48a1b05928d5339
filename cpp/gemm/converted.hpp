// Products of types that are stored in few bits and computed in more: float16 and bfloat16 in
// float32, and 8 and 16 bit integers in 32, of which the result keeps the low bits.
#pragma once

#include "gemm/multiply.hpp"

namespace tilewise::gemm {

// As multiply_stack(). Converts on the way, block by block, unless the strategy is another than
// full. If it throws std::bad_alloc, some products may be written, but nothing of a single one.
template <class Stored, class Result>
void multiply_converted_stack(const Options& options, index count,
                              const MatrixStack<const Stored>& a,
                              const MatrixStack<const Stored>& b, const MatrixStack<Result>& c);

}  // namespace tilewise::gemm
