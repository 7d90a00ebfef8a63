// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_RESULT_HPP
#define HUNYUAN_RESO_RESULT_HPP

#include "detail/config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// Why an input was refused, or why there is no value; message() gives the sentence for a person. A function that can
/// only succeed or fail returns one itself, Errc::none for success.
enum class [[nodiscard]] Errc : std::uint8_t{
    none,
    no_value,   ///< a Result that was made from Errc::none
    not_given,  ///< a field of a request that was left out: the profile's value is used
    // groups and profiles
    base_size_not_positive,
    base_size_too_large,
    align_not_positive,
    base_size_not_aligned,
    step_too_large,
    step_smaller_than_align,
    extra_not_positive,
    extra_too_large,
    too_many_extras,
    capacity_exceeded,
    no_rows,
    too_many_rows,
    rows_too_close,
    profile_grid_not_positive,
    profile_list_too_long,
    profile_ids_clash,
    profile_text_not_a_token,
    row_below_one_token,
    // image sizes
    empty_image_size,
    expected_number,
    expected_separator,
    expected_end,
    expected_ratio_token_end,
    number_not_positive,
    number_too_large,
    ratio_index_out_of_range,
    image_size_is_auto,
    side_not_positive,
    request_below_one_token,
    no_size_token,
    vit_grid_exceeds_slots,
    // tokens
    unknown_base_size,
    ratio_token_id_unknown,
    not_a_size_token,
    not_a_ratio_token,
    not_a_special_token,
    token_id_out_of_range,
    token_id_taken,
    no_ratio_token,
    vocabulary_too_small,
    // sequences
    empty_sequence,
    sequence_too_long,  ///< position() is the length
    negative_length,
    clip_inside_image,
    drop_last_without_total,
    pad_without_total,
    rows_differ,
    unknown_role,
    image_in_system_message,
    image_kind_mismatch,
    no_token_of_this_kind,
    not_a_text,
    // sequences that are read
    token_outside_image,
    expected_boi,
    expected_shape_token,
    expected_scalar_token,
    expected_image_token,
    expected_eoi,
    image_token_count_mismatch,
    image_grid_unknown,
    image_hint_mismatch,
    expected_pad,
    // positions, attention, logits
    too_many_images,
    images_not_ascending,
    image_beyond_sequence,
    position_too_large,
    unknown_attention_combination,
    no_generated_image,
    scalar_token_missing,
    buffer_too_small,
    head_dimension_not_multiple_of_four,
    rescale_not_positive,
    query_slices_overlap,
    vocabulary_slice_empty,
    // text stages and plans
    task_not_supported,
    too_many_forced_tokens,
    no_forced_token,
    ratio_token_not_single,
    no_chain_of_thought,
    count_out_of_range,
    guidance_not_finite,
    shift_not_positive,
    strength_out_of_range,
    // tiles
    tiles_not_aligned,
    overlap_not_below_tile,
    too_many_tiles,
    target_too_large,
    too_many_conditioning_images,
    // plans over several devices
    expected_parallel_layout,
    key_value_heads_not_divisible,
    experts_not_divisible,
    expert_width_not_divisible,
    rows_not_divisible,
};

/// What was expected, as one sentence without a final dot; ends in a zero byte, is never empty, and is the same at
/// compile time and at run time.
[[nodiscard]] constexpr const char* message(Errc error) noexcept {
  switch (error) {
    case Errc::none:
      return "no error";
    case Errc::no_value:
      return "there is no value";
    case Errc::not_given:
      return "not given: the profile's value is used";
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
    case Errc::no_rows:
      return "a group needs at least one row";
    case Errc::too_many_rows:
      return "a SnapTable takes groups of at most 128 rows: snap with the group itself";
    case Errc::rows_too_close:
      return "two rows' ratios are too close for a SnapTable: snap with the group itself";
    case Errc::profile_grid_not_positive:
      return "the profile's pixels per token, trained base size, ViT patch and vocabulary must be positive, and a "
             "token "
             "at most 65536 pixels long";
    case Errc::profile_list_too_long:
      return "the profile holds more size tokens, ratio tokens or further tokens than their lists have room for";
    case Errc::profile_ids_clash:
      return "two tokens of the profile have the same id, or one lies outside its vocabulary, or the base sizes of its "
             "size "
             "tokens are not positive and ascending";
    case Errc::profile_text_not_a_token:
      return "a further token's text must be '<', up to 30 other characters and '>', and stand once in the profile";
    case Errc::row_below_one_token:
      return "a row of the group is shorter than one token of the profile: take a larger base size";
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
      return "no base size of the profile's ladder covers this area";
    case Errc::vit_grid_exceeds_slots:
      return "the image is too long and thin for the vision tower: no scale brings its grid into the profile's slots";
    case Errc::unknown_base_size:
      return "no size token: the base size must be one of the profile's ladder (published: 256, 512, 768, 1024, 1536, "
             "2048, 3072, 4096, 6144, 8192)";
    case Errc::ratio_token_id_unknown:
      return "the id of this ratio token is in no published source: supply it with ModelProfile::with_ratio_token_id";
    case Errc::not_a_size_token:
      return "expected a size token of the profile";
    case Errc::not_a_ratio_token:
      return "expected a ratio token of the profile";
    case Errc::not_a_special_token:
      return "expected a special token of the profile";
    case Errc::token_id_out_of_range:
      return "the id must lie within the profile's vocabulary";
    case Errc::token_id_taken:
      return "another token of the profile has this id already";
    case Errc::no_ratio_token:
      return "there is no ratio token among the ids";
    case Errc::vocabulary_too_small:
      return "the logits are fewer than the id of the profile's last ratio token asks for";
    case Errc::empty_sequence:
      return "the sequence has no tokens";
    case Errc::sequence_too_long:
      return "the sequence is longer than the maximum length";
    case Errc::negative_length:
      return "token counts and grid sides must not be negative";
    case Errc::clip_inside_image:
      return "the total length cuts an image: raise it, or drop the last image";
    case Errc::drop_last_without_total:
      return "dropping the last image needs a total length";
    case Errc::pad_without_total:
      return "padding needs a total length: AddPad::automatic pads where there is one";
    case Errc::rows_differ:
      return "the rows of a batch must have the same scalar tokens for their generated images";
    case Errc::unknown_role:
      return "expected the role system, user or assistant";
    case Errc::image_in_system_message:
      return "a system message holds text only";
    case Errc::image_kind_mismatch:
      return "the image does not fit its kind: a generated or VAE image has VAE tokens only, a ViT image ViT tokens "
             "only, a joint image both";
    case Errc::no_token_of_this_kind:
      return "the sequence has no token of this kind";
    case Errc::not_a_text:
      return "only an encoder can tell how many tokens this section has, so it has no text";
    case Errc::token_outside_image:
      return "this token belongs inside an image block, after its <boi>";
    case Errc::expected_boi:
      return "expected <boi>, right before the image's tokens";
    case Errc::expected_shape_token:
      return "expected <img_ratio_i> of the profile after <img_size_N>";
    case Errc::expected_scalar_token:
      return "expected the scalar tokens in the order <timestep>, <guidance>, <timestep_r>, each at most once";
    case Errc::expected_image_token:
      return "expected <img>";
    case Errc::expected_eoi:
      return "expected <eoi> after the image's tokens";
    case Errc::image_token_count_mismatch:
      return "the number of <img> tokens is not that of the size and ratio tokens' grid, or of the ViT's slots";
    case Errc::image_grid_unknown:
      return "the ids do not tell this image's grid: pass it to read_sequence";
    case Errc::image_hint_mismatch:
      return "the block is not the image that was passed for it";
    case Errc::expected_pad:
      return "expected <pad> up to the end";
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
    case Errc::head_dimension_not_multiple_of_four:
      return "the head dimension must be a positive multiple of 4";
    case Errc::rescale_not_positive:
      return "the rotary base and its rescaling factor must be positive and finite";
    case Errc::query_slices_overlap:
      return "query slices must not overlap and must lie within the sequence";
    case Errc::vocabulary_slice_empty:
      return "the first vocabulary slice must start before its end and within the vocabulary";
    case Errc::task_not_supported:
      return "the profile's text stage does not have this task";
    case Errc::too_many_forced_tokens:
      return "more transitions than the stage machine has room for, or more than 8 forced tokens in one of them";
    case Errc::no_forced_token:
      return "no token is forced here: the model is free to choose";
    case Errc::ratio_token_not_single:
      return "a text stage can stop at any ratio token, but not force one or wait for one";
    case Errc::no_chain_of_thought:
      return "the generated text does not open a chain of thought";
    case Errc::count_out_of_range:
      return "token counts must not be negative; the batch must be 1 to 1024, the steps 1 to 1000000";
    case Errc::guidance_not_finite:
      return "the guidance must be a finite number of at least 0";
    case Errc::shift_not_positive:
      return "the flow shift must be a positive, finite number";
    case Errc::strength_out_of_range:
      return "the strength must be above 0 and at most 1";
    case Errc::tiles_not_aligned:
      return "the canvas, the tile and the overlap must be multiples of the alignment";
    case Errc::overlap_not_below_tile:
      return "the overlap must not be negative, and be smaller than the tile";
    case Errc::too_many_tiles:
      return "the layout has more than 2147483647 tiles";
    case Errc::target_too_large:
      return "the sides of the target, up to whole tokens, must be at most 2147483647 pixels";
    case Errc::too_many_conditioning_images:
      return "a request takes at most 16 conditioning images";
    case Errc::expected_parallel_layout:
      return "expected tpN, cfgN or tpNcfgM with numbers from 1 to 65536, such as tp2, cfg2 or tp2cfg2";
    case Errc::key_value_heads_not_divisible:
      return "tpN: N must divide the attention heads and the key and value heads (8 in the published models)";
    case Errc::experts_not_divisible:
      return "tpN: N must divide the experts of a layer (64 in the published models)";
    case Errc::expert_width_not_divisible:
      return "tpN: N must divide the width of the shared expert (3072 in the published models)";
    case Errc::rows_not_divisible:
      return "cfgN: N must divide the rows of the batch: guidance rows (2, or 1 in a distilled model) times pictures";
  }
  return "unknown error";
}

/// A value or the reason why there is none. Never throws; usable in constant expressions and in device code.
template <class T>
class [[nodiscard]] Result {
 public:
  HUNYUAN_RESO_ANY_TYPE
  HUNYUAN_RESO_HD constexpr Result(const T& value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  HUNYUAN_RESO_ANY_TYPE
  HUNYUAN_RESO_HD constexpr Result(T&& value) noexcept : value_(static_cast<T&&>(value)) {}  // NOLINT
  /// `position`: where in the input, counted from 0 (for a text: the byte); 0 where the input has no parts.
  /// Errc::none is no success: it becomes Errc::no_value.
  HUNYUAN_RESO_ANY_TYPE
  // NOLINTNEXTLINE(google-explicit-constructor)
  HUNYUAN_RESO_HD constexpr Result(Errc error, std::size_t position = 0) noexcept
      : position_(position), error_(error == Errc::none ? Errc::no_value : error) {}

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_value() const noexcept { return error_ == Errc::none; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr explicit operator bool() const noexcept { return has_value(); }

  /// The value; without one, a value-initialized T (so that a missing check is wrong but never undefined).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const T& operator*() const& noexcept { return value_; }
  /// By value, so that `for (auto row : *make_group(profile))` holds what it goes over.
  HUNYUAN_RESO_ANY_TYPE
  [[nodiscard]] HUNYUAN_RESO_HD constexpr T operator*() && noexcept { return static_cast<T&&>(value_); }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const T* operator->() const noexcept { return &value_; }
  HUNYUAN_RESO_ANY_TYPE
  [[nodiscard]] HUNYUAN_RESO_HD constexpr T value_or(const T& other) const { return has_value() ? value_ : other; }

  /// The reason, or Errc::none when there is a value.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Errc error() const noexcept { return error_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t position() const noexcept { return position_; }

 private:
  T value_{};
  std::size_t position_ = 0;
  Errc error_ = Errc::none;
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_RESULT_HPP
