// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_IMAGE_INFO_HPP
#define HUNYUAN_RESO_IMAGE_INFO_HPP

#include "image_size.hpp"
#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// How the generated grid is chosen (resolution.md, section 1). The third way there, a group whose extra rows are
/// scaled, is `snap` in make_group(profile, base_size, ExtraScaling::scaled).
enum class GridMode : std::uint8_t {
  snap,                    ///< the nearest row, upstream's behaviour
  follow_request,          ///< the requested pixels cut down to whole tokens; the size token stays the group's
  follow_request_by_area,  ///< the same; the size token is the least base size whose rows reach the requested area
};

/// Whether the checkpoint was trained on what an ImageInfo asks for.
struct TrainedFlags {
  bool base_size = false;    ///< the size token is the trained one (1024)
  bool grid = false;         ///< height and width are a published row
  bool ratio_token = false;  ///< the profile has a ratio token for the ratio index

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool all() const noexcept { return base_size && grid && ratio_token; }
};

/// Description of the image to generate, upstream's fields under upstream's names. Image sides in pixels, token sides
/// in tokens.
struct ImageInfo {
  std::int32_t image_width = 0;
  std::int32_t image_height = 0;
  std::int32_t token_width = 0;
  std::int32_t token_height = 0;
  std::int64_t image_token_length = 0;  ///< token_width * token_height
  std::int32_t base_size = 0;           ///< N of the token <img_size_N>
  std::size_t ratio_index = 0;          ///< i of the token <img_ratio_i>
  bool add_timestep_token = true;
  bool add_guidance_token = false;
  bool add_timestep_r_token = false;
  bool use_front_boi_token = true;
  bool add_image_shape_token = true;

  // Not upstream's:
  Resolution requested{};               ///< the requested pixels; 0x0 where only a ratio was asked for
  GridMode grid_mode = GridMode::snap;  ///< the mode that chose the grid
  TrainedFlags trained{};

  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution image_size() const noexcept { return {image_height, image_width}; }
};

namespace detail {

/// Area of the largest row at a base size. Of the generated rows that is the square; the rest of the group is built
/// only where an extra row is larger, since the group may drop it.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t largest_row_area(const ModelProfile& profile,
                                                                      std::int32_t base_size) noexcept {
  std::int64_t largest = Resolution{base_size, base_size}.pixel_count();
  bool has_larger_extra = false;
  for (std::size_t i = 0; i < profile.extras.count && i < ExtraRows::capacity; ++i) {
    has_larger_extra = has_larger_extra || profile.extras.rows[i].pixel_count() > largest;
  }
  if (!has_larger_extra) return largest;
  const Result<ResolutionGroup> group = make_group(profile, base_size);
  for (std::size_t i = 0; i < group->size(); ++i) {
    const std::int64_t area = (*group)[i].pixel_count();
    if (area > largest) largest = area;
  }
  return largest;
}

}  // namespace detail

/// The least base size of the ladder, from 1024 up, whose largest row's area times 1.05 is at least the requested area
/// (resolution.md, section 1); Errc::no_size_token where even 8192 is too small, Errc::side_not_positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::int32_t> base_size_by_area(const ModelProfile& profile,
                                                                               Resolution requested) noexcept {
  if (!requested.is_positive()) return Errc::side_not_positive;
  const BaseSizeLadder ladder;
  for (std::size_t i = 0; i < BaseSizeLadder::count; ++i) {
    const std::int64_t side = ladder.sizes[i];
    if (side < 1024) continue;
    const std::int64_t largest = detail::largest_row_area(profile, ladder.sizes[i]);
    if (largest + largest / 20 >= requested.pixel_count()) return ladder.sizes[i];
  }
  return Errc::no_size_token;
}

namespace detail {

/// Fills the fields that follow from the image's size and the profile.
[[nodiscard]] HUNYUAN_RESO_HD constexpr ImageInfo describe_image(Resolution size, std::int32_t base_size,
                                                                 std::size_t ratio_index,
                                                                 const ModelProfile& profile) noexcept {
  ImageInfo info;
  info.image_height = size.height;
  info.image_width = size.width;
  info.token_height = size.height / profile.token_pixels_high();
  info.token_width = size.width / profile.token_pixels_wide();
  info.image_token_length = std::int64_t{info.token_height} * info.token_width;
  info.base_size = base_size;
  info.ratio_index = ratio_index;
  info.add_guidance_token = profile.cfg_distilled;
  info.add_timestep_r_token = profile.use_meanflow;
  info.trained.base_size = base_size == profile.trained_base_size;
  info.trained.grid = profile.is_published_row(size);
  info.trained.ratio_token = ratio_index < profile.ratio_token_count();
  return info;
}

}  // namespace detail

/// The image for a row of the group; Errc::ratio_index_out_of_range past its end.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> image_info_of_row(
    std::size_t ratio_index, const ModelProfile& profile, const BasicResolutionGroup<Capacity>& group) noexcept {
  if (ratio_index >= group.size()) return Errc::ratio_index_out_of_range;
  return detail::describe_image(group[ratio_index], group.base_size(), ratio_index, profile);
}

/// The image for a request in pixels. Errors: Errc::side_not_positive; following the request,
/// Errc::request_below_one_token and, by area, Errc::no_size_token.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> build_gen_image_info(
    Resolution requested, const ModelProfile& profile, const BasicResolutionGroup<Capacity>& group,
    GridMode mode = GridMode::snap) noexcept {
  if (!requested.is_positive()) return Errc::side_not_positive;
  const std::size_t ratio_index = group.snap(requested);
  Resolution size = group[ratio_index];
  std::int32_t base_size = group.base_size();
  if (mode != GridMode::snap) {
    const std::int32_t high = profile.token_pixels_high();
    const std::int32_t wide = profile.token_pixels_wide();
    size = {requested.height / high * high, requested.width / wide * wide};
    if (!size.is_positive()) return Errc::request_below_one_token;
    if (mode == GridMode::follow_request_by_area) {
      const Result<std::int32_t> by_area = base_size_by_area(profile, requested);
      if (!by_area) return by_area.error();
      base_size = *by_area;
    }
  }
  ImageInfo info = detail::describe_image(size, base_size, ratio_index, profile);
  info.requested = requested;
  info.grid_mode = mode;
  return info;
}

/// The image for a parsed image_size. A ratio or a ratio token names no pixels to follow, so it takes the row in every
/// mode (grid_mode then says snap). `auto` is Errc::image_size_is_auto: predict the ratio, then use image_info_of_row.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> build_gen_image_info(
    const ImageSize& image_size, const ModelProfile& profile, const BasicResolutionGroup<Capacity>& group,
    GridMode mode = GridMode::snap) noexcept {
  switch (image_size.kind) {
    case ImageSizeKind::automatic:
      return Errc::image_size_is_auto;
    case ImageSizeKind::ratio_index:
      return image_info_of_row(image_size.ratio_index, profile, group);
    case ImageSizeKind::ratio:
      if (!image_size.size.is_positive()) return Errc::side_not_positive;
      return image_info_of_row(group.snap(image_size.size), profile, group);
    case ImageSizeKind::pixels:
      break;
  }
  return build_gen_image_info(image_size.size, profile, group, mode);
}

/// The image for an image_size argument as text (see parse_image_size; its errors carry the position at fault).
template <std::size_t Capacity>
[[nodiscard]] constexpr Result<ImageInfo> build_gen_image_info(std::string_view image_size, const ModelProfile& profile,
                                                               const BasicResolutionGroup<Capacity>& group,
                                                               GridMode mode = GridMode::snap) noexcept {
  const Result<ImageSize> parsed = parse_image_size(image_size, profile);
  if (!parsed) return {parsed.error(), parsed.position()};
  return build_gen_image_info(*parsed, profile, group, mode);
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_IMAGE_INFO_HPP
