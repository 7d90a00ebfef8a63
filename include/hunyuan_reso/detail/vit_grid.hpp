// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_VIT_GRID_HPP
#define HUNYUAN_RESO_DETAIL_VIT_GRID_HPP

#include "../resolution.hpp"
#include "../result.hpp"
#include "binary64.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// Patches along a side at a scale: ceil(scale * side / patch), one at least.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t patches_along(const Binary64& scale, std::int32_t side,
                                                                   std::int32_t patch) noexcept {
  const Binary64 scaled = multiply(scale, static_cast<std::uint64_t>(side));
  const std::int64_t patches = round_up(divide(scaled, static_cast<std::uint64_t>(patch)));
  return patches < 1 ? 1 : patches;
}

/// The ViT's grid (rows, columns) of an image as the vision tower's published preprocessing finds it: by bisection on
/// binary64 scales, done in integers here. At most `most` patches of `patch` pixels a side; small images grow.
/// Errc::side_not_positive; Errc::vit_grid_exceeds_slots where even the smallest scale, 1e-6, has more patches.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<Resolution> vit_grid(Resolution image, std::int32_t patch,
                                                                    std::int32_t most) noexcept {
  if (!image.is_positive() || patch < 1) return Errc::side_not_positive;
  const Binary64 precision{0x14F8B588E368F1, -69};  // 1e-5
  Binary64 low{0x10C6F7A0B5ED8E, -72};              // 1e-5 / 10
  Binary64 high{0x19000000000000, -46};             // 100
  while (!(distance(high, low) < precision)) {
    Binary64 scale = add(low, high);
    --scale.exponent;
    const std::int64_t rows = patches_along(scale, image.height, patch);
    const std::int64_t columns = patches_along(scale, image.width, patch);
    if (rows <= most / columns) {
      low = scale;
    } else {
      high = scale;
    }
  }
  const std::int64_t rows = patches_along(low, image.height, patch);
  const std::int64_t columns = patches_along(low, image.width, patch);
  if (rows > most / columns) return Errc::vit_grid_exceeds_slots;
  return Resolution{static_cast<std::int32_t>(rows), static_cast<std::int32_t>(columns)};
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_VIT_GRID_HPP
