// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CROP_HPP
#define HUNYUAN_RESO_CROP_HPP

#include "model.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How a conditioning image is brought to its row: resize so that the row is covered, then cut a window of the row's
/// size out of it. Pixels; 64 bits, since the longer side of a thin image can grow past 2^31.
struct ResizeCrop {
  std::int64_t resized_height = 0;
  std::int64_t resized_width = 0;
  std::int64_t crop_top = 0;
  std::int64_t crop_left = 0;
};

namespace detail {

/// round((larger - smaller) / 2.0), halves to the even integer.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t half_margin(std::int64_t larger, std::int32_t smaller) noexcept {
  const std::int64_t margin = larger - smaller;
  const std::int64_t half = margin / 2;  // of a margin of at least -1
  return margin % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

/// round(target / side * other), in binary64 and in this order.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t scaled_side(std::int32_t target, std::int32_t side,
                                                                 std::int32_t other) noexcept {
  const Binary64 scale = divide(static_cast<std::uint64_t>(target), static_cast<std::uint64_t>(side));
  return round_to_integer(multiply(scale, static_cast<std::uint64_t>(other)));
}

}  // namespace detail

/// Resize and centre crop of a conditioning image `original` to the row `target`, with the published arithmetic done in
/// integers: the same answer under any compiler flags.
/// Errc::side_not_positive where a side is not positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResizeCrop> resize_and_center_crop(Resolution original,
                                                                                  Resolution target) noexcept {
  if (!original.is_positive() || !target.is_positive()) return Errc::side_not_positive;
  ResizeCrop result;
  if (original.binary64_ratio() < target.binary64_ratio()) {
    result.resized_height = target.height;
    result.resized_width = detail::scaled_side(target.height, original.height, original.width);
  } else {
    result.resized_width = target.width;
    result.resized_height = detail::scaled_side(target.width, original.width, original.height);
  }
  result.crop_top = detail::half_margin(result.resized_height, target.height);
  result.crop_left = detail::half_margin(result.resized_width, target.width);
  return result;
}

/// The same without a crop: the image is stretched to the row.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResizeCrop> resize_only(Resolution original,
                                                                       Resolution target) noexcept {
  if (!original.is_positive() || !target.is_positive()) return Errc::side_not_positive;
  return ResizeCrop{target.height, target.width, 0, 0};
}

/// What upstream does with a conditioning image: with output alignment on it is stretched to its row, else resized to
/// cover it and cut at the centre. Errc::side_not_positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResizeCrop> resize_conditioning_image(Resolution original,
                                                                                     Resolution target,
                                                                                     bool align_output) noexcept {
  return align_output ? resize_only(original, target) : resize_and_center_crop(original, target);
}

/// What output alignment does to a generated image.
struct OutputAlignment {
  bool resize = false;      ///< false: the image stays as it is
  std::int64_t height = 0;  ///< the final size in pixels, also where nothing changes
  std::int64_t width = 0;
  std::size_t conditioning_index = 0;  ///< where it is resized: the conditioning image that it now matches
};

/// Output alignment: the first conditioning image in `originals` (sizes before any resizing) whose ratio index equals
/// the output's decides. If its height / width differs from the row's ratio by at least 0.01, the output is resized to
/// its aspect with an area of about base_size * base_size, whatever the row's own area is; for a list of one's own,
/// which has no base size, with the row's area. In integers throughout, so free of compiler flags.
/// Errc::side_not_positive, with the position of the image at fault (`count` for the output).
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<OutputAlignment> align_output(
    const BasicResolutionGroup<Capacity>& group, Resolution output, const Resolution* originals,
    std::size_t count) noexcept {
  if (!output.is_positive()) return {Errc::side_not_positive, count};
  OutputAlignment result;
  result.height = output.height;
  result.width = output.width;
  const std::size_t ratio_index = group.snap(output);
  for (std::size_t i = 0; i < count; ++i) {
    const Resolution original = originals[i];
    if (!original.is_positive()) return {Errc::side_not_positive, i};
    if (group.snap(group[group.snap(original)]) != ratio_index) continue;
    constexpr detail::Binary64 tolerance{0x147AE147AE147B, -59};  // 0.01 in binary64
    if (detail::distance(original.binary64_ratio(), group[ratio_index].binary64_ratio()) < tolerance) return result;
    const std::int32_t base = group.base_size();
    const Resolution square = base > 0 ? Resolution{base, base} : group[ratio_index];
    const detail::Binary64 scale = detail::square_root(detail::divide(
        static_cast<std::uint64_t>(square.pixel_count()), static_cast<std::uint64_t>(original.pixel_count())));
    result.resize = true;
    result.height = detail::round_to_integer(detail::multiply(scale, static_cast<std::uint64_t>(original.height)));
    result.width = detail::round_to_integer(detail::multiply(scale, static_cast<std::uint64_t>(original.width)));
    result.conditioning_index = i;
    return result;
  }
  return result;
}

/// The final size of a picture whose left and right edge are blended into one another after decoding, because it wraps
/// round (ModelProfile::wrap_pixels: the panorama's 960x1952 becomes 960x1920); unchanged where the profile does not
/// wrap. Errc::side_not_positive for a picture that is not wider than the blended columns.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<Resolution> wrapped_size(const ModelProfile& profile,
                                                                        Resolution decoded) noexcept {
  const std::int32_t blended = profile.wrap_pixels > 0 ? profile.wrap_pixels : 0;
  if (!decoded.is_positive() || decoded.width <= blended) return Errc::side_not_positive;
  return Resolution{decoded.height, decoded.width - blended};
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_CROP_HPP
