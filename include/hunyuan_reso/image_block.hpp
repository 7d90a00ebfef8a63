// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_IMAGE_BLOCK_HPP
#define HUNYUAN_RESO_IMAGE_BLOCK_HPP

#include "image_info.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// What a section of a sequence is (sequence.md, section 1).
enum class SectionKind : std::uint8_t { text, gen_image, cond_vae_image, cond_vit_image, cond_joint_image };

/// How many slots the ViT run of a conditioning image takes. Both exist in the field.
enum class VitSlots : std::uint8_t {
  padded,     ///< all slots of the profile (1024), the true grid first (upstream)
  true_grid,  ///< only the true grid
};

/// The image of a section. Counts and grid sides in tokens, the VAE's or the generated grid's unless named vit_.
struct ImageBlock {
  std::int32_t token_length = 0;  ///< <img> tokens of the generated or VAE run, normally token_height * token_width
  std::int32_t token_height = 0;
  std::int32_t token_width = 0;
  std::int32_t vit_token_length = 0;  ///< slots of the ViT run
  std::int32_t vit_token_height = 0;  ///< its true grid
  std::int32_t vit_token_width = 0;
  std::int32_t base_size = 0;
  std::size_t ratio_index = 0;
  bool add_timestep_token = true;
  bool add_guidance_token = false;    ///< generated images only
  bool add_timestep_r_token = false;  ///< generated images only
  bool use_front_boi_token = true;    ///< false: <boi> stands right before the <img> run (see ModelProfile)
  bool add_image_shape_token = true;  ///< <img_size_B> <img_ratio_i>

  /// The block of an image to generate, or of a conditioning image that goes through the VAE.
  [[nodiscard]] static constexpr ImageBlock of(const ImageInfo& info) noexcept {
    ImageBlock block;
    block.token_length = info.image_token_length > max_side ? -1 : static_cast<std::int32_t>(info.image_token_length);
    block.token_height = info.token_height;
    block.token_width = info.token_width;
    block.base_size = info.base_size;
    block.ratio_index = info.ratio_index;
    block.add_timestep_token = info.add_timestep_token;
    block.add_guidance_token = info.add_guidance_token;
    block.add_timestep_r_token = info.add_timestep_r_token;
    block.use_front_boi_token = info.use_front_boi_token;
    block.add_image_shape_token = info.add_image_shape_token;
    return block;
  }

  /// The same with a ViT run of the true grid height x width (tokens).
  [[nodiscard]] constexpr ImageBlock with_vit(std::int32_t height, std::int32_t width, const ModelProfile& profile,
                                              VitSlots slots = VitSlots::padded) const noexcept {
    ImageBlock block = *this;
    block.vit_token_height = height;
    block.vit_token_width = width;
    const std::int64_t cells = std::int64_t{height} * width;
    const std::int64_t length = slots == VitSlots::padded ? profile.vit_slots : cells;
    const bool fits = height >= 0 && width >= 0 && cells <= length && length <= max_side;
    block.vit_token_length = fits ? static_cast<std::int32_t>(length) : -1;  // -1: refused by build_sequence
    return block;
  }
};

/// Tokens that an image block takes, from <boi> to <eoi>.
[[nodiscard]] constexpr std::int64_t image_block_length(SectionKind kind, const ImageBlock& image) noexcept {
  const bool has_vae = kind != SectionKind::cond_vit_image;
  const bool has_vit = kind == SectionKind::cond_vit_image || kind == SectionKind::cond_joint_image;
  const bool is_generated = kind == SectionKind::gen_image;
  std::int64_t length = 2;  // <boi> <eoi>
  if (has_vae) {
    length += std::int64_t{image.token_length} + (image.add_image_shape_token ? 2 : 0);
    length += image.add_timestep_token ? 1 : 0;
  }
  if (has_vit) length += image.vit_token_length;
  if (has_vae && has_vit) length += 1;  // <joint_img_sep>
  if (is_generated) length += (image.add_guidance_token ? 1 : 0) + (image.add_timestep_r_token ? 1 : 0);
  return length;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_IMAGE_BLOCK_HPP
