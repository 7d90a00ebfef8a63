// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP
#define HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP

#include <cmath>
#include <string>
#include <vector>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// The size that an image is brought to, with what the statistics need of it at hand.
struct CropTarget {
  explicit CropTarget(Resolution size)
      : height(size.height), width(size.width), ratio(height / width), area(height * width) {}
  double height, width, ratio, area;
};

/// How many sizes went to each row, and what resizing and centre cropping does to them. Constant memory.
class SnapStatistics {
 public:
  explicit SnapStatistics(const Model& model);

  /// A size in pixels that went to a row; `line` is where it was.
  void add(std::size_t ratio_index, Resolution size, const CropTarget& target, std::uint64_t line) noexcept {
    ++counts_[ratio_index];
    // resize_and_center_crop (resolution.md, section 5) in the processor's binary64, for speed: the same sizes where
    // the compiler keeps to IEEE 754, which a test compares.
    const double height = size.height;
    const double width = size.width;
    double resized_area = 0;
    if (height / width < target.ratio) {
      resized_area = target.height * static_cast<double>(std::llrint(target.height / height * width));
      enlarged_ += target.height > height ? 1U : 0U;
    } else {
      resized_area = target.width * static_cast<double>(std::llrint(target.width / width * height));
      enlarged_ += target.width > width ? 1U : 0U;
    }
    const double share = resized_area > target.area ? 1 - target.area / resized_area : 0;
    share_sum_ += share;
    ++bins_[static_cast<std::size_t>(share * bin_count)];
    ++images_;
    if (share > largest_share_) {
      largest_share_ = share;
      largest_line_ = line;
      largest_size_ = size;
    }
  }
  /// A ratio or a ratio token: there is nothing to crop.
  void add(std::size_t ratio_index) noexcept { ++counts_[ratio_index]; }
  void add_refused() noexcept { ++refused_; }

  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  /// A histogram with bars, and the crop statistics, for people.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Json json() const;
  /// The histogram only.
  [[nodiscard]] std::string csv() const;

 private:
  static constexpr std::size_t bin_count = 10000;  // of a hundredth of a per cent

  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] double median_share() const;
  [[nodiscard]] Table histogram(bool with_empty_rows) const;

  const Model& model_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::uint64_t> bins_;
  std::uint64_t images_ = 0;
  std::uint64_t enlarged_ = 0;
  std::uint64_t refused_ = 0;
  double share_sum_ = 0;
  double largest_share_ = 0;
  std::uint64_t largest_line_ = 0;
  Resolution largest_size_{};
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP
