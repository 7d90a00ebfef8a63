// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_REQUEST_HPP
#define HUNYUAN_RESO_REQUEST_HPP

#include "image_info.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How the weights of the decoder's linear layers are stored. Formats of 8 bits and less keep the rest in 16 bits.
enum class Precision : std::uint8_t { fp32, bf16, fp16, int8, fp8, nf4 };

/// What someone wants to have drawn (or answered). The plan is made from it, and, with an encoder, the token sequences
/// (generation.hpp). Texts must outlive the request. A field that is Errc::not_given takes the profile's value.
struct GenerationRequest {
  static constexpr std::size_t max_conditioning_images = 16;

  std::string_view prompt{};
  std::string_view system{};                    ///< empty: no system message
  std::string_view image_size = "auto";         ///< see parse_image_size
  Result<Resolution> pixels = Errc::not_given;  ///< pixels, in place of image_size
  GridMode grid_mode = GridMode::snap;
  Result<BotTask> bot_task = Errc::not_given;
  Result<bool> drop_think = Errc::not_given;  ///< leave the thinking of a chain of thought out of the image stage

  Resolution conditioning_images[max_conditioning_images]{};  ///< original pixels, after the EXIF orientation
  std::size_t conditioning_image_count = 0;
  VitSlots vit_slots = VitSlots::padded;
  bool align_output = false;  ///< give the picture the exact aspect of a conditioning image

  Result<double> guidance = Errc::not_given;
  Result<std::int32_t> steps = Errc::not_given;
  std::int32_t batch = 1;  ///< images at once
  Result<RopeScaling> rope_scaling = Errc::not_given;
  Precision precision = Precision::bf16;
  bool eager_moe_mask = false;  ///< whether the engine's expert code makes a dispatch mask over all tokens

  // Token counts for a plan that is made without an encoder; the template's own texts are estimated then.
  std::int32_t prompt_tokens = 0;
  std::int32_t system_tokens = 0;
  Result<std::int32_t> chain_of_thought_tokens = Errc::not_given;  ///< not given: as many as the task can produce

  /// Adds a conditioning image; Errc::too_many_conditioning_images, Errc::side_not_positive.
  constexpr Errc add_conditioning_image(Resolution original) noexcept {
    if (!original.is_positive()) return Errc::side_not_positive;
    if (conditioning_image_count >= max_conditioning_images) return Errc::too_many_conditioning_images;
    conditioning_images[conditioning_image_count++] = original;
    return Errc::none;
  }
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_REQUEST_HPP
