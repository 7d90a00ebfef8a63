// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_FILTERS_HPP
#define HUNYUAN_RESO_CLI_SNAP_FILTERS_HPP

#include <array>
#include <cstdint>
#include <string>

#include "snap_buckets.hpp"

namespace hunyuan_reso::cli {

/// Which filter dropped a picture; the first one in this order.
enum class Drop : std::size_t { none, min_side, max_side, min_pixels, max_pixels, max_aspect, no_enlarge, max_crop };
inline constexpr std::size_t drop_count = 8;
/// The option without its dashes: "max-crop".
[[nodiscard]] const char* name_of(Drop drop);

/// The limits in force. They look at pixels: a size that is a ratio or a ratio token passes.
struct FilterLimits {
  bool no_enlarge = false;
  std::int64_t min_side = 0;
  std::int64_t max_side = std::int64_t{1} << 53;
  std::int64_t min_pixels = 0;
  std::int64_t max_pixels = std::int64_t{1} << 62;
  Resolution max_aspect{};                    ///< longer side before shorter one; 0x0: no limit
  double max_crop = 1;                        ///< as a share of 1
  std::array<std::string, drop_count> texts;  ///< the limits as they were given; empty: not given

  [[nodiscard]] bool any() const;
  [[nodiscard]] Drop check(Resolution size, const CropLoss& loss) const noexcept {
    const std::int64_t longer = size.height > size.width ? size.height : size.width;
    const std::int64_t shorter = size.height > size.width ? size.width : size.height;
    if (shorter < min_side) return Drop::min_side;
    if (longer > max_side) return Drop::max_side;
    if (size.pixel_count() < min_pixels) return Drop::min_pixels;
    if (size.pixel_count() > max_pixels) return Drop::max_pixels;
    if (max_aspect.width != 0 && longer * max_aspect.width > shorter * max_aspect.height) return Drop::max_aspect;
    if (no_enlarge && loss.enlarged) return Drop::no_enlarge;
    if (loss.share > max_crop) return Drop::max_crop;
    return Drop::none;
  }
  /// "shorter side 480 < 512"; no commas, so that it stands in CSV as it is.
  [[nodiscard]] std::string reason(Drop drop, Resolution size, const CropLoss& loss) const;
  /// The limits that were given, by option.
  [[nodiscard]] Json json() const;
};

/// The options.
class FilterOptions {
 public:
  void add(CLI::App& app);
  /// Throws UsageError or Refusal.
  [[nodiscard]] FilterLimits resolve() const;

 private:
  bool no_enlarge_ = false;
  NumberOption min_side_, max_side_, min_pixels_, max_pixels_, max_crop_;
  std::string max_aspect_;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_FILTERS_HPP
