// Products of types that are stored in few bits and computed in more: float16 in float32, and 8 and
// 16 bit integers in 32, of which the result keeps the low bits, as NumPy's wrap around.
#pragma once

#include <type_traits>

#include "base/half.hpp"
#include "gemm/multiply.hpp"
#include "threads/scratch.hpp"

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

// src as a matrix of another type, with contiguous rows, in `data`.
template <class To, class From>
MatrixView<const To> converted(const MatrixView<const From>& src, To* data) {
  for (index i = 0; i < src.rows; ++i) {
    for (index j = 0; j < src.cols; ++j) data[i * src.cols + j] = convert<To>(src(i, j));
  }
  return MatrixView<const To>::row_major(data, src.rows, src.cols);
}

// Of the calling thread.
struct ConvertBuffers {
  AlignedBuffer a;
  AlignedBuffer b;
  AlignedBuffer c;
};

// As multiply_stack().
template <class Stored>
void multiply_converted_stack(const Options& options, index count,
                              const MatrixStack<const Stored>& a,
                              const MatrixStack<const Stored>& b, const MatrixStack<Stored>& c) {
  using T = ComputedAs<Stored>;
  const auto& shape = c.first;
  const auto problem = problem_of(MatrixView<const T>::row_major(nullptr, shape.rows, a.first.cols),
                                  MatrixView<const T>::row_major(nullptr, a.first.cols, shape.cols),
                                  MatrixView<T>::row_major(nullptr, shape.rows, shape.cols));
  share_products<T>(
      options, problem, count, [&](const auto& kernels, const Plan& plan, index begin, index end) {
        auto& buffers = threads::of_this_thread<ConvertBuffers>();
        const threads::Scratch<T> a_copy(buffers.a, a.first.rows * a.first.cols);
        const threads::Scratch<T> b_copy(buffers.b, b.first.rows * b.first.cols);
        const threads::Scratch<T> c_copy(buffers.c, shape.rows * shape.cols);
        const auto product = MatrixView<T>::row_major(c_copy.data(), shape.rows, shape.cols);
        for (index i = begin; i < end; ++i) {
          execute(kernels, plan, converted<T>(a[i], a_copy.data()),
                  converted<T>(b[i], b_copy.data()), product);
          const MatrixView<Stored> result = c[i];
          for (index r = 0; r < shape.rows; ++r) {
            for (index s = 0; s < shape.cols; ++s) result(r, s) = convert<Stored>(product(r, s));
          }
        }
      });
}

}  // namespace tilewise::gemm
