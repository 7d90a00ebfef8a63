// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SNAP_BATCH_HPP
#define HUNYUAN_RESO_SNAP_BATCH_HPP

#include <cstring>  // memcpy, memset

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

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
inline constexpr bool is_big_endian = true;
#else
inline constexpr bool is_big_endian = false;
#endif

/// Snapping by table for many sizes. height / (height + width) is cut into cells. A cell that no threshold comes near
/// has one answer for all its sizes; one with a threshold names it, to be tested exactly. Which cell a size falls into
/// is computed in binary32, so that the compiler can do it in vectors. What that is wrong by, the reciprocals of
/// -ffast-math included, is less than a 256th of a cell, and thresholds keep a 64th away from cells with one answer, so
/// no rounding decides an answer.
class SnapCells {
 public:
  static constexpr std::size_t most_rows = 128;    // so that the top bit tells rows from thresholds
  static constexpr std::uint8_t undecided = 0x80;  // this bit, with the number of the threshold in the others
  static constexpr std::uint8_t unknown = 0xFF;    // several thresholds, or sizes with a side below 1

  template <std::size_t Capacity>
  explicit SnapCells(const BasicResolutionGroup<Capacity>& group) noexcept {
    const std::size_t count = group.threshold_count();
    std::uint32_t begin = 1;  // the first cell that has no entry yet
    for (std::size_t k = 0; k < count; ++k) {
      // In 16ths of a cell: the threshold lies in place .. place + 1, and a 64th of a cell counts as near.
      const std::uint32_t place = group.threshold_place(k);
      const std::uint32_t first = (place == 0 ? 0 : place - 1) / places_of_cell;
      std::uint32_t last = (place + 1) / places_of_cell;  // `first` or the next one
      if (first >= begin) {
        fill(begin, first, static_cast<std::uint8_t>(group.threshold(k).lower));
        rows_[first] = rows_[last] = static_cast<std::uint8_t>(undecided | k);
      } else {  // a cell has another threshold already
        if (last < begin) last = begin - 1;
        for (std::uint32_t cell = first; cell <= last; ++cell) rows_[cell] = unknown;
      }
      begin = last + 1;
    }
    const std::size_t top = count == 0 ? group.nearest_index(1, 1) : group.threshold(count - 1).upper;
    fill(begin, cells - 1, static_cast<std::uint8_t>(top));
    rows_[0] = unknown;
    for (std::uint32_t cell = cells - 1; cell <= cells + 1; ++cell) rows_[cell] = unknown;
  }

  /// The cell of a size; one of those at the ends for a size with a side below 1.
  [[nodiscard]] static std::uint32_t cell_of(std::int32_t width, std::int32_t height) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(place_of(width, height)));
  }

  /// The entries of four cells, in the order of bytes in memory.
  [[nodiscard]] std::uint32_t four(const std::uint32_t* of) const noexcept {
    const std::uint32_t a = rows_[of[0]], b = rows_[of[1]], c = rows_[of[2]], d = rows_[of[3]];
    return is_big_endian ? a << 24 | b << 16 | c << 8 | d : a | b << 8 | c << 16 | d << 24;
  }

  /// The row of a size whose entry does not decide it.
  template <std::size_t Capacity>
  [[nodiscard]] static std::uint8_t decide(const BasicResolutionGroup<Capacity>& group, std::uint8_t entry,
                                           std::int32_t width, std::int32_t height) noexcept {
    if (entry == unknown) return snap_or_invalid(group, width, height);
    const SnapThreshold threshold = group.threshold(entry - std::size_t{undecided});
    const std::int64_t left = std::int64_t{height} * threshold.last.width;
    const bool is_above = left > std::int64_t{width} * threshold.last.height;
    // An array in place of a condition: which side it is cannot be predicted.
    const std::uint8_t rows[2] = {static_cast<std::uint8_t>(threshold.lower),
                                  static_cast<std::uint8_t>(threshold.upper)};
    return rows[is_above ? 1 : 0];
  }

 private:
  static constexpr std::uint32_t cells = 4096;
  static constexpr std::uint32_t stride = 64;
  static constexpr std::uint32_t places_of_cell = 65536 / cells;

  /// Where a size lies, in cells. A side below 1 counts as 0: with conditions on the result in place of those on the
  /// sides, GCC would not make vectors of it.
  [[nodiscard]] static float place_of(std::int32_t width, std::int32_t height) noexcept {
    constexpr float least = 1.0F / 1099511627776.0F;  // vanishes in every sum but 0 + 0
    const auto w = static_cast<float>(width > 0 ? width : 0);
    const auto h = static_cast<float>(height > 0 ? height : 0);
    return h * static_cast<float>(cells) / (h + w + least);
  }

  /// Fills begin .. end - 1 in whole strides, one at least; what goes too far is written again later.
  void fill(std::uint32_t begin, std::uint32_t end, std::uint8_t entry) noexcept {
    do {
      std::memset(rows_ + begin, entry, stride);
      begin += stride;
    } while (begin < end);
  }

  std::uint8_t rows_[cells + 2 * stride];  // entries, and room for a fill that goes too far
};

inline constexpr std::size_t snap_block = 256;

/// Snaps one block of snap_block sizes. The compiler makes vectors of the first loop. What the table leaves open is
/// listed first and decided afterwards, so that the processor need not guess where that happens.
template <std::size_t Capacity>
void snap_one_block(const BasicResolutionGroup<Capacity>& group, const SnapCells& table, const std::int32_t* widths,
                    const std::int32_t* heights, std::uint8_t* ratio_indices) noexcept {
  std::uint32_t cells[snap_block];
  for (std::size_t i = 0; i < snap_block; ++i) cells[i] = SnapCells::cell_of(widths[i], heights[i]);
  std::size_t open[snap_block / 8];  // eights of sizes
  std::size_t open_count = 0;
  for (std::size_t i = 0; i < snap_block; i += 8) {
    const std::uint32_t fours[2] = {table.four(cells + i), table.four(cells + i + 4)};
    std::memcpy(ratio_indices + i, fours, sizeof fours);
    open[open_count] = i;
    open_count += ((fours[0] | fours[1]) & 0x80808080) != 0 ? 1 : 0;
  }
  for (std::size_t k = 0; k < open_count; ++k) {
    for (std::size_t i = open[k]; i < open[k] + 8; ++i) {
      const std::uint8_t entry = ratio_indices[i];
      if (entry >= SnapCells::undecided) ratio_indices[i] = SnapCells::decide(group, entry, widths[i], heights[i]);
    }
  }
}

/// Whether a batch is worth the table, and the table can hold the group.
template <std::size_t Capacity>
[[nodiscard]] constexpr bool snaps_by_table(const BasicResolutionGroup<Capacity>& group, std::size_t count) noexcept {
  return count >= snap_block && group.separable() && group.size() <= SnapCells::most_rows;
}

/// snap_batch for at least snap_block sizes. The last block overlaps the one before.
template <std::size_t Capacity>
void snap_by_table(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths, const std::int32_t* heights,
                   std::uint8_t* ratio_indices, std::size_t count) noexcept {
  const SnapCells table(group);
  for (std::size_t begin = 0; begin < count; begin += snap_block) {
    const std::size_t i = begin + snap_block <= count ? begin : count - snap_block;
    snap_one_block(group, table, widths + i, heights + i, ratio_indices + i);
  }
}

/// Counts the rows of whole blocks; returns how many sizes that were. Equal rows in a row would wait for one another's
/// counter, so neighbours count apart.
template <std::size_t Capacity>
std::size_t count_by_table(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                           const std::int32_t* heights, std::size_t count, std::uint64_t* counts) noexcept {
  constexpr std::size_t ways = 4;
  const SnapCells table(group);
  std::uint64_t apart[ways][invalid_ratio_index + 1] = {};
  std::size_t begin = 0;
  for (; begin + snap_block <= count; begin += snap_block) {
    std::uint8_t rows[snap_block];
    snap_one_block(group, table, widths + begin, heights + begin, rows);
    for (std::size_t i = 0; i < snap_block; i += ways) {
      ++apart[0][rows[i]];
      ++apart[1][rows[i + 1]];
      ++apart[2][rows[i + 2]];
      ++apart[3][rows[i + 3]];
    }
  }
  for (const auto& way : apart) {
    for (std::size_t row = 0; row <= invalid_ratio_index; ++row) counts[row] += way[row];
  }
  return begin;
}

}  // namespace detail

/// Snaps `count` sizes (pixels): ratio_indices[i] is group.nearest_index(widths[i], heights[i]), or
/// invalid_ratio_index where a side is not positive; the rest is unaffected. The output must not overlap the inputs.
/// No allocation (6 KiB of stack), no state. In constant expressions: up to 255 sizes. In kernels use snap_or_invalid.
template <std::size_t Capacity>
constexpr void snap_batch(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                          const std::int32_t* heights, std::uint8_t* ratio_indices, std::size_t count) noexcept {
  if (detail::snaps_by_table(group, count)) return detail::snap_by_table(group, widths, heights, ratio_indices, count);
  for (std::size_t i = 0; i < count; ++i) ratio_indices[i] = snap_or_invalid(group, widths[i], heights[i]);
}

/// How many sizes of a data set go to each row.
template <std::size_t Capacity>
struct SnapHistogram {
  std::uint64_t counts[Capacity]{};  ///< by ratio index
  std::uint64_t invalid = 0;         ///< sizes with a side that is not positive

  /// Joins the histogram of another part of the data set.
  constexpr void add(const SnapHistogram& other) noexcept {
    for (std::size_t row = 0; row < Capacity; ++row) counts[row] += other.counts[row];
    invalid += other.invalid;
  }
  /// Sizes in all.
  [[nodiscard]] constexpr std::uint64_t total() const noexcept {
    std::uint64_t sum = invalid;
    for (const std::uint64_t part : counts) sum += part;
    return sum;
  }
};

/// The histogram of what snap_batch would write, without the array. No allocation (15 KiB of stack), no state. In
/// constant expressions: up to 255 sizes.
template <std::size_t Capacity>
[[nodiscard]] constexpr SnapHistogram<Capacity> snap_histogram(const BasicResolutionGroup<Capacity>& group,
                                                               const std::int32_t* widths, const std::int32_t* heights,
                                                               std::size_t count) noexcept {
  std::uint64_t counts[invalid_ratio_index + 1] = {};
  const bool by_table = detail::snaps_by_table(group, count);
  std::size_t i = by_table ? detail::count_by_table(group, widths, heights, count, counts) : 0;
  for (; i < count; ++i) ++counts[snap_or_invalid(group, widths[i], heights[i])];
  SnapHistogram<Capacity> histogram;
  for (std::size_t row = 0; row < Capacity; ++row) histogram.counts[row] = counts[row];
  histogram.invalid = counts[invalid_ratio_index];
  return histogram;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SNAP_BATCH_HPP
