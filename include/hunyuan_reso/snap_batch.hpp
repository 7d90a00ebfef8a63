// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SNAP_BATCH_HPP
#define HUNYUAN_RESO_SNAP_BATCH_HPP

#include <cstring>  // memcpy

#include "resolution_group.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// What snap_batch writes for a size that has a zero or negative side.
inline constexpr std::uint8_t invalid_ratio_index = 255;

/// One element of snap_batch, for kernels: the ratio index, or invalid_ratio_index where a side is not positive.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint8_t snap_or_invalid(const BasicResolutionGroup<Capacity>& group,
                                                                     std::int32_t width, std::int32_t height) noexcept {
  static_assert(Capacity <= invalid_ratio_index, "8-bit ratio indices need a group of at most 255 rows");
  return width > 0 && height > 0 ? static_cast<std::uint8_t>(group.nearest_index(width, height)) : invalid_ratio_index;
}

namespace detail {

/// Snapping by table for many sizes. height / (height + width) is cut into cells; a cell that no threshold comes near
/// has one answer for all its sizes, the others are left to the exact test. Which cell a size falls into is computed in
/// binary32, so that the compiler can do it in vectors; `margin` is a hundred times the error of that, -ffast-math's
/// reciprocals included, so no rounding decides an answer.
class SnapCells {
 public:
  static constexpr std::int32_t cells = 4096;
  static constexpr std::uint8_t undecided = 255;
  static constexpr std::size_t most_rows = 128;  // only `undecided` has the top bit

  template <std::size_t Capacity>
  explicit constexpr SnapCells(const BasicResolutionGroup<Capacity>& group) noexcept {
    std::size_t cell = 0;
    for (std::size_t k = 0; k < group.threshold_count(); ++k) {
      const SnapThreshold threshold = group.threshold(k);
      const auto height = static_cast<std::uint64_t>(threshold.last.height);
      const std::uint64_t sum = height + static_cast<std::uint64_t>(threshold.last.width);
      const std::uint64_t place = height * (cells * parts) / sum;  // of the threshold, in parts of a cell
      cell = fill(cell, (place > margin ? place - margin : 0) / parts, static_cast<std::uint8_t>(threshold.lower));
      cell = fill(cell, (place + margin) / parts + 1, undecided);
    }
    const std::size_t count = group.threshold_count();
    const std::size_t top = count == 0 ? group.nearest_index(1, 1) : group.threshold(count - 1).upper;
    cell = fill(cell, cells, static_cast<std::uint8_t>(top));
    for (; cell < sizeof rows_; ++cell) rows_[cell] = undecided;
  }

  [[nodiscard]] constexpr std::uint8_t operator[](std::int32_t cell) const noexcept { return rows_[cell]; }

  /// The cell of a size; an undecided one for a size with a side that is not positive. With conditions in place of the
  /// masks GCC would not make vectors of the loop over it.
  [[nodiscard]] static constexpr std::int32_t cell_of(std::int32_t width, std::int32_t height) noexcept {
    const auto w = static_cast<std::uint32_t>(width);
    const auto h = static_cast<std::uint32_t>(height);
    const std::uint32_t refused = 0U - ((w | (w - 1) | h | (h - 1)) >> 31);  // all ones where a side is below 1
    const auto positive_h = static_cast<float>(static_cast<std::int32_t>((h & ~refused) | (1 & refused)));
    const auto positive_w = static_cast<float>(static_cast<std::int32_t>((w & ~refused) | (1 & refused)));
    const auto cell = static_cast<std::int32_t>(positive_h * static_cast<float>(cells) / (positive_h + positive_w));
    return cell | static_cast<std::int32_t>(cells & refused);
  }

 private:
  static constexpr std::uint64_t parts = 64;
  static constexpr std::uint64_t margin = 16;  // a quarter of a cell; the error is below 2^-9 of one
  static constexpr std::size_t stride = 32;

  /// Fills begin .. end - 1 in whole strides; what goes too far is written again by the next fill.
  constexpr std::size_t fill(std::size_t begin, std::uint64_t end, std::uint8_t value) noexcept {
    const std::size_t stop = end < cells + 1 ? static_cast<std::size_t>(end) : cells + 1;
    for (std::size_t i = begin; i < stop; i += stride) {
      for (std::size_t j = 0; j < stride; ++j) rows_[i + j] = value;
    }
    return stop > begin ? stop : begin;
  }

  // A refused size's cell is `cells` with the bits of a half: cells + cells / 2.
  std::uint8_t rows_[cells + cells / 2 + 1 + stride]{};
};

inline constexpr std::size_t snap_block = 256;

/// Snaps one block of snap_block sizes; the compiler makes vectors of the first loop.
template <std::size_t Capacity>
void snap_one_block(const BasicResolutionGroup<Capacity>& group, const SnapCells& table, const std::int32_t* widths,
                    const std::int32_t* heights, std::uint8_t* ratio_indices) noexcept {
  std::int32_t cells[snap_block];
  for (std::size_t i = 0; i < snap_block; ++i) cells[i] = SnapCells::cell_of(widths[i], heights[i]);
  for (std::size_t i = 0; i < snap_block; i += sizeof(std::uint64_t)) {
    std::uint8_t rows[sizeof(std::uint64_t)];
    for (std::size_t j = 0; j < sizeof rows; ++j) rows[j] = table[cells[i + j]];
    std::uint64_t word = 0;
    std::memcpy(&word, rows, sizeof word);
    if ((word & 0x8080808080808080) != 0) {  // an undecided one among them
      for (std::size_t j = 0; j < sizeof rows; ++j) {
        if (rows[j] == SnapCells::undecided) rows[j] = snap_or_invalid(group, widths[i + j], heights[i + j]);
      }
    }
    std::memcpy(ratio_indices + i, rows, sizeof rows);
  }
}

}  // namespace detail

/// Snaps `count` sizes (pixels): ratio_indices[i] is group.nearest_index(widths[i], heights[i]), or
/// invalid_ratio_index where a side is not positive; the rest is unaffected. The output must not overlap the inputs.
/// No allocation (9 KiB of stack), no state. In kernels use snap_or_invalid.
template <std::size_t Capacity>
constexpr void snap_batch(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                          const std::int32_t* heights, std::uint8_t* ratio_indices, std::size_t count) noexcept {
  constexpr std::size_t worth_a_table = 1024;
  std::size_t begin = 0;
  if (count >= worth_a_table && group.separable() && group.size() <= detail::SnapCells::most_rows) {
    const detail::SnapCells table(group);
    for (; begin + detail::snap_block <= count; begin += detail::snap_block) {
      detail::snap_one_block(group, table, widths + begin, heights + begin, ratio_indices + begin);
    }
  }
  for (std::size_t i = begin; i < count; ++i) ratio_indices[i] = snap_or_invalid(group, widths[i], heights[i]);
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SNAP_BATCH_HPP
