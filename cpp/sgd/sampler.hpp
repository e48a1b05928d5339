// The order in which an epoch visits the rows.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/types.hpp"
#include "sgd/poll_counter.hpp"

namespace tilewise::sgd {

enum class Sampling { permutation, replacement, sequential, chunked };

constexpr std::array<std::string_view, 4> sampling_names = {"permutation", "replacement",
                                                            "sequential", "chunked"};

std::optional<Sampling> sampling_named(std::string_view name);

// xoshiro256** 1.0 (Blackman and Vigna, 2021, doi:10.1145/3460772), seeded through splitmix64:
// integers alone, so a seed gives the same numbers on every machine.
class Random {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Random(std::uint64_t seed);

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Draws[i] uniform in [0, bound - i), exactly: one number for all of them (Brackett-Rozinsky and
  // Lemire, 2024, doi:10.1002/spe.3369). The product of the bounds is below 2^64.
  template <int Count>
  std::array<std::uint64_t, Count> below_each(std::uint64_t bound) {
    std::uint64_t product = bound;
    for (int i = 1; i < Count; ++i) product *= bound - i;
    std::array<std::uint64_t, Count> draws;
    std::uint64_t rest = draw_each(bound, draws);
    if (rest < product) {
      const std::uint64_t biased = -product % product;
      while (rest < biased) rest = draw_each(bound, draws);
    }
    return draws;
  }

  std::uint64_t below(std::uint64_t bound) { return below_each<1>(bound)[0]; }

 private:
  template <std::size_t Count>
  std::uint64_t draw_each(std::uint64_t bound, std::array<std::uint64_t, Count>& draws) {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t rest = next();
    TILEWISE_UNROLL
    for (std::size_t i = 0; i < Count; ++i) {
      const Wide product = Wide{rest} * (bound - i);
      draws[i] = static_cast<std::uint64_t>(product >> 64);
      rest = static_cast<std::uint64_t>(product);
    }
    return rest;
  }

  State state_;
};

class Sampler {
 public:
  // `row_bytes` give chunked sampling the size of its chunks.
  Sampler(index n, Sampling sampling, std::uint64_t seed, index row_bytes);

  index size() const { return n_; }

  // The rows come as they lie: next_epoch() need not be asked.
  bool in_order() const { return sampling_ == Sampling::sequential; }

  // Writes the row of each of the epoch's n draws, unless they come in order: a fresh uniform
  // permutation (Fisher and Yates), independent draws with replacement, or the chunks in random
  // order with their rows shuffled. Returns false if interrupted; the draws are then unfinished.
  bool next_epoch(std::int64_t* rows, const Interrupted& interrupted);

  // A copy of it goes on as this one would.
  Random& random() { return random_; }

 private:
  void shuffle(std::int64_t* rows, index count, index from);
  bool permute(std::int64_t* rows, const Interrupted& interrupted);
  bool draw_each(std::int64_t* rows, const Interrupted& interrupted);
  bool order_chunks(std::int64_t* rows, const Interrupted& interrupted);

  index n_;
  Sampling sampling_;
  Random random_;
  index chunk_;
};

}  // namespace tilewise::sgd
