// SPDX-License-Identifier: MIT
// Many sizes at once: the one function here that is compiled for speed, with vectors.
#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include "host.hpp"

namespace hr = hunyuan_reso;

/// snap_batch: writes `count` ratio indices; 255 where a side is below 1.
HUNYUAN_RESO_EXPORT(snap_batch)
std::int32_t hunyuan_reso_snap_batch(std::int32_t profile, std::int32_t base_size, std::int32_t scaled,
                                     const std::int32_t* widths, const std::int32_t* heights, std::uint8_t* out,
                                     std::size_t count) {
  const hr::Result<hr::ResolutionGroup> group = hr::make_group(
      *hr::profiles::all[profile], base_size, scaled != 0 ? hr::ExtraScaling::scaled : hr::ExtraScaling::absolute);
  if (!group) return -static_cast<std::int32_t>(group.error());
  hr::snap_batch(*group, widths, heights, out, count);
  return 0;
}
