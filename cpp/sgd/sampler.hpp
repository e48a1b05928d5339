// The order in which an epoch visits the rows.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/types.hpp"

namespace tilewise::sgd {

enum class Sampling { permutation, replacement, sequential };

std::optional<Sampling> sampling_named(std::string_view name);

// xoshiro256** 1.0 (Blackman and Vigna, 2021, doi:10.1145/3460772), seeded through splitmix64:
// integers alone, so a seed gives the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed);

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

  // Uniform in [0, bound), exactly: Lemire, 2019, doi:10.1145/3230636. 0 < bound < 2^63. Bounds
  // below 2^32 take half a number.
  std::uint64_t below(std::uint64_t bound) {
    return bound >> 32 == 0 ? below_32(static_cast<std::uint32_t>(bound)) : below_64(bound);
  }

 private:
  std::uint32_t next_half() {
    has_half_ = !has_half_;
    if (!has_half_) return static_cast<std::uint32_t>(half_ >> 32);
    half_ = next();
    return static_cast<std::uint32_t>(half_);
  }

  std::uint32_t below_32(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next_half()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      const std::uint32_t biased = -bound % bound;
      while (static_cast<std::uint32_t>(product) < biased) {
        product = std::uint64_t{next_half()} * bound;
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  std::uint64_t below_64(std::uint64_t bound);

  std::uint64_t state_[4];
  std::uint64_t half_ = 0;  // its high half is still to be used if has_half_
  bool has_half_ = false;
};

class Sampler {
 public:
  Sampler(index n, Sampling sampling, std::uint64_t seed)
      : n_(n), sampling_(sampling), random_(seed) {}

  index size() const { return n_; }

  // Writes the row of each of the epoch's n draws: a fresh uniform permutation (Fisher and Yates),
  // independent draws with replacement, or 0 .. n - 1.
  void next_epoch(std::int64_t* rows);

 private:
  index n_;
  Sampling sampling_;
  Random random_;
};

}  // namespace tilewise::sgd
