#include "sgd/sampler.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "base/split.hpp"

namespace tilewise::sgd {
namespace {

// Of a piece.
constexpr index draws = tuning::poll_interval / tuning::numbers_a_draw;

// Calls f(begin, end) for all of 0 .. n in pieces, and returns false once interrupted after one.
template <class F>
bool in_pieces(index n, const Interrupted& interrupted, F f) {
  PollCounter polls(interrupted);
  for (index begin = 0; begin < n; begin += draws) {
    const index end = std::min(begin + draws, n);
    f(begin, end);
    if (polls.after((end - begin) * tuning::numbers_a_draw)) return false;
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
      chunk_(std::max(tuning::bytes_in_a_sampling_chunk / row_bytes, index{1})) {}

bool Sampler::next_epoch(std::int64_t* rows, const Interrupted& interrupted) {
  switch (sampling_) {
    case Sampling::sequential: return true;
    case Sampling::chunked: return order_chunks(rows, interrupted);
    case Sampling::replacement: return draw_each(rows, interrupted);
    case Sampling::permutation: return permute(rows, interrupted);
  }
  return true;
}

bool Sampler::permute(std::int64_t* rows, const Interrupted& interrupted) {
  const bool counted = in_pieces(
      n_, interrupted, [&](index begin, index end) { std::iota(rows + begin, rows + end, begin); });
  return counted && in_pieces(n_, interrupted,
                              [&](index begin, index end) { shuffle(rows, n_ - begin, n_ - end); });
}

bool Sampler::draw_each(std::int64_t* rows, const Interrupted& interrupted) {
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
      if (Draws == 2 && end <= tuning::most_bound_of_four_draws) return;
    }
  };
  if (end <= tuning::most_bound_of_two_draws && end > tuning::most_bound_of_four_draws) {
    draw.operator()<2>();
  }
  if (end <= tuning::most_bound_of_four_draws) draw.operator()<4>();
  draw.operator()<1>();
  random_ = random;
}

bool Sampler::order_chunks(std::int64_t* rows, const Interrupted& interrupted) {
  std::vector<std::int64_t> chunks(ceil_div(n_, chunk_));
  std::iota(chunks.begin(), chunks.end(), std::int64_t{0});
  shuffle(chunks.data(), static_cast<index>(chunks.size()), 0);
  PollCounter polls(interrupted);
  for (const std::int64_t chunk : chunks) {
    const index first = chunk * chunk_;
    const index count = std::min(chunk_, n_ - first);
    std::iota(rows, rows + count, first);
    shuffle(rows, count, 0);
    rows += count;
    if (polls.after(count * tuning::numbers_a_draw)) return false;
  }
  return true;
}

}  // namespace tilewise::sgd
