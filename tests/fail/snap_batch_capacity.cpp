// SPDX-License-Identifier: MIT
// expect: 8-bit ratio indices need a group of at most 255 rows
#include <hunyuan_reso/snap_batch.hpp>

namespace hr = hunyuan_reso;

using Group = hr::BasicResolutionGroup<MUST_NOT_COMPILE ? 256 : 255>;

void snap(const Group& group, const std::int32_t* sides, std::uint8_t* ratio_indices) {
  hr::snap_batch(group, sides, sides, ratio_indices, 1);
}
