// The order in which an epoch visits the rows.
#pragma once

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

  std::uint64_t next();

  // Uniform in [0, bound), exactly: Lemire, 2019, doi:10.1145/3230636. 0 < bound < 2^63.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t state_[4];
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
