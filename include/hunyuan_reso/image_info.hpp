// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_IMAGE_INFO_HPP
#define HUNYUAN_RESO_IMAGE_INFO_HPP

#include "detail/vit_grid.hpp"
#include "image_size.hpp"
#include "model.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How the generated grid is chosen. A third way, a group whose extra rows are scaled, is `snap` with
/// Model::create(profile, base_size, ExtraScaling::scaled).
enum class GridMode : std::uint8_t {
  snap,                    ///< the nearest row, upstream's behaviour
  follow_request,          ///< the requested pixels cut down to whole tokens; the size token stays the group's
  follow_request_by_area,  ///< the same; the size token is the least base size whose rows reach the requested area
};

/// What an image is in a sequence: to be generated (or generated earlier), or a conditioning image and the encoders
/// that it goes through.
enum class ImageKind : std::uint8_t { generated, cond_vae, cond_vit, cond_joint };

/// Whether tokens of the VAE's (or the generated) grid stand in the block, and whether those of the ViT do.
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_vae_run(ImageKind kind) noexcept {
  return kind != ImageKind::cond_vit;
}
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_vit_run(ImageKind kind) noexcept {
  return kind == ImageKind::cond_vit || kind == ImageKind::cond_joint;
}

/// How many slots the ViT run of a conditioning image takes. Both exist in the field.
enum class VitSlots : std::uint8_t {
  padded,     ///< all slots of the profile (1024), the true grid first (upstream)
  true_grid,  ///< only the true grid
};

/// Whether the checkpoint was trained on what an ImageInfo asks for.
struct TrainedFlags {
  bool base_size = false;    ///< the size token is the trained one (1024)
  bool grid = false;         ///< height and width are a published row
  bool ratio_token = false;  ///< the profile has a ratio token for the ratio index

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool all() const noexcept { return base_size && grid && ratio_token; }
};

/// Description of an image in a sequence, upstream's fields under upstream's names. Image sides in pixels, token sides
/// in tokens. The fields of the VAE's grid are 0 for ImageKind::cond_vit, those of the ViT's for images without a ViT
/// run.
struct ImageInfo {
  std::int32_t image_width = 0;
  std::int32_t image_height = 0;
  std::int32_t token_width = 0;
  std::int32_t token_height = 0;
  std::int64_t image_token_length = 0;  ///< <img> tokens of the generated or VAE run: token_width * token_height
  std::int32_t base_size = 0;           ///< N of the token <img_size_N>
  std::size_t ratio_index = 0;          ///< i of the token <img_ratio_i>
  bool add_timestep_token = true;
  bool add_guidance_token = false;    ///< counts for generated images only
  bool add_timestep_r_token = false;  ///< counts for generated images only
  bool use_front_boi_token = true;    ///< see ModelProfile::honors_front_boi_flag
  bool add_image_shape_token = true;  ///< <img_size_B> <img_ratio_i>
  std::int32_t vit_token_height = 0;  ///< the ViT's true grid
  std::int32_t vit_token_width = 0;
  std::int64_t vit_token_length = 0;  ///< <img> tokens of the ViT run, padded slots included

  // Not upstream's:
  ImageKind kind = ImageKind::generated;
  Resolution requested{};               ///< requested or original pixels; 0x0 where only a ratio was asked for
  GridMode grid_mode = GridMode::snap;  ///< the mode that chose the grid
  TrainedFlags trained{};

  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution image_size() const noexcept { return {image_height, image_width}; }
  /// The grid of the generated or VAE run, in tokens.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution token_grid() const noexcept { return {token_height, token_width}; }
  /// The ViT's true grid, in tokens.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution vit_grid() const noexcept {
    return {vit_token_height, vit_token_width};
  }
};

namespace detail {

/// A number of tokens, cut to 0 .. 2^61, so that sums of a few do not overflow.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t countable(std::int64_t tokens) noexcept {
  constexpr std::int64_t most = std::int64_t{1} << 61;
  return tokens < 0 ? 0 : tokens < most ? tokens : most;
}

}  // namespace detail

/// Tokens that an image takes in a sequence, from <boi> to <eoi>; lengths below 0 count as 0, those over 2^61 as that.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t image_block_length(const ImageInfo& image) noexcept {
  std::int64_t length = 2;  // <boi> <eoi>
  if (has_vae_run(image.kind)) {
    length += detail::countable(image.image_token_length);
    length += (image.add_image_shape_token ? 2 : 0) + (image.add_timestep_token ? 1 : 0);
  }
  if (has_vit_run(image.kind)) length += detail::countable(image.vit_token_length);
  if (image.kind == ImageKind::cond_joint) length += 1;  // <joint_img_sep>
  if (image.kind == ImageKind::generated) {
    length += (image.add_guidance_token ? 1 : 0) + (image.add_timestep_r_token ? 1 : 0);
  }
  return length;
}

namespace detail {

/// Row k of an arm of the published group at the trained base size, on end: k steps away from the square.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution trained_arm_row(const ModelProfile& profile,
                                                                   std::int64_t k) noexcept {
  const std::int64_t base = profile.trained_base_size;
  const std::int64_t align = profile.align < 1 ? 1 : profile.align;
  const std::int64_t up = base + k * (base / 16) < 2 * base ? base + k * (base / 16) : 2 * base;
  const std::int64_t down = base - k * (base / 16) > base / 2 ? base - k * (base / 16) : base / 2;
  return {static_cast<std::int32_t>(up / align * align), static_cast<std::int32_t>(down / align * align)};
}

[[nodiscard]] HUNYUAN_RESO_HD constexpr bool have_same_ratio(Resolution a, Resolution b) noexcept {
  return std::int64_t{a.height} * b.width == std::int64_t{a.width} * b.height;
}

/// Whether `row` is one of the rows that the checkpoint was trained on: the published group at the trained base size.
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_trained_row(const ModelProfile& profile, Resolution row) noexcept {
  const std::int64_t base = profile.trained_base_size;
  const std::int64_t step = base / 16;
  if (step <= 0 || base > max_side / 2) return false;
  const std::int64_t last = base / step + 1;
  const Resolution on_end = row.height < row.width ? Resolution{row.width, row.height} : row;
  const std::int64_t first = (on_end.height - base) / step;  // rows are cut down to the alignment, so k is here or next
  for (std::int64_t k = first < 0 ? 0 : first; k <= first + 1; ++k) {
    if (trained_arm_row(profile, k) == on_end) return true;
  }
  for (std::size_t i = 0; i < profile.extras.size(); ++i) {
    if (profile.extras.rows[i] != row) continue;
    // The group drops an extra row whose ratio it has already.
    for (std::int64_t k = 0; k <= last; ++k) {
      if (have_same_ratio(trained_arm_row(profile, k), on_end)) return false;
    }
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (have_same_ratio(profile.extras.rows[earlier], row)) return false;
    }
    return true;
  }
  return false;
}

/// Area of the largest row at a base size. Of the generated rows that is the square; the rest of the group is built
/// only where an extra row is larger, since the group may drop it.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t largest_row_area(const ModelProfile& profile,
                                                                      std::int32_t base_size) noexcept {
  std::int64_t largest = Resolution{base_size, base_size}.pixel_count();
  bool has_larger_extra = false;
  for (std::size_t i = 0; i < profile.extras.size(); ++i) {
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

/// Fills the fields that follow from the image's size and the profile.
[[nodiscard]] HUNYUAN_RESO_HD constexpr ImageInfo describe_image(const ModelProfile& profile, Resolution size,
                                                                 std::int32_t base_size,
                                                                 std::size_t ratio_index) noexcept {
  ImageInfo info;
  info.image_height = size.height;
  info.image_width = size.width;
  info.token_height = size.height / profile.token_pixels_high();
  info.token_width = size.width / profile.token_pixels_wide();
  info.image_token_length = info.token_grid().pixel_count();
  info.base_size = base_size;
  info.ratio_index = ratio_index;
  info.add_guidance_token = profile.cfg_distilled;
  info.add_timestep_r_token = profile.use_meanflow;
  info.trained.base_size = base_size == profile.trained_base_size;
  info.trained.grid = is_trained_row(profile, size);
  info.trained.ratio_token = ratio_index < ratio_token_count(profile);
  return info;
}

}  // namespace detail

/// The least base size of the profile's ladder, from the trained one up, whose largest row's area times 1.05 is at
/// least the requested area; Errc::no_size_token where even the last is too small, Errc::side_not_positive.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::int32_t> base_size_by_area(const ModelProfile& profile,
                                                                               Resolution requested) noexcept {
  if (!requested.is_positive()) return Errc::side_not_positive;
  for (std::size_t i = 0; i < profile.size_tokens.size(); ++i) {
    const std::int32_t base_size = profile.size_tokens.base_sizes[i];
    if (base_size < profile.trained_base_size) continue;
    const std::int64_t largest = detail::largest_row_area(profile, base_size);
    if (largest + largest / 20 >= requested.pixel_count()) return base_size;
  }
  return Errc::no_size_token;
}

/// The image to generate for a row of the model's group; Errc::ratio_index_out_of_range past its end.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> image_info_of_row(const Model& model,
                                                                            std::size_t ratio_index) noexcept {
  if (ratio_index >= model.group.size()) return Errc::ratio_index_out_of_range;
  return detail::describe_image(model.profile, model.group[ratio_index], model.group.base_size(), ratio_index);
}

/// The image to generate for a request in pixels. A profile with follows_aligned_requests takes a request of whole
/// tokens as it is, also in mode `snap`. Errors: Errc::side_not_positive; following the request,
/// Errc::request_below_one_token and, by area, Errc::no_size_token.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> build_gen_image_info(
    const Model& model, Resolution requested, GridMode mode = GridMode::snap) noexcept {
  if (!requested.is_positive()) return Errc::side_not_positive;
  const std::size_t ratio_index = model.group.snap(requested);
  const std::int32_t high = model.profile.token_pixels_high();
  const std::int32_t wide = model.profile.token_pixels_wide();
  const bool is_aligned = requested.height % high == 0 && requested.width % wide == 0;
  if (mode == GridMode::snap && model.profile.follows_aligned_requests && is_aligned) mode = GridMode::follow_request;
  Resolution size = model.group[ratio_index];
  std::int32_t base_size = model.group.base_size();
  if (mode != GridMode::snap) {
    size = {requested.height / high * high, requested.width / wide * wide};
    if (!size.is_positive()) return Errc::request_below_one_token;
  }
  if (mode == GridMode::follow_request_by_area) {
    const Result<std::int32_t> by_area = base_size_by_area(model.profile, requested);
    if (!by_area) return by_area.error();
    base_size = *by_area;
  }
  ImageInfo info = detail::describe_image(model.profile, size, base_size, ratio_index);
  info.requested = requested;
  info.grid_mode = mode;
  return info;
}

/// The image to generate for a parsed image_size. A ratio or a ratio token names no pixels to follow, so it takes the
/// row in every mode (grid_mode then says snap). `auto` is Errc::image_size_is_auto: predict the ratio, then use
/// image_info_of_row.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> build_gen_image_info(
    const Model& model, const ImageSize& image_size, GridMode mode = GridMode::snap) noexcept {
  switch (image_size.kind) {
    case ImageSizeKind::automatic:
      return Errc::image_size_is_auto;
    case ImageSizeKind::ratio_index:
      return image_info_of_row(model, image_size.ratio_index);
    case ImageSizeKind::ratio:
      if (!image_size.size.is_positive()) return Errc::side_not_positive;
      return image_info_of_row(model, model.group.snap(image_size.size));
    case ImageSizeKind::pixels:
      break;
  }
  return build_gen_image_info(model, image_size.size, mode);
}

/// The image to generate for an image_size argument as text (see parse_image_size; its errors carry the position at
/// fault).
[[nodiscard]] constexpr Result<ImageInfo> build_gen_image_info(const Model& model, std::string_view image_size,
                                                               GridMode mode = GridMode::snap) noexcept {
  const Result<ImageSize> parsed = parse_image_size(image_size, model.profile);
  if (!parsed) return {parsed.error(), parsed.position()};
  return build_gen_image_info(model, *parsed, mode);
}

/// A stored picture's size after its EXIF orientation (1 .. 8): 5 to 8 swap the sides, all other values leave them.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Resolution oriented(Resolution stored, std::int32_t exif_orientation) noexcept {
  const bool swaps = exif_orientation >= 5 && exif_orientation <= 8;
  return swaps ? Resolution{stored.width, stored.height} : stored;
}

/// A conditioning image, from its original size in pixels after its EXIF orientation: the row that its VAE run takes,
/// the grid and the slots of its ViT run, as the profile's conditioning_image_type asks. Errors:
/// Errc::side_not_positive; Errc::vit_grid_exceeds_slots for images that no scale brings into the ViT's slots.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> build_cond_image_info(
    const Model& model, Resolution original, VitSlots slots = VitSlots::padded) noexcept {
  if (!original.is_positive()) return Errc::side_not_positive;
  const ModelProfile& profile = model.profile;
  const ConditioningImageType type = profile.conditioning_image_type;
  ImageInfo info;
  info.kind = ImageKind::cond_vit;
  if (type != ConditioningImageType::vit) {
    const std::size_t ratio_index = model.group.snap(original);
    info = detail::describe_image(profile, model.group[ratio_index], model.group.base_size(), ratio_index);
    info.kind = type == ConditioningImageType::vae ? ImageKind::cond_vae : ImageKind::cond_joint;
    info.add_guidance_token = false;
    info.add_timestep_r_token = false;
  }
  info.requested = original;
  if (type == ConditioningImageType::vae) return info;
  const Result<Resolution> grid = detail::vit_grid(original, profile.vit_patch, profile.vit_slots);
  if (!grid) return grid.error();
  info.vit_token_height = grid->height;
  info.vit_token_width = grid->width;
  info.vit_token_length = slots == VitSlots::padded ? profile.vit_slots : grid->pixel_count();
  return info;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_IMAGE_INFO_HPP
