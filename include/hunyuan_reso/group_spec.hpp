// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_GROUP_SPEC_HPP
#define HUNYUAN_RESO_GROUP_SPEC_HPP

#include "resolution.hpp"
#include "result.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// Rows that ResolutionGroup, the type of the published groups, has room for: 33 to 38 of them, and some extras.
inline constexpr std::size_t published_group_capacity = 64;

/// Extra rows of a group, appended after the generated ones in this order.
struct ExtraRows {
  static constexpr std::size_t capacity = 32;

  Resolution rows[capacity]{};
  std::size_t count = 0;  ///< more than `capacity` after too many appends: the group then refuses with too_many_extras

  /// How many it holds: `count`, but no more than `capacity`.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept {
    return count < capacity ? count : capacity;
  }
  HUNYUAN_RESO_HD constexpr void append(Resolution row) noexcept {
    if (count < capacity) rows[count] = row;
    if (count <= capacity) ++count;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool contains(Resolution row) const noexcept {
    for (std::size_t i = 0; i < size(); ++i) {
      if (rows[i] == row) return true;
    }
    return false;
  }
};

/// What happens to extra rows, which are published for the trained base size (1024), at another base size.
enum class ExtraScaling : std::uint8_t {
  absolute,  ///< they stay as they are (upstream)
  scaled,    ///< each side times base_size / extras_base_size, rounded to the nearest multiple of align, halves up
};

/// Parameters of a resolution group; all sizes in pixels.
struct GroupSpec {
  std::int32_t base_size = 1024;
  std::int32_t step = 0;  ///< 0 means base_size / 16
  std::int32_t align = 16;
  ExtraRows extras{};
  ExtraScaling extra_scaling = ExtraScaling::absolute;
  std::int32_t extras_base_size = 1024;  ///< the base size that the extra rows are meant for

  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_base_size(std::int32_t value) const noexcept {
    GroupSpec spec = *this;
    spec.base_size = value;
    return spec;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_step(std::int32_t value) const noexcept {
    GroupSpec spec = *this;
    spec.step = value;
    return spec;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_align(std::int32_t value) const noexcept {
    GroupSpec spec = *this;
    spec.align = value;
    return spec;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_extras(const ExtraRows& value) const noexcept {
    GroupSpec spec = *this;
    spec.extras = value;
    return spec;
  }
  /// Appends one extra row.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_extra(Resolution row) const noexcept {
    GroupSpec spec = *this;
    spec.extras.append(row);
    return spec;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec with_extra_scaling(ExtraScaling value) const noexcept {
    GroupSpec spec = *this;
    spec.extra_scaling = value;
    return spec;
  }

  /// The step in force.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t resolved_step() const noexcept {
    return step == 0 ? base_size / 16 : step;
  }

  /// Errc::none when the base size, step and alignment make a group.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Errc check() const noexcept {
    if (base_size <= 0) return Errc::base_size_not_positive;
    if (base_size > max_side / 2) return Errc::base_size_too_large;
    if (align <= 0) return Errc::align_not_positive;
    if (base_size % align != 0) return Errc::base_size_not_aligned;
    if (resolved_step() > base_size / 2) return Errc::step_too_large;
    if (resolved_step() < align) return Errc::step_smaller_than_align;
    return extras.count > ExtraRows::capacity ? Errc::too_many_extras : Errc::none;
  }

  /// Extra row i as it enters the group: scaled and rounded if the spec says so.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<Resolution> extra(std::size_t i) const noexcept {
    if (i >= extras.size()) return {Errc::too_many_extras, i};
    const Resolution row = extras.rows[i];
    if (!row.is_positive()) return {Errc::extra_not_positive, i};
    if (extra_scaling == ExtraScaling::absolute) return row;
    if (extras_base_size <= 0) return {Errc::base_size_not_positive, i};
    const std::int64_t height = scaled_side(row.height);
    const std::int64_t width = scaled_side(row.width);
    if (height > max_side || width > max_side) return {Errc::extra_too_large, i};
    if (height == 0 || width == 0) return {Errc::extra_not_positive, i};
    return Resolution{static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)};
  }

 private:
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t scaled_side(std::int32_t side) const noexcept {
    const std::int64_t unit = std::int64_t{extras_base_size} * align;
    return (std::int64_t{side} * base_size + unit / 2) / unit * align;
  }
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_GROUP_SPEC_HPP
