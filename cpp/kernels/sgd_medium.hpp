// Gradients of rows of a few vectors that come in order. The gradient stays in registers, and the
// rows are read one after the other: one stream through memory, which the CPU's own prefetchers
// follow best.
#pragma once

#include "kernels/exchange.hpp"
#include "kernels/kernel_set.hpp"
#include "kernels/sgd_wide.hpp"

namespace tilewise::kernels {

// Vectors of a gradient for which there are registers beside those of the rows.
template <class V>
constexpr int most_medium_vectors() {
  return V::tile_rows * V::tile_vectors / 2;
}

// A row of Vectors vectors, the last of which may be in use in part.
template <class V, int Vectors>
struct MediumShape {
  using T = typename V::Element;

  typename V::Mask last;

  explicit TILEWISE_INLINE MediumShape(index features)
      : last(V::first(static_cast<int>(features) - (Vectors - 1) * V::width)) {}

  TILEWISE_INLINE typename V::Reg load(const T* row, int vector) const {
    const T* const p = row + vector * V::width;
    return vector < Vectors - 1 ? V::load(p) : V::load(p, last, V::zero());
  }

  TILEWISE_INLINE void store(T* row, int vector, const typename V::Reg& r) const {
    T* const p = row + vector * V::width;
    vector < Vectors - 1 ? V::store(p, r) : V::store(p, r, last);
  }
};

// Adds the gradient of the rows i .. i + count, at most medium_rows.
template <class V, int Vectors>
TILEWISE_INLINE void add_medium_rows(const SgdRows<typename V::Element>& rows, index i, index count,
                                     const MediumShape<V, Vectors>& shape,
                                     const typename V::Element* parameters,
                                     typename V::Reg (&gradient)[Vectors],
                                     typename V::Element& bias_gradient) {
  using T = typename V::Element;
  constexpr int many = medium_rows;
  const RowGroup<V, many> group(rows, i, count);
  typename V::Reg acc[many];
  TILEWISE_UNROLL
  for (int r = 0; r < many; ++r) {
    typename V::Reg sum[2] = {};
    if (r >= count) {
      acc[r] = V::zero();
      continue;
    }
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      sum[v % 2] = V::fmadd(shape.load(group.x[r], v), shape.load(parameters, v), sum[v % 2]);
    }
    acc[r] = sum[0] + sum[1];
  }
  T residual[padded<many, V>];
  residuals_of<V, many>(rows, group, acc, parameters, residual);
  // Longer rows come from L1 again, not from copies on the stack.
  if constexpr (Vectors > 2) TILEWISE_CLOBBER(residual);
  TILEWISE_UNROLL
  for (int r = 0; r < many; ++r) {
    if (r >= count) break;
    bias_gradient += residual[r];
    const auto factor = V::set1(residual[r]);
    TILEWISE_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      gradient[v] = V::fmadd(factor, shape.load(group.x[r], v), gradient[v]);
    }
  }
}

template <class V, int Vectors>
void medium_gradient(const SgdRows<typename V::Element>& rows, index size,
                     const typename V::Element* parameters, typename V::Element* gradient) {
  const MediumShape<V, Vectors> shape(rows.features);
  typename V::Reg sum[Vectors] = {};
  typename V::Element bias_sum = 0;
  for (index i = 0; i < size; i += medium_rows) {
    const index count = size - i < medium_rows ? size - i : medium_rows;
    add_medium_rows<V, Vectors>(rows, i, count, shape, parameters, sum, bias_sum);
  }
  TILEWISE_UNROLL
  for (int v = 0; v < Vectors; ++v) shape.store(gradient, v, sum[v]);
  gradient[rows.features] = bias_sum;
}

template <class V>
void sgd_medium_gradient(const SgdRows<typename V::Element>& rows, index size,
                         const typename V::Element* parameters, typename V::Element* gradient) {
  const index vectors = (rows.features - 1) / V::width + 1;
  each_index<most_medium_vectors<V>()>([&](auto number) TILEWISE_INLINE_LAMBDA {
    constexpr int count = decltype(number)::value + 1;
    if (count == vectors) medium_gradient<V, count>(rows, size, parameters, gradient);
  });
}

}  // namespace tilewise::kernels
