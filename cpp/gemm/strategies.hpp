// The chapter's ways to compute C = A B, from one element at a time to the whole.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/matrix_view.hpp"

namespace tilewise::gemm {

enum class Strategy { element, row, column, block, full };

// In the order of the enumerators.
std::span<const std::string_view> strategy_names();

std::optional<Strategy> strategy_named(std::string_view name);

struct Options {
  Strategy strategy = Strategy::full;
  index block_size = 64;  // columns in a panel of Strategy::block
};

// Any shapes that fit each other, any strides; C overlaps neither A nor B. Throws std::bad_alloc.
template <class T>
void multiply(const Options& options, const MatrixView<const T>& a, const MatrixView<const T>& b,
              const MatrixView<T>& c);

}  // namespace tilewise::gemm
