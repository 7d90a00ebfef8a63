// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_SNAP_BATCH_HPP
#define HUNYUAN_RESO_SNAP_BATCH_HPP

#include <cstring>  // memcpy, memset

#include "resolution_group.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What snap_batch writes in place of a ratio index for a size with a side below 1. Only its output holds it.
inline constexpr std::uint8_t snap_refused = 255;

namespace detail {

#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
inline constexpr bool is_big_endian = true;
#else
inline constexpr bool is_big_endian = false;
#endif

/// The number whose bytes lie in memory in the order a, b, c, d.
[[nodiscard]] constexpr std::uint32_t bytes_in_order(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d,
                                                     bool big_endian = is_big_endian) noexcept {
  return big_endian ? a << 24 | b << 16 | c << 8 | d : a | b << 8 | c << 16 | d << 24;
}

/// A quotient for which a relative error of 2^-20 is small enough.
[[nodiscard]] HUNYUAN_RESO_HD constexpr float rough_quotient(float a, float b) noexcept {
#if defined(__CUDA_ARCH__)
  if (!__builtin_is_constant_evaluated()) return __fdividef(a, b);
#endif
  return a / b;
}

struct SnapBlocks;

}  // namespace detail

/// A group made ready for many sizes: what snap_batch uses, and what a kernel should copy to shared memory (or take
/// from constant or global memory). height / (height + width) is cut into cells. A cell that no threshold comes near
/// has one answer for all its sizes; one with a threshold names it, to be tested exactly. Which cell a size falls into
/// is found in binary32. What that is wrong by, the reciprocals of -ffast-math and of GPUs included, is less than a
/// 256th of a cell, and thresholds keep a 64th away from cells with one answer, so no rounding decides an answer. A
/// trivial type without pointers: __shared__ and memcpy take it. It is made on the host; one of zeros answers 0.
class alignas(16) SnapTable {
 public:
  static constexpr std::size_t most_rows = 128;  // so that the top bit tells rows from thresholds

  SnapTable() = default;

  /// Errc::too_many_rows over most_rows; Errc::rows_too_close for a group that thresholds do not decide
  /// (BasicResolutionGroup::separable).
  template <std::size_t Capacity>
  [[nodiscard]] static constexpr Result<SnapTable> create(const BasicResolutionGroup<Capacity>& group) noexcept {
    if (group.size() > most_rows) return Errc::too_many_rows;
    if (!group.separable()) return Errc::rows_too_close;
    SnapTable table{};
    table.fill<FillInAnyExpression>(group);
    return table;
  }

  /// What snap_batch writes for a size (pixels): the group's ratio index, or snap_refused.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint8_t snap(Resolution size) const noexcept {
    const std::uint8_t entry = look_up(size);
    return is_open(entry) ? decide(entry, size) : entry;
  }

  // The two halves of `snap`, for code that looks many sizes up first and then decides what is left open.

  /// One look-up and no condition: the answer, or an entry that leaves it open.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint8_t look_up(Resolution size) const noexcept {
    return entries_[cell_of(size.width, size.height)];
  }
  /// Whether an entry is open; of several, joined by |, whether one of them is.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr bool is_open(std::uint8_t entry) noexcept {
    return entry >= undecided;
  }
  /// The answer for a size whose look_up was open.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint8_t decide(std::uint8_t entry, Resolution size) const noexcept {
    if (entry != unknown) return rows_[passes(size, entry - std::size_t{undecided})];
    if (!size.is_positive()) return snap_refused;
    std::size_t passed = 0;
    for (std::size_t stop = threshold_count_; passed < stop;) {
      const std::size_t middle = passed + (stop - passed) / 2;
      if (passes(size, middle) == middle) {
        stop = middle;
      } else {
        passed = middle + 1;
      }
    }
    return rows_[passed];
  }

 private:
  friend struct detail::SnapBlocks;

  static constexpr std::uint8_t undecided = 0x80;  // this bit, with the number of the threshold in the others
  static constexpr std::uint8_t unknown = 0xFF;    // several thresholds, or sizes with a side below 1
  static constexpr std::uint32_t cells = 4096;
  static constexpr std::uint32_t stride = 64;
  static constexpr std::uint32_t places_of_cell = 65536 / cells;

  struct Last {
    std::uint32_t height;
    std::uint32_t width;
  };

  /// The cell of a size; one of those at the ends for a size with a side below 1, which counts as 0: with conditions on
  /// the result in place of those on the sides, GCC would not make vectors of it.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::uint32_t cell_of(std::int32_t width,
                                                                       std::int32_t height) noexcept {
    constexpr float least = 1.0F / 1099511627776.0F;  // vanishes in every sum but 0 + 0
    const auto w = static_cast<float>(width > 0 ? width : 0);
    const auto h = static_cast<float>(height > 0 ? height : 0);
    const float place = detail::rough_quotient(h * static_cast<float>(cells), h + w + least);
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(place));
  }

  /// k + 1 for a positive size that has passed threshold k, else k. A sum, since no condition could be predicted.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t passes(Resolution size, std::size_t k) const noexcept {
    const std::uint64_t left = std::uint64_t{static_cast<std::uint32_t>(size.height)} * last_[k].width;
    const std::uint64_t right = std::uint64_t{static_cast<std::uint32_t>(size.width)} * last_[k].height;
    return k + (left > right ? 1 : 0);
  }

  struct FillInAnyExpression {
    static constexpr void stride_of(std::uint8_t entry, std::uint8_t* to) noexcept {
      for (std::uint32_t i = 0; i < stride; ++i) to[i] = entry;
    }
  };

  /// Writes everything that `snap` reads.
  template <class Fill, std::size_t Capacity>
  constexpr void fill(const BasicResolutionGroup<Capacity>& group) noexcept {
    const std::size_t count = group.threshold_count();
    threshold_count_ = static_cast<std::uint32_t>(count);
    rows_[0] = static_cast<std::uint8_t>(count == 0 ? group.snap({1, 1}) : group.threshold(0).lower);
    for (std::size_t k = 0; k < count; ++k) {  // apart from the bytes below, which could be anything to the compiler
      last_[k].height = static_cast<std::uint32_t>(group.threshold(k).last.height);
      last_[k].width = static_cast<std::uint32_t>(group.threshold(k).last.width);
    }
    std::uint32_t begin = 1;  // the first cell that has no entry yet
    for (std::size_t k = 0; k < count; ++k) {
      rows_[k + 1] = static_cast<std::uint8_t>(group.threshold(k).upper);
      // In 16ths of a cell: the threshold lies in place .. place + 1, and a 64th of a cell counts as near.
      const std::uint32_t place = group.threshold_place(k);
      const std::uint32_t first = (place == 0 ? 0 : place - 1) / places_of_cell;
      std::uint32_t last = (place + 1) / places_of_cell;  // `first` or the next one
      if (first >= begin) {
        fill_cells<Fill>(begin, first, rows_[k]);
        entries_[first] = entries_[last] = static_cast<std::uint8_t>(undecided | k);
      } else {  // a cell has another threshold already
        if (last < begin) last = begin - 1;
        for (std::uint32_t cell = first; cell <= last; ++cell) entries_[cell] = unknown;
      }
      begin = last + 1;
    }
    fill_cells<Fill>(begin, cells - 1, rows_[count]);
    entries_[0] = unknown;
    for (std::uint32_t cell = cells - 1; cell <= cells + 1; ++cell) entries_[cell] = unknown;
  }

  /// Fills begin .. end - 1 in whole strides, one at least; what goes too far is written again later.
  template <class Fill>
  constexpr void fill_cells(std::uint32_t begin, std::uint32_t end, std::uint8_t entry) noexcept {
    do {
      Fill::stride_of(entry, entries_ + begin);
      begin += stride;
    } while (begin < end);
  }

  std::uint8_t entries_[cells + 2 * stride];  // and room for a fill that goes too far
  Last last_[most_rows];                      // of each threshold, ascending
  std::uint8_t rows_[most_rows];              // of the sizes that have passed so many thresholds
  std::uint32_t threshold_count_;
};

namespace detail {

/// Snapping in blocks. The compiler makes vectors of a block's first loop. What the table leaves open is listed first
/// and decided afterwards, so that the processor need not guess where that happens.
struct SnapBlocks {
  static constexpr std::size_t length = 256;  // of a block

  /// The entries of four cells, in the order of bytes in memory.
  [[nodiscard]] static std::uint32_t four(const SnapTable& table, const std::uint32_t* cells) noexcept {
    const std::uint8_t* of = table.entries_;
    return bytes_in_order(of[cells[0]], of[cells[1]], of[cells[2]], of[cells[3]]);
  }

  static void snap_one(const SnapTable& table, const std::int32_t* widths, const std::int32_t* heights,
                       std::uint8_t* ratio_indices) noexcept {
    std::uint32_t cells[length];
    for (std::size_t i = 0; i < length; ++i) cells[i] = SnapTable::cell_of(widths[i], heights[i]);
    std::size_t open[length / 8];  // eights of sizes
    std::size_t open_count = 0;
    for (std::size_t i = 0; i < length; i += 8) {
      const std::uint32_t fours[2] = {four(table, cells + i), four(table, cells + i + 4)};
      std::memcpy(ratio_indices + i, fours, sizeof fours);
      open[open_count] = i;
      open_count += ((fours[0] | fours[1]) & 0x80808080) != 0 ? 1 : 0;
    }
    for (std::size_t k = 0; k < open_count; ++k) {
      for (std::size_t i = open[k]; i < open[k] + 8; ++i) {
        const std::uint8_t entry = ratio_indices[i];
        if (SnapTable::is_open(entry)) ratio_indices[i] = table.decide(entry, {heights[i], widths[i]});
      }
    }
  }

  /// For at least `length` sizes. The last block overlaps the one before.
  static void snap_all(const SnapTable& table, const std::int32_t* widths, const std::int32_t* heights,
                       std::uint8_t* ratio_indices, std::size_t count) noexcept {
    for (std::size_t begin = 0; begin < count; begin += length) {
      const std::size_t i = begin + length <= count ? begin : count - length;
      snap_one(table, widths + i, heights + i, ratio_indices + i);
    }
  }

  /// Counts the rows of whole blocks; returns how many sizes that were. Equal rows in a row would wait for one
  /// another's counter, so neighbours count apart.
  static std::size_t count_all(const SnapTable& table, const std::int32_t* widths, const std::int32_t* heights,
                               std::size_t count, std::uint64_t* counts) noexcept {
    constexpr std::size_t ways = 4;
    std::uint64_t apart[ways][snap_refused + 1] = {};
    std::size_t begin = 0;
    for (; begin + length <= count; begin += length) {
      std::uint8_t rows[length];
      snap_one(table, widths + begin, heights + begin, rows);
      for (std::size_t i = 0; i < length; i += ways) {
        ++apart[0][rows[i]];
        ++apart[1][rows[i + 1]];
        ++apart[2][rows[i + 2]];
        ++apart[3][rows[i + 3]];
      }
    }
    for (const auto& way : apart) {
      for (std::size_t row = 0; row <= snap_refused; ++row) counts[row] += way[row];
    }
    return begin;
  }

  /// Whether a batch is worth a table, and the table can hold the group.
  template <std::size_t Capacity>
  [[nodiscard]] static constexpr bool wants_table(const BasicResolutionGroup<Capacity>& group,
                                                  std::size_t count) noexcept {
    return count >= length && group.separable() && group.size() <= SnapTable::most_rows;
  }

  // With a table on the stack; not through SnapTable::create, which clears it first and fills it four times as slowly.

  struct FillAtRunTime {
    static void stride_of(std::uint8_t entry, std::uint8_t* to) noexcept { std::memset(to, entry, SnapTable::stride); }
  };

  template <std::size_t Capacity>
  static void snap_all_with(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                            const std::int32_t* heights, std::uint8_t* ratio_indices, std::size_t count) noexcept {
    SnapTable table;
    table.fill<FillAtRunTime>(group);
    snap_all(table, widths, heights, ratio_indices, count);
  }
  template <std::size_t Capacity>
  static std::size_t count_all_with(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                                    const std::int32_t* heights, std::size_t count, std::uint64_t* counts) noexcept {
    SnapTable table;
    table.fill<FillAtRunTime>(group);
    return count_all(table, widths, heights, count, counts);
  }

  template <std::size_t Capacity>
  [[nodiscard]] static constexpr std::uint8_t snap_without(const BasicResolutionGroup<Capacity>& group,
                                                           Resolution size) noexcept {
    static_assert(Capacity <= snap_refused, "8-bit ratio indices need a group of at most 255 rows");
    return size.is_positive() ? static_cast<std::uint8_t>(group.snap(size)) : snap_refused;
  }
};

}  // namespace detail

/// Snaps `count` sizes (pixels): ratio_indices[i] is group.snap({heights[i], widths[i]}), or snap_refused where a side
/// is below 1; the rest is unaffected. The output must not overlap the inputs. No allocation (7 KiB of stack), no
/// state. In constant expressions: up to 255 sizes. In kernels use SnapTable.
template <std::size_t Capacity>
constexpr void snap_batch(const BasicResolutionGroup<Capacity>& group, const std::int32_t* widths,
                          const std::int32_t* heights, std::uint8_t* ratio_indices, std::size_t count) noexcept {
  using Blocks = detail::SnapBlocks;
  if (Blocks::wants_table(group, count)) return Blocks::snap_all_with(group, widths, heights, ratio_indices, count);
  for (std::size_t i = 0; i < count; ++i) {
    ratio_indices[i] = Blocks::snap_without(group, {heights[i], widths[i]});
  }
}

/// The same with a table that is kept: for batches so short that making one each time would show.
constexpr void snap_batch(const SnapTable& table, const std::int32_t* widths, const std::int32_t* heights,
                          std::uint8_t* ratio_indices, std::size_t count) noexcept {
  if (count >= detail::SnapBlocks::length) {
    return detail::SnapBlocks::snap_all(table, widths, heights, ratio_indices, count);
  }
  for (std::size_t i = 0; i < count; ++i) ratio_indices[i] = table.snap({heights[i], widths[i]});
}

/// How many sizes of a data set go to each row.
template <std::size_t Capacity>
struct SnapHistogram {
  std::uint64_t counts[Capacity]{};  ///< by ratio index
  std::uint64_t refused = 0;         ///< sizes with a side below 1

  /// Joins the histogram of another part of the data set.
  constexpr void add(const SnapHistogram& other) noexcept {
    for (std::size_t row = 0; row < Capacity; ++row) counts[row] += other.counts[row];
    refused += other.refused;
  }
  /// Sizes in all.
  [[nodiscard]] constexpr std::uint64_t total() const noexcept {
    std::uint64_t sum = refused;
    for (const std::uint64_t part : counts) sum += part;
    return sum;
  }
};

/// The histogram of what snap_batch would write, without the array. No allocation (16 KiB of stack), no state. In
/// constant expressions: up to 255 sizes.
template <std::size_t Capacity>
[[nodiscard]] constexpr SnapHistogram<Capacity> snap_histogram(const BasicResolutionGroup<Capacity>& group,
                                                               const std::int32_t* widths, const std::int32_t* heights,
                                                               std::size_t count) noexcept {
  using Blocks = detail::SnapBlocks;
  std::uint64_t counts[snap_refused + 1] = {};
  std::size_t i = Blocks::wants_table(group, count) ? Blocks::count_all_with(group, widths, heights, count, counts) : 0;
  for (; i < count; ++i) ++counts[Blocks::snap_without(group, {heights[i], widths[i]})];
  SnapHistogram<Capacity> histogram;
  for (std::size_t row = 0; row < Capacity; ++row) histogram.counts[row] = counts[row];
  histogram.refused = counts[snap_refused];
  return histogram;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_SNAP_BATCH_HPP
