// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SNAP_BATCH_HPP
#define HUNYUAN_RESO_SNAP_BATCH_HPP

#include "resolution_group.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// What snap_batch writes for a size that has a zero or negative side.
inline constexpr std::uint8_t invalid_ratio_index = 255;

/// Snaps `count` sizes (pixels): ratio_indices[i] is group.nearest_index(widths[i], heights[i]), or
/// invalid_ratio_index where a side is not positive; the rest is unaffected. The output must not overlap the inputs.
template <std::size_t Capacity>
HUNYUAN_RESO_HD constexpr void snap_batch(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                                          const std::int32_t* heights, std::uint8_t* ratio_indices,
                                          std::size_t count) noexcept {
  static_assert(Capacity <= invalid_ratio_index, "8-bit ratio indices need a group of at most 255 rows");
  for (std::size_t i = 0; i < count; ++i) {
    const Resolution size{heights[i], widths[i]};
    ratio_indices[i] = size.is_positive() ? static_cast<std::uint8_t>(group.snap(size)) : invalid_ratio_index;
  }
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SNAP_BATCH_HPP
