#include "sgd/sampler.hpp"

#include <numeric>
#include <utility>

namespace tilewise::sgd {

std::optional<Sampling> sampling_named(std::string_view name) {
  if (name == "permutation") return Sampling::permutation;
  if (name == "replacement") return Sampling::replacement;
  if (name == "sequential") return Sampling::sequential;
  return std::nullopt;
}

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Random::below_64(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{next()} * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t biased = -bound % bound;
    while (static_cast<std::uint64_t>(product) < biased) product = Wide{next()} * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

void Sampler::next_epoch(std::int64_t* rows) {
  if (sampling_ == Sampling::replacement) {
    for (index i = 0; i < n_; ++i) rows[i] = static_cast<std::int64_t>(random_.below(n_));
    return;
  }
  std::iota(rows, rows + n_, std::int64_t{0});
  if (sampling_ == Sampling::sequential) return;
  for (index i = n_ - 1; i > 0; --i) std::swap(rows[i], rows[random_.below(i + 1)]);
}

}  // namespace tilewise::sgd
