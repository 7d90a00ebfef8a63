// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_RESOLUTION_HPP
#define HUNYUAN_RESO_RESOLUTION_HPP

#include "detail/binary64.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// A size in pixels. Height comes first, as in every size that the model family writes (1024x768 is tall).
struct Resolution {
  std::int32_t height = 0;
  std::int32_t width = 0;

  /// For callers that hold (width, height).
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Resolution from_wh(std::int32_t width, std::int32_t height) noexcept {
    return {height, width};
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_positive() const noexcept { return height > 0 && width > 0; }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t pixel_count() const noexcept {
    return std::int64_t{height} * width;
  }

  /// height / width correctly rounded to binary64 under any compiler flags; 0 unless both sides are positive.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr double ratio() const noexcept {
    return is_positive() ? detail::to_double(binary64_ratio()) : 0.0;
  }

  /// The same number in integers, for exact decisions; zero unless both sides are positive.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr detail::Binary64 binary64_ratio() const noexcept {
    if (!is_positive()) return {};
    return detail::divide(static_cast<std::uint64_t>(height), static_cast<std::uint64_t>(width));
  }

  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator==(const Resolution& a, const Resolution& b) noexcept {
    return a.height == b.height && a.width == b.width;
  }
  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator!=(const Resolution& a, const Resolution& b) noexcept {
    return !(a == b);
  }
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_RESOLUTION_HPP
