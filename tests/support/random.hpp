// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_RANDOM_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_RANDOM_HPP

#include <cstddef>
#include <cstdint>

namespace hunyuan_reso_test {

/// splitmix64: seeded, and the same on every platform.
class Random {
 public:
  constexpr explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  /// In 0 .. bound - 1.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  /// The same for places in an array, whose type has 32 bits on some platforms.
  constexpr std::size_t place_below(std::size_t bound) noexcept { return static_cast<std::size_t>(below(bound)); }
  /// In 1 .. 2^31 - 1, every number of bits about equally often, so that small sides come up too.
  constexpr std::int32_t side() noexcept {
    const std::uint64_t bits = 1 + below(31);
    const std::uint64_t value = next() >> (64 - bits);
    return static_cast<std::int32_t>(value == 0 ? 1 : value);
  }

 private:
  std::uint64_t state_;
};

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_RANDOM_HPP
