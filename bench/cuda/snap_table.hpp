// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_BENCH_CUDA_SNAP_TABLE_HPP
#define HUNYUAN_RESO_BENCH_CUDA_SNAP_TABLE_HPP

#include <hunyuan_reso/resolution_group.hpp>

namespace hunyuan_reso_bench {

/// A group as a kernel wants it in shared memory. height / (height + width) is cut into cells; an entry is the row of
/// all sizes in the cell, or says which threshold decides, or that even that is open. Cells overlap by `margin` on
/// either side, several times the error of the binary32 arithmetic that picks one, so that no rounding decides.
struct alignas(16) SnapTable {
  static constexpr std::uint32_t cells = 4096;
  static constexpr std::uint8_t undecided = 0x80;  // this bit, with the number of the threshold
  static constexpr std::uint8_t unknown = 0xFF;    // several thresholds, or a side below 1
  static constexpr std::size_t capacity = hunyuan_reso::ResolutionGroup::capacity();

  std::uint8_t entries[cells + 16];
  std::uint32_t last_height[capacity];  // of each threshold, ascending
  std::uint32_t last_width[capacity];
  std::uint8_t row[capacity];  // of the sizes that have passed so many thresholds
  std::uint32_t threshold_count;
  std::uint32_t unused[3];
};
static_assert(sizeof(SnapTable) % 16 == 0);

/// For groups whose thresholds decide every size (BasicResolutionGroup::separable).
inline SnapTable make_snap_table(const hunyuan_reso::ResolutionGroup& group) {
  constexpr std::int32_t parts = 64;  // of a cell
  constexpr std::int32_t margin = 1;
  constexpr auto whole = static_cast<std::int32_t>(SnapTable::cells) * parts;
  SnapTable table{};
  table.threshold_count = static_cast<std::uint32_t>(group.threshold_count());
  table.row[0] = static_cast<std::uint8_t>(group.nearest_index(hunyuan_reso::max_side, 1));
  for (std::size_t k = 0; k < group.threshold_count(); ++k) {
    const hunyuan_reso::SnapThreshold threshold = group.threshold(k);
    table.last_height[k] = static_cast<std::uint32_t>(threshold.last.height);
    table.last_width[k] = static_cast<std::uint32_t>(threshold.last.width);
    table.row[k + 1] = static_cast<std::uint8_t>(threshold.upper);
  }
  for (std::uint8_t& entry : table.entries) entry = SnapTable::unknown;
  // The first cell and the last ones stay unknown: sizes with a side below 1 fall there.
  for (std::int32_t cell = 1; cell + 1 < static_cast<std::int32_t>(SnapTable::cells); ++cell) {
    const std::int32_t low = cell * parts - margin;
    const std::int32_t high = (cell + 1) * parts + margin;
    const std::size_t first = group.nearest_index(whole - low, low);
    const std::size_t last = group.nearest_index(whole - high, high);
    if (first == last) table.entries[cell] = static_cast<std::uint8_t>(first);
    for (std::size_t k = 0; k < group.threshold_count(); ++k) {
      if (table.row[k] == first && table.row[k + 1] == last) {
        table.entries[cell] = static_cast<std::uint8_t>(SnapTable::undecided | k);
      }
    }
  }
  return table;
}

}  // namespace hunyuan_reso_bench

#endif  // HUNYUAN_RESO_BENCH_CUDA_SNAP_TABLE_HPP
