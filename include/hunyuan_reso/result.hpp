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
  }
  return "unknown error";
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_RESULT_HPP
