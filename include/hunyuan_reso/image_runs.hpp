// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_IMAGE_RUNS_HPP
#define HUNYUAN_RESO_IMAGE_RUNS_HPP

#include "detail/config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// Positions start .. stop - 1 of a token sequence.
struct Slice {
  std::int32_t start = 0;
  std::int32_t stop = 0;

  /// Negative for a slice that ends before it starts; -2^31 + 1 .. 2^31 - 1.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t length() const noexcept {
    const std::int64_t difference = std::int64_t{stop} - start;
    if (difference > max_side) return max_side;
    return difference < -max_side ? -max_side : static_cast<std::int32_t>(difference);
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool contains(std::int32_t position) const noexcept {
    return position >= start && position < stop;
  }

  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator==(const Slice& a, const Slice& b) noexcept {
    return a.start == b.start && a.stop == b.stop;
  }
  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator!=(const Slice& a, const Slice& b) noexcept {
    return !(a == b);
  }
};

/// What a run of <img> tokens stands for.
enum class ImageRunKind : std::uint8_t { generated, vae, vit };

/// A run of <img> tokens in a sequence. The grid of a ViT run is the true one: the slots after it are padding.
struct ImageRun {
  Slice slice{};
  ImageRunKind kind = ImageRunKind::generated;
  bool in_joint_block = false;    ///< part of a VAE + ViT block, the VAE run first
  std::int32_t token_height = 0;  ///< 0: unknown, where ids were read that do not tell it
  std::int32_t token_width = 0;
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_IMAGE_RUNS_HPP
