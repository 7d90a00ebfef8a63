// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_CUDA_SIZES_HPP
#define HUNYUAN_RESO_TESTS_CUDA_SIZES_HPP

#include <vector>

#include <hunyuan_reso/tokens.hpp>

namespace hunyuan_reso_test {

namespace hr = hunyuan_reso;

inline std::vector<hr::Resolution> all_sizes(std::int32_t longest) {
  std::vector<hr::Resolution> sizes;
  for (std::int32_t height = 1; height <= longest; ++height) {
    for (std::int32_t width = 1; width <= longest; ++width) sizes.push_back({height, width});
  }
  return sizes;
}

/// Gathers sizes that go wrong first.
class HardSizes {
 public:
  explicit HardSizes(const hr::ResolutionGroup& group) {
    around_thresholds(group);
    around_rows(group);
    corners();
    token_ids();
    random_ones();
    no_sizes();
  }
  [[nodiscard]] const std::vector<hr::Resolution>& all() const { return sizes_; }

 private:
  /// A size and its neighbours.
  void add(std::int64_t height, std::int64_t width) {
    for (std::int64_t h = height - 1; h <= height + 1; ++h) {
      for (std::int64_t w = width - 1; w <= width + 1; ++w) {
        if (h > hr::max_side || w > hr::max_side) continue;
        sizes_.push_back({static_cast<std::int32_t>(h), static_cast<std::int32_t>(w)});
      }
    }
  }
  void around_thresholds(const hr::ResolutionGroup& group) {
    for (std::size_t k = 0; k < group.threshold_count(); ++k) {
      const hr::Resolution last = group.threshold(k).last;
      const std::int64_t longer = last.height > last.width ? last.height : last.width;
      for (const std::int64_t factor : {std::int64_t{1}, std::int64_t{2}, std::int64_t{hr::max_side} / longer}) {
        add(last.height * factor, last.width * factor);
      }
      for (std::int64_t width = 1; width <= hr::max_side; width = width * 3 / 2 + 1) {
        add(width * last.height / last.width, width);
      }
    }
  }
  void around_rows(const hr::ResolutionGroup& group) {
    for (const hr::Resolution row : group) {
      const std::int64_t longer = row.height > row.width ? row.height : row.width;
      for (std::int64_t factor = 1; factor * longer <= hr::max_side; factor = factor * 5 + 1) {
        add(row.height * factor, row.width * factor);
      }
    }
  }
  void corners() {
    for (const std::int64_t height : {std::int64_t{1}, std::int64_t{1} << 23, std::int64_t{hr::max_side}}) {
      for (const std::int64_t width : {std::int64_t{1}, std::int64_t{1} << 23, std::int64_t{hr::max_side}}) {
        add(height, width);
      }
    }
  }
  void token_ids() {
    for (hr::TokenId id = 127900; id < 130200; ++id) {
      for (const std::int32_t number : {0, 16, 33, 36, 37, 256, 1024, 8192}) sizes_.push_back({id, number});
    }
  }
  void random_ones() {
    std::uint64_t state = 20260101;
    const auto random_side = [&state] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const auto side = static_cast<std::int32_t>(state >> 33 >> (state >> 27 & 31));
      return side > 0 ? side : 1;
    };
    for (int i = 0; i < 400000; ++i) {
      const std::int32_t height = random_side();
      sizes_.push_back({height, random_side()});
    }
  }
  void no_sizes() {
    for (const std::int32_t bad : {0, -1, -1024, -2147483647 - 1}) {
      for (const std::int32_t other : {bad, 1, 1024, hr::max_side}) {
        sizes_.push_back({bad, other});
        sizes_.push_back({other, bad});
      }
    }
  }

  std::vector<hr::Resolution> sizes_;
};

/// Base sizes (height) and steps (width), good and bad ones; a step of 0 is the default.
inline std::vector<hr::Resolution> group_specs() {
  std::vector<hr::Resolution> specs;
  for (std::int32_t base_size = -16; base_size <= 8192; base_size += 8) {
    for (const std::int32_t step : {0, 1, 16, 100, base_size / 2, base_size}) specs.push_back({base_size, step});
  }
  for (const std::int32_t base_size : {1073741808, 1073741823, 1073741824}) specs.push_back({base_size, 0});
  return specs;
}

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_CUDA_SIZES_HPP
