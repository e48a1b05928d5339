// Products of types that are stored in few bits and computed in more: float16 in float32, and 8 and
// 16 bit integers in 32, of which the result keeps the low bits, as NumPy's wrap around.
#pragma once

#include <type_traits>

#include "base/aligned_buffer.hpp"
#include "base/half.hpp"
#include "gemm/stack.hpp"

namespace tilewise::gemm {

template <class Stored>
using ComputedAs = std::conditional_t<std::is_same_v<Stored, Half>, float, std::uint32_t>;

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<From, Half>) {
    return to_float(value);
  } else if constexpr (std::is_same_v<To, Half>) {
    return to_half(value);
  } else {
    return static_cast<To>(value);
  }
}

// src as a matrix of another type in the buffer, with contiguous rows.
template <class To, class From>
MatrixView<const To> converted(const MatrixView<const From>& src, AlignedBuffer& buffer) {
  To* const data = buffer.reserve<To>(src.rows * src.cols);
  for (index i = 0; i < src.rows; ++i) {
    for (index j = 0; j < src.cols; ++j) data[i * src.cols + j] = convert<To>(src(i, j));
  }
  return {data, src.rows, src.cols, src.cols, 1};
}

// As multiply_stack().
template <class Stored>
void multiply_converted_stack(const Options& options, index count,
                              const MatrixStack<const Stored>& a,
                              const MatrixStack<const Stored>& b, const MatrixStack<Stored>& c) {
  using T = ComputedAs<Stored>;
  AlignedBuffer a_buffer;
  AlignedBuffer b_buffer;
  AlignedBuffer c_buffer;
  const index rows = c.first.rows;
  const index cols = c.first.cols;
  const MatrixView<T> product = {c_buffer.reserve<T>(rows * cols), rows, cols, cols, 1};
  for (index i = 0; i < count; ++i) {
    multiply(options, converted<T>(a[i], a_buffer), converted<T>(b[i], b_buffer), product);
    const MatrixView<Stored> result = c[i];
    for (index r = 0; r < rows; ++r) {
      for (index s = 0; s < cols; ++s) result(r, s) = convert<Stored>(product(r, s));
    }
  }
}

}  // namespace tilewise::gemm
