// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_SUPPORT_DATA_HPP
#define HUNYUAN_RESO_BENCH_SUPPORT_DATA_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <hunyuan_reso/resolution.hpp>

namespace hunyuan_reso_bench {

/// splitmix64: seeded, the same on every platform, and easy to write in NumPy (see peer_numpy.py).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t x = state_ += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

 private:
  std::uint64_t state_;
};

inline constexpr std::uint64_t seed = 20240229;

/// A side of a photograph or a drawing in pixels: 64 .. 4096.
inline std::int32_t random_side(Random& random) noexcept { return static_cast<std::int32_t>(64 + random.below(4033)); }

/// Widths and heights in two arrays, as snap_batch takes them. Drawn in turn: width, height, width, ...
struct Sizes {
  std::vector<std::int32_t> widths;
  std::vector<std::int32_t> heights;

  [[nodiscard]] std::size_t count() const noexcept { return widths.size(); }
};

inline Sizes random_sizes(std::size_t count) {
  Random random(seed);
  Sizes sizes;
  sizes.widths.resize(count);
  sizes.heights.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    sizes.widths[i] = random_side(random);
    sizes.heights[i] = random_side(random);
  }
  return sizes;
}

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_SUPPORT_DATA_HPP
