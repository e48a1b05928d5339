#include "sgd/sampler.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/split.hpp"

namespace tilewise::sgd {
namespace {

// Where the products of four, and of two, bounds leave room enough that few draws are repeated.
constexpr index few = index{1} << 14;
constexpr index most_in_pairs = index{1} << 30;

// Between two polls: some milliseconds.
constexpr index draws = index{1} << 20;

// Calls f(begin, end) for all of 0 .. n in pieces, and returns false once interrupted between two.
template <class F>
bool in_pieces(index n, const std::function<bool()>& interrupted, F f) {
  for (index begin = 0; begin < n; begin += draws) {
    if (begin > 0 && interrupted()) return false;
    f(begin, std::min(begin + draws, n));
  }
  return true;
}

}  // namespace

std::optional<Sampling> sampling_named(std::string_view name) {
  const auto found = std::find(sampling_names.begin(), sampling_names.end(), name);
  if (found == sampling_names.end()) return std::nullopt;
  return static_cast<Sampling>(found - sampling_names.begin());
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

Sampler::Sampler(index n, Sampling sampling, std::uint64_t seed, index row_bytes)
    : n_(n),
      sampling_(sampling),
      random_(seed),
      chunk_(std::max((index{256} << 10) / row_bytes, index{1})) {}

bool Sampler::next_epoch(std::int64_t* rows, const std::function<bool()>& interrupted) {
  switch (sampling_) {
    case Sampling::sequential: return true;
    case Sampling::chunked: return order_chunks(rows, interrupted);
    case Sampling::replacement: return draw_each(rows, interrupted);
    case Sampling::permutation: return permute(rows, interrupted);
  }
  return true;
}

bool Sampler::permute(std::int64_t* rows, const std::function<bool()>& interrupted) {
  const bool counted = in_pieces(
      n_, interrupted, [&](index begin, index end) { std::iota(rows + begin, rows + end, begin); });
  return counted && in_pieces(n_, interrupted,
                              [&](index begin, index end) { shuffle(rows, n_ - begin, n_ - end); });
}

bool Sampler::draw_each(std::int64_t* rows, const std::function<bool()>& interrupted) {
  return in_pieces(n_, interrupted, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) rows[i] = static_cast<std::int64_t>(random_.below(n_));
  });
}

// The draws that fix the places from .. count of a shuffle of `count` rows.
void Sampler::shuffle(std::int64_t* rows, index count, index from) {
  Random random = random_;  // in registers
  index end = count;        // of the places that are not fixed yet
  const auto draw = [&]<int Draws>() {
    for (; end - Draws >= std::max(from, index{1}); end -= Draws) {
      const auto drawn = random.below_each<Draws>(static_cast<std::uint64_t>(end));
      TILEWISE_UNROLL
      for (int i = 0; i < Draws; ++i) std::swap(rows[end - 1 - i], rows[drawn[i]]);
      if (Draws == 2 && end <= few) return;
    }
  };
  if (end <= most_in_pairs && end > few) draw.operator()<2>();
  if (end <= few) draw.operator()<4>();
  draw.operator()<1>();
  random_ = random;
}

bool Sampler::order_chunks(std::int64_t* rows, const std::function<bool()>& interrupted) {
  std::vector<std::int64_t> chunks(ceil_div(n_, chunk_));
  std::iota(chunks.begin(), chunks.end(), std::int64_t{0});
  shuffle(chunks.data(), static_cast<index>(chunks.size()), 0);
  index since_poll = 0;
  for (const std::int64_t chunk : chunks) {
    const index first = chunk * chunk_;
    const index count = std::min(chunk_, n_ - first);
    std::iota(rows, rows + count, first);
    shuffle(rows, count, 0);
    rows += count;
    since_poll += count;
    if (since_poll < draws) continue;
    if (interrupted()) return false;
    since_poll = 0;
  }
  return true;
}

}  // namespace tilewise::sgd
