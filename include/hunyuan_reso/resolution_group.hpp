// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_RESOLUTION_GROUP_HPP
#define HUNYUAN_RESO_RESOLUTION_GROUP_HPP

#include "detail/threshold.hpp"
#include "group_spec.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What get_base_size_and_ratio_index returns, in upstream's order.
struct BaseSizeAndRatioIndex {
  std::int32_t base_size = 0;
  std::size_t ratio_index = 0;
};

/// Where the snapped row changes: sizes whose height / width is at most that of `last` go to row `lower`, the next
/// ones up go to row `upper`. `last` is the largest such ratio with both sides in 1 .. 2^31 - 1.
struct SnapThreshold {
  Resolution last{};
  std::size_t lower = 0;
  std::size_t upper = 0;
};

/// A list of rows, people's "buckets" (height, width); the row number is the ratio index, and <img_ratio_i> names row
/// i. Capacity: most rows it can hold, at most 65535. Trivially copyable, no allocation; the same at compile time, at
/// run time and in device code (pass it by value). A group without rows, which an unchecked, refused Result gives,
/// snaps every size to index 0 and to 0x0.
template <std::size_t Capacity>
class BasicResolutionGroup {
  static_assert(Capacity >= 1 && Capacity <= 65535, "Capacity must be in 1 .. 65535");

 public:
  /// The published rule: the square; arms from it to 2:1 and 1:2 by `step`, cut down to multiples of `align`, in
  /// ascending order of height / width; then the extra rows in their own order, those left out whose ratio is there
  /// already. An error's position() is the number of the extra row at fault.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicResolutionGroup> create(const GroupSpec& spec) noexcept {
    if (spec.check() != Errc::none) return spec.check();
    BasicResolutionGroup group;
    group.base_size_ = spec.base_size;
    group.step_ = spec.resolved_step();
    group.align_ = spec.align;
    if (!group.generate_arms()) return Errc::capacity_exceeded;
    for (std::size_t i = 0; i < spec.extras.count; ++i) {
      const Result<Resolution> extra = spec.extra(i);
      if (!extra) return {extra.error(), i};
      if (!group.append_extra(*extra)) return {Errc::capacity_exceeded, i};
    }
    group.build_thresholds();
    return group;
  }

  /// A list of one's own, row i of it with the ratio index i, in any order; of rows that are equally near the first one
  /// wins, as in a published group. base_size(), step() and align() are 0. Errc::no_rows for an empty list,
  /// Errc::capacity_exceeded, Errc::side_not_positive with the number of the row.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicResolutionGroup> from_rows(const Resolution* rows,
                                                                                        std::size_t count) noexcept {
    if (count == 0) return Errc::no_rows;
    if (count > Capacity) return {Errc::capacity_exceeded, Capacity};
    BasicResolutionGroup group;
    for (std::size_t i = 0; i < count; ++i) {
      if (!rows[i].is_positive()) return {Errc::side_not_positive, i};
      group.append(rows[i]);
      group.sort_in(group.place_after_equals(rows[i]));
    }
    group.build_thresholds();
    return group;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::size_t capacity() noexcept { return Capacity; }
  /// Row `ratio_index`; 0x0 past the end.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution operator[](std::size_t ratio_index) const noexcept {
    return ratio_index < size_ ? rows_[ratio_index] : Resolution{};
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const Resolution* begin() const noexcept { return rows_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const Resolution* end() const noexcept { return rows_ + size_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t base_size() const noexcept { return base_size_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t step() const noexcept { return step_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t align() const noexcept { return align_; }

  /// The ratio index for a size: the first row whose binary64 ratio is nearest to height / width in binary64, exactly
  /// as upstream decides. Sides must be positive (any other size gives some valid row). Integer arithmetic only, so
  /// free of compiler flags.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t snap(Resolution size) const noexcept {
    return nearest_index(size.width, size.height);
  }
  /// The row nearest to the requested size. Upstream's name and upstream's order of arguments: (width, height).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution get_target_size(std::int32_t width,
                                                                     std::int32_t height) const noexcept {
    return rows_[nearest_index(width, height)];
  }
  /// Upstream's name and upstream's order of arguments: (width, height).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr BaseSizeAndRatioIndex get_base_size_and_ratio_index(
      std::int32_t width, std::int32_t height) const noexcept {
    return {base_size_, nearest_index(width, height)};
  }

  /// Number of places, along ascending height / width, where the snapped row changes.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t threshold_count() const noexcept {
    return distinct_ == 0 ? 0 : distinct_ - 1;
  }
  /// Threshold k in ascending order of ratio; precondition: k < threshold_count().
  [[nodiscard]] HUNYUAN_RESO_HD constexpr SnapThreshold threshold(std::size_t k) const noexcept {
    if (k >= threshold_count()) return {};
    return {{static_cast<std::int32_t>(last_[k].numerator), static_cast<std::int32_t>(last_[k].denominator)},
            order_[k],
            order_[k + 1]};
  }
  /// Where threshold k lies: the height / (height + width) of its `last`, in 65536ths, rounded down. 0 past the end.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::uint16_t threshold_place(std::size_t k) const noexcept {
    return k < threshold_count() ? place_[k] : std::uint16_t{0};
  }
  /// Whether thresholds decide every size. False only where two rows' ratios differ by 2^-22 or less (no published
  /// group): then rounding can tie rows that are not neighbours, and snapping scans all rows as upstream does.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool separable() const noexcept { return separable_; }

 private:
  using Index = std::uint16_t;
  static constexpr std::size_t padded_slots = detail::power_of_four_from(Capacity);
  static constexpr std::uint32_t places = 65536;
  static constexpr std::uint32_t guide_cells = 256;
  static constexpr std::uint32_t largest_guided_side = (std::uint32_t{1} << 23) - 1;  // 256 * side fits 32 bits

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t nearest_index(std::int32_t width,
                                                                    std::int32_t height) const noexcept {
    if (!separable_) return nearest_by_definition({height, width});
    const auto w = static_cast<std::uint32_t>(width);
    const auto h = static_cast<std::uint32_t>(height);
    if ((h | w) - 1 < largest_guided_side) {
      const std::size_t position = guide_[h * guide_cells / (h + w)];
      if (!is_above(w, h, position + 1)) return order_[position + std::size_t{is_above(w, h, position)}];
    }
    return order_[search(w, h)];
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_above(std::uint32_t width, std::uint32_t height,
                                                        std::size_t k) const noexcept {
    return std::uint64_t{height} * last_[k].denominator > std::uint64_t{width} * last_[k].numerator;
  }

  /// Number of thresholds that the size has passed, among all of them. Four ways at a time: the three comparisons of
  /// a level do not wait for one another.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t search(std::uint32_t width, std::uint32_t height) const noexcept {
    std::size_t position = 0;
    for (std::size_t quarter = padded_slots / 4; quarter != 0; quarter /= 4) {
      const std::size_t passed = std::size_t{is_above(width, height, position + quarter - 1)} +
                                 std::size_t{is_above(width, height, position + 2 * quarter - 1)} +
                                 std::size_t{is_above(width, height, position + 3 * quarter - 1)};
      position += passed * quarter;
    }
    return position;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution aligned(std::int64_t height, std::int64_t width) const noexcept {
    return {static_cast<std::int32_t>(height / align_ * align_), static_cast<std::int32_t>(width / align_ * align_)};
  }

  HUNYUAN_RESO_HD constexpr bool append(Resolution row) noexcept {
    if (size_ == Capacity) return false;
    rows_[size_++] = row;
    return true;
  }

  /// Both arms and the square, in ascending order of height / width; false when they do not fit.
  /// Along an arm a row differs from the one before in its ratio or not at all, so that reversing the wide arm is
  /// upstream's stable sort.
  HUNYUAN_RESO_HD constexpr bool generate_arms() noexcept {
    const std::int64_t longest = std::int64_t{2} * base_size_;
    const std::int64_t shortest = base_size_ / 2;
    for (std::int64_t longer = base_size_, shorter = base_size_; longer < longest || shorter > shortest;) {
      longer = longer + step_ < longest ? longer + step_ : longest;
      shorter = shorter - step_ > shortest ? shorter - step_ : shortest;
      if (!append(aligned(shorter, longer))) return false;
    }
    const std::size_t arm = size_;
    if (arm > (Capacity - 1) / 2) return false;
    for (std::size_t i = 0; i < arm / 2; ++i) {
      const Resolution row = rows_[i];
      rows_[i] = rows_[arm - 1 - i];
      rows_[arm - 1 - i] = row;
    }
    append({base_size_, base_size_});
    for (std::size_t i = 0; i < arm; ++i) append({rows_[arm - 1 - i].width, rows_[arm - 1 - i].height});
    for (std::size_t i = 0; i < size_; ++i) order_[i] = static_cast<Index>(i);
    distinct_ = size_;
    return true;
  }

  /// Whether a's height / width is below b's, exactly.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr bool is_wider(Resolution a, Resolution b) noexcept {
    return std::int64_t{a.height} * b.width < std::int64_t{b.height} * a.width;
  }
  /// Whether both have the same ratio as binary64 numbers.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr bool has_same_ratio(Resolution a, Resolution b) noexcept {
    return a.binary64_ratio() == b.binary64_ratio();
  }

  /// Appends a row unless its ratio is there already, and sorts its index in; false when it does not fit.
  HUNYUAN_RESO_HD constexpr bool append_extra(Resolution row) noexcept {
    std::size_t place = 0;
    while (place < distinct_ && is_wider(rows_[order_[place]], row)) ++place;
    const bool known = (place < distinct_ && has_same_ratio(rows_[order_[place]], row)) ||
                       (place > 0 && has_same_ratio(rows_[order_[place - 1]], row));
    if (known) return true;
    if (!append(row)) return false;
    sort_in(place);
    return true;
  }

  /// The place in the order behind all rows whose binary64 ratio is at most the row's. Binary search.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t place_after_equals(Resolution row) const noexcept {
    const detail::Binary64 ratio = row.binary64_ratio();
    std::size_t place = 0;
    for (std::size_t stop = distinct_; place < stop;) {
      const std::size_t middle = place + (stop - place) / 2;
      if (ratio < rows_[order_[middle]].binary64_ratio()) {
        stop = middle;
      } else {
        place = middle + 1;
      }
    }
    return place;
  }

  /// Puts the row that was appended last at a place of the order.
  HUNYUAN_RESO_HD constexpr void sort_in(std::size_t place) noexcept {
    for (std::size_t i = distinct_; i > place; --i) order_[i] = order_[i - 1];
    order_[place] = static_cast<Index>(size_ - 1);
    ++distinct_;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr detail::RowRatio row_ratio(std::size_t position) const noexcept {
    const Resolution row = rows_[order_[position]];
    return {row.height, row.width, row.binary64_ratio()};
  }

  HUNYUAN_RESO_HD constexpr void build_thresholds() noexcept {
    std::size_t kept = 1;
    detail::RowRatio lower = row_ratio(0);
    for (std::size_t i = 1; i < distinct_; ++i) {
      const detail::RowRatio upper = row_ratio(i);
      if (upper.ratio == lower.ratio) continue;  // the same row twice: the first one always wins
      if (detail::distance(lower.ratio, upper.ratio) < detail::smallest_separable_gap()) separable_ = false;
      last_[kept - 1] = detail::last_fraction_below(lower, upper, order_[kept - 1] < order_[i]);
      order_[kept++] = order_[i];
      lower = upper;
    }
    distinct_ = kept;
    build_guide();
  }

  /// A size h / w = cell / (guide_cells - cell) has passed threshold p / q when cell * (p + q) > guide_cells * p.
  HUNYUAN_RESO_HD constexpr void build_guide() noexcept {
    std::uint32_t cell = 0;
    for (std::size_t k = 0; k < threshold_count(); ++k) {
      const std::uint64_t p = last_[k].numerator;
      place_[k] = static_cast<std::uint16_t>(places * p / (p + last_[k].denominator));
      const std::uint32_t last_cell = place_[k] / (places / guide_cells);
      for (; cell <= last_cell; ++cell) guide_[cell] = static_cast<Index>(k);
    }
    for (; cell <= guide_cells; ++cell) guide_[cell] = static_cast<Index>(threshold_count());
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t nearest_by_definition(Resolution size) const noexcept {
    const detail::Binary64 ratio = size.binary64_ratio();
    std::size_t best = 0;
    detail::Binary64 best_distance = detail::distance(rows_[0].binary64_ratio(), ratio);
    for (std::size_t i = 1; i < size_; ++i) {
      const detail::Binary64 candidate = detail::distance(rows_[i].binary64_ratio(), ratio);
      if (candidate < best_distance) {
        best = i;
        best_distance = candidate;
      }
    }
    return best;
  }

  Resolution rows_[Capacity]{};
  detail::Fraction last_[padded_slots + 1]{};  // of each threshold, ascending; behind them, above every size
  std::uint16_t place_[Capacity]{};            // of each threshold, see threshold_place
  Index order_[Capacity]{};                    // row numbers by ascending ratio, rows of one ratio once
  Index guide_[guide_cells + 1]{};             // thresholds passed by the least height / (height + width) of a cell
  std::size_t size_ = 0;
  std::size_t distinct_ = 0;
  std::int32_t base_size_ = 0;
  std::int32_t step_ = 0;
  std::int32_t align_ = 0;
  bool separable_ = true;
};

/// The type of the published groups.
using ResolutionGroup = BasicResolutionGroup<published_group_capacity>;

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_RESOLUTION_GROUP_HPP
