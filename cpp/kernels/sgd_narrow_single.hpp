// Steps of batch size 1 on rows of few features, as many at once as a vector has lanes. A step
// changes the residual of a later row j by -rate_i r_i (x_i x_j + 1): the products of the rows do
// not depend on the weights, so only a short recurrence is left of the chain of steps. The same
// steps, in another rounding.
//
// With weight decay the weights before step i are p_i u_i, where p_i is the product of what the
// steps before it left of them: u changes by the gradient alone, so it takes the place of the
// weights, p_i x_i that of a row, and rate_i / p_(i+1) that of the rate.
#pragma once

#include "kernels/sgd_clamp.hpp"
#include "kernels/sgd_narrow_batch.hpp"

namespace tilewise::kernels {

// What is left of the weights by the decay, before and after each step of a group.
template <class V>
struct NarrowDecay {
  using T = typename V::Element;

  // Where a step leaves less, p becomes too small to divide by it.
  static constexpr T least_left = T{15} / 16;

  T left[V::width + 1];
  T inverse[V::width];             // of what is left after each step
  typename V::Reg bias[V::width];  // what is left after each step, in the lane of the bias
  bool divides = true;
  typename V::Reg rates = V::zero();

  // The rates of most groups are those of the one before.
  TILEWISE_INLINE void update(const T* next, T weight_decay, const NarrowShape<V>& shape) {
    const auto change = V::load(next) - rates;
    typename V::Reg squares[1] = {change * change};
    if (reduce_rows<V, 1>(squares)[0] == 0) return;
    rates = V::load(next);
    divides = true;
    left[0] = 1;
    for (int r = 0; r < V::width; ++r) {
      const T part = 1 - next[r] * weight_decay;
      divides = divides && part >= least_left;
      left[r + 1] = left[r] * part;
      inverse[r] = 1 / left[r + 1];
      bias[r] = shape.bias * V::set1(left[r + 1]);
    }
  }
};

// The largest residuals, times the sample weight, whose gradients are not cut.
template <class V, int Count>
TILEWISE_INLINE typename V::Reg limits_of(const typename V::Reg (&column)[Count],
                                          typename V::Element inverse_clip) {
  typename V::Reg squares = V::zero();
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) squares = V::fmadd(column[j], column[j], squares);
  return V::set1(1) / (V::sqrt(squares) * V::set1(inverse_clip));
}

// What a residual of 1 in each row of a group changes in the residuals of all; `scaled` are the
// columns times what takes a residual to the change of the parameters.
template <class V, int Count>
TILEWISE_INLINE void changes_of(const typename V::Reg (&column)[Count],
                                const typename V::Element (&scaled)[Count][V::width],
                                index features, typename V::Reg (&change)[V::width]) {
  TILEWISE_UNROLL
  for (int r = 0; r < V::width; ++r) change[r] = V::zero();
  TILEWISE_UNROLL
  for (int j = 0; j < Count; ++j) {
    if (j > features) break;
    TILEWISE_UNROLL
    for (int r = 0; r < V::width; ++r) {
      change[r] = V::fmadd(V::set1(scaled[j][r]), column[j], change[r]);
    }
  }
}

// The steps of a group on `parameters`: term(r) is what a residual of 1 in row r takes from them.
// Calls visit(r, parameters) after each row. A pair of rows goes through the chain together: what
// its first row does to the second is taken into account beforehand, for the residuals and for the
// parameters alike.
template <class V, class Term, class Visit>
TILEWISE_INLINE typename V::Reg take_pairs(const typename V::Reg (&change)[V::width],
                                           typename V::Reg residuals, typename V::Reg parameters,
                                           const Term& term, const Visit& visit) {
  each_index<V::width / 2>([&](auto index_of_pair) TILEWISE_INLINE_LAMBDA {
    constexpr int r = 2 * decltype(index_of_pair)::value;
    const auto of_second = broadcast_lane<r + 1, V>(change[r]);
    const auto first = term(r);
    const auto second = term(r + 1);
    const auto change_by_both = change[r] - of_second * change[r + 1];
    const auto both = first - of_second * second;
    const auto residual = broadcast_lane<r, V>(residuals);
    const auto next = broadcast_lane<r + 1, V>(residuals);
    visit(r, parameters - first * residual);
    residuals = (residuals - change_by_both * residual) - change[r + 1] * next;
    parameters = (parameters - both * residual) - second * next;
    visit(r + 1, parameters);
  });
  return parameters;
}

// Plain: without weight decay, and no gradient is cut.
template <class V, int Count, bool Plain>
TILEWISE_INLINE void group_of_single_steps(const SgdSteps<typename V::Element>& steps, index i,
                                           const NarrowShape<V>& shape, NarrowState<V>& state,
                                           const NarrowDecay<V>& decay) {
  using T = typename V::Element;
  using Reg = typename V::Reg;
  constexpr int width = V::width;
  Reg row[width];
  Reg column[Count];
  TILEWISE_UNROLL
  for (int r = 0; r < width; ++r) row[r] = load_row<V>(steps.rows, i + r, shape);
  to_columns<V, Count>(row, column);

  // What takes a residual to the change of the parameters, and how large a residual may be.
  Reg factors = V::load(steps.rates + i);
  T limits[width];
  if constexpr (!Plain) {
    Reg limit = V::set1(__builtin_inff());
    if (steps.inverse_clip != 0) limit = limits_of<V, Count>(column, steps.inverse_clip);
    V::store(limits, limit);
  }
  const bool averages = steps.average != nullptr;
  T factor[width], scaled[Count][width];
  if (steps.rows.sample_weights != nullptr) {
    const Reg weights = load_sample_weights<V>(steps.rows, i, width);
    factors *= weights;
    if constexpr (!Plain) V::store(limits, V::load(limits) / weights);
  }
  if constexpr (Plain) {
    TILEWISE_UNROLL
    for (int j = 0; j < Count; ++j) V::store(scaled[j], column[j] * factors);
  } else {
    const Reg of_bias = factors;
    factors *= V::load(decay.inverse);
    TILEWISE_UNROLL
    for (int j = 0; j < Count; ++j) {
      const bool is_feature = j < steps.rows.features;
      V::store(scaled[j], column[j] * (is_feature ? factors : of_bias));
      if (is_feature) column[j] *= V::load(decay.left);
    }
  }
  V::store(factor, factors);
  TILEWISE_CLOBBER(factor);
  TILEWISE_CLOBBER(scaled);
  Reg change[width];  // of all residuals, for a residual of 1 in row r
  changes_of<V, Count>(column, scaled, steps.rows.features, change);
  Reg residuals =
      residuals_of<V, Count>(column, state.parameters, load_targets<V>(steps.rows, i, width));
  Reg result = state.parameters;
  Reg sum = V::zero();  // of the parameters after each step
  // What u is in the parameters: the bias does not decay.
  const auto decayed = [&](const Reg& u, int steps_done) TILEWISE_INLINE_LAMBDA {
    if constexpr (Plain) return u;
    return u * V::fmadd(shape.of_features, V::set1(decay.left[steps_done]), shape.bias);
  };
  if constexpr (Plain) {
    const auto term = [&](int r) TILEWISE_INLINE_LAMBDA {
      return load_row<V>(steps.rows, i + r, shape) * V::set1(factor[r]);
    };
    result = take_pairs<V>(change, residuals, result, term,
                           [&](int, const Reg& iterate) TILEWISE_INLINE_LAMBDA {
                             if (averages) sum += iterate;
                           });
  } else {
    // The residuals of a block of rows are taken out of the vector together: between two blocks
    // there is one broadcast, and not one for each row.
    constexpr int block = width < 4 ? width : 4;
    each_index<width / block>([&](auto index_of_block) TILEWISE_INLINE_LAMBDA {
      constexpr int first = decltype(index_of_block)::value * block;
      Reg residual[block];
      each_index<block>([&](auto row_of_block) TILEWISE_INLINE_LAMBDA {
        constexpr int b = decltype(row_of_block)::value;
        residual[b] = broadcast_lane<first + b, V>(residuals);
      });
      each_index<block>([&](auto row_of_block) TILEWISE_INLINE_LAMBDA {
        constexpr int b = decltype(row_of_block)::value;
        constexpr int r = first + b;
        if constexpr (!Plain) residual[b] = clamp(residual[b], V::set1(limits[r]));
        each_index<block - 1 - b>([&](auto later) TILEWISE_INLINE_LAMBDA {
          constexpr int a = b + 1 + decltype(later)::value;
          residual[a] -= broadcast_lane<first + a, V>(change[r]) * residual[b];
        });
        residuals -= change[r] * residual[b];

        const Reg term = load_row<V>(steps.rows, i + r, shape, decay.bias[r]) * V::set1(factor[r]);
        result -= term * residual[b];
        if (averages) sum += decayed(result, r + 1);
      });
    });
  }
  state.parameters = decayed(result, width);
  if (averages) state.add_to_average(sum, width);
}

// The steps of the rows i .. i + width, or false: their decay is too strong for a group.
template <class V, int Count>
TILEWISE_INLINE bool narrow_single_steps(const SgdSteps<typename V::Element>& steps, index i,
                                         const NarrowShape<V>& shape, NarrowState<V>& state,
                                         NarrowDecay<V>& decay) {
  if (steps.weight_decay == 0 && steps.inverse_clip == 0) {
    group_of_single_steps<V, Count, true>(steps, i, shape, state, decay);
    return true;
  }
  decay.update(steps.rates + i, steps.weight_decay, shape);
  if (decay.divides) group_of_single_steps<V, Count, false>(steps, i, shape, state, decay);
  return decay.divides;
}

}  // namespace tilewise::kernels
