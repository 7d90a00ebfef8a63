// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_RESULT_HPP
#define HUNYUAN_RESO_RESULT_HPP

#include <string_view>  // string_view

#include "detail/errc.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// What was expected, as one sentence without a final dot. Never empty; the same at compile time and at run time.
[[nodiscard]] constexpr std::string_view message(Errc error) noexcept {
  switch (error) {
    case Errc::none:
      return "no error";
    case Errc::base_size_not_positive:
      return "the base size must be positive";
    case Errc::base_size_too_large:
      return "the base size must be at most 1073741823, since rows reach twice its length";
    case Errc::align_not_positive:
      return "the alignment must be positive";
    case Errc::base_size_not_aligned:
      return "the base size must be a multiple of the alignment";
    case Errc::step_too_large:
      return "the step must be at most half the base size";
    case Errc::step_smaller_than_align:
      return "the step must be at least the alignment (the default step is base size / 16)";
    case Errc::extra_not_positive:
      return "both sides of an extra row must be positive (after scaling and rounding, too)";
    case Errc::extra_too_large:
      return "both sides of a scaled extra row must be at most 2147483647";
    case Errc::too_many_extras:
      return "a group takes at most 32 extra rows";
    case Errc::capacity_exceeded:
      return "the group has more rows than its type can hold: use BasicResolutionGroup with a larger Capacity";
    case Errc::empty_image_size:
      return "expected an image size: auto, HEIGHTxWIDTH, a ratio A:B or <img_ratio_i>";
    case Errc::expected_number:
      return "expected a number in decimal digits";
    case Errc::expected_separator:
      return "expected 'x' (HEIGHTxWIDTH) or ':' (a ratio) after the first number";
    case Errc::expected_end:
      return "expected the end of the image size";
    case Errc::expected_ratio_token_end:
      return "expected '>' after the index of <img_ratio_i>";
    case Errc::number_not_positive:
      return "expected a number of at least 1";
    case Errc::number_too_large:
      return "expected a number of at most 2147483647";
    case Errc::ratio_index_out_of_range:
      return "the profile has no row of this ratio index";
    case Errc::image_size_is_auto:
      return "the image size is auto: the model must predict the ratio token first";
    case Errc::side_not_positive:
      return "height and width must be positive";
    case Errc::request_below_one_token:
      return "each side must be at least one token long to be followed (16 pixels in the published checkpoints)";
    case Errc::no_size_token:
      return "no base size of the ladder (up to 8192) covers this area";
    case Errc::unknown_base_size:
      return "no size token: the base size must be 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144 or 8192";
    case Errc::ratio_token_id_unknown:
      return "the id of this ratio token is in no published source: supply it with ModelProfile::with_ratio_token_id";
    case Errc::not_a_ratio_token:
      return "expected a ratio token of the profile";
    case Errc::empty_sequence:
      return "the sequence has no tokens";
    case Errc::sequence_too_long:
      return "the sequence is longer than the maximum length";
    case Errc::negative_length:
      return "token counts and grid sides must not be negative";
    case Errc::text_too_long:
      return "the text has more tokens than its section allows";
    case Errc::clip_inside_image:
      return "the total length cuts an image: raise it, or drop the last image";
    case Errc::rows_differ:
      return "the rows of a batch must have the same scalar tokens for their generated images";
    case Errc::unknown_role:
      return "expected the role system, user or assistant";
    case Errc::image_in_system_message:
      return "a system message holds text only";
    case Errc::image_kind_mismatch:
      return "the image does not fit the message's type: a generated or VAE image has VAE tokens only, a ViT image ViT "
             "tokens only, "
             "a joint image both";
    case Errc::too_many_images:
      return "more image runs than the layout's capacity: use a larger one";
    case Errc::images_not_ascending:
      return "image runs must be listed in order and must not overlap";
    case Errc::image_beyond_sequence:
      return "the images' positions reach past the end of the sequence";
    case Errc::position_too_large:
      return "positions must stay below 4194304 (2^22), where binary32 still tells halves apart";
    case Errc::unknown_attention_combination:
      return "this attention type does not exist for this conditioning image type";
    case Errc::no_generated_image:
      return "the sequence has no generated image with a timestep token";
    case Errc::scalar_token_missing:
      return "the sequence lacks the <guidance> or <timestep_r> token that the profile feeds at every step";
    case Errc::buffer_too_small:
      return "the buffer holds fewer elements than are to be written";
    case Errc::head_dimension_not_even:
      return "the head dimension must be positive and even";
    case Errc::vocabulary_slice_empty:
      return "a vocabulary slice must start before its end, within the vocabulary";
    case Errc::count_out_of_range:
      return "token counts must not be negative; the batch must be 1 to 1024, the steps 1 to 1000000";
    case Errc::too_many_conditioning_images:
      return "a request takes at most 16 conditioning images";
  }
  return "unknown error";
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_RESULT_HPP
