// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_ERRC_HPP
#define HUNYUAN_RESO_DETAIL_ERRC_HPP

#include "config.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// Why an input was refused. message(), in result.hpp, gives the sentence for a person.
enum class Errc : std::uint8_t {
  none,
  // groups
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
  // tokens
  unknown_base_size,
  ratio_token_id_unknown,
  not_a_ratio_token,
  // sequences
  empty_sequence,
  sequence_too_long,  ///< position() is the length
  negative_length,
  text_too_long,
  clip_inside_image,
  rows_differ,
  unknown_role,
  image_in_system_message,
  image_kind_mismatch,
  // positions, attention, logits
  too_many_images,
  images_not_ascending,
  image_beyond_sequence,
  position_too_large,
  unknown_attention_combination,
  no_generated_image,
  scalar_token_missing,
  buffer_too_small,
  head_dimension_not_even,
  vocabulary_slice_empty,
  // plans
  count_out_of_range,
  too_many_conditioning_images,
};

/// A value or the reason why there is none. Never throws; usable in constant expressions and in device code.
template <class T>
class [[nodiscard]] Result {
 public:
  HUNYUAN_RESO_HD constexpr Result(const T& value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  HUNYUAN_RESO_HD constexpr Result(T&& value) noexcept : value_(static_cast<T&&>(value)) {}  // NOLINT
  /// `position`: where in the input, counted from 0 (for a text: the byte); 0 where the input has no parts.
  HUNYUAN_RESO_HD constexpr Result(Errc error,
                                   std::size_t position = 0) noexcept  // NOLINT(google-explicit-constructor)
      : position_(position), error_(error) {}

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_value() const noexcept { return error_ == Errc::none; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr explicit operator bool() const noexcept { return has_value(); }

  /// The value; without one, a value-initialized T (so that a missing check is wrong but never undefined).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const T& operator*() const& noexcept { return value_; }
  /// By value, so that `for (auto row : *make_group(profile))` holds what it goes over.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr T operator*() && noexcept { return static_cast<T&&>(value_); }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr T value_or(const T& other) const { return has_value() ? value_ : other; }

  /// The reason, or Errc::none when there is a value.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Errc error() const noexcept { return error_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t position() const noexcept { return position_; }

 private:
  T value_{};
  std::size_t position_ = 0;
  Errc error_ = Errc::none;
};

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_ERRC_HPP
