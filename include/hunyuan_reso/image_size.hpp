// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_IMAGE_SIZE_HPP
#define HUNYUAN_RESO_IMAGE_SIZE_HPP

#include <string_view>  // string_view

#include "detail/decimal.hpp"
#include "detail/fixed_text.hpp"
#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What kind of image_size argument was given.
enum class ImageSizeKind : std::uint8_t {
  automatic,    ///< `auto`: the model predicts a ratio token
  pixels,       ///< `HxW`
  ratio,        ///< `A:B`, in the profile's order
  ratio_index,  ///< `<img_ratio_i>`
};

/// A parsed image_size argument.
struct ImageSize {
  ImageSizeKind kind = ImageSizeKind::automatic;
  Resolution size{};            ///< pixels for `pixels`, the two parts of the ratio for `ratio`, else 0x0
  std::size_t ratio_index = 0;  ///< for `ratio_index`

  [[nodiscard]] static constexpr ImageSize of_pixels(Resolution size) noexcept {
    return {ImageSizeKind::pixels, size, 0};
  }
  [[nodiscard]] static constexpr ImageSize of_ratio(Resolution ratio) noexcept {
    return {ImageSizeKind::ratio, ratio, 0};
  }
  [[nodiscard]] static constexpr ImageSize of_ratio_index(std::size_t ratio_index) noexcept {
    return {ImageSizeKind::ratio_index, {}, ratio_index};
  }
};

namespace detail {

[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Reads an image_size argument from left to right.
class ImageSizeParser {
 public:
  constexpr ImageSizeParser(std::string_view text, const ModelProfile& profile) noexcept
      : text_(text), profile_(profile) {}

  [[nodiscard]] constexpr Result<ImageSize> parse() noexcept {
    skip_blanks();
    if (position_ == text_.size()) return {Errc::empty_image_size, position_};
    if (take("auto")) return finish({});
    if (take("<img_ratio_")) return parse_ratio_index();
    return parse_pair();
  }

 private:
  [[nodiscard]] constexpr Result<ImageSize> parse_ratio_index() noexcept {
    const std::size_t start = position_;
    const Decimal index = parse_decimal(text_.substr(position_));
    if (index.digits == 0) return {Errc::expected_number, start};
    position_ += index.digits;
    if (!take(">")) return {Errc::expected_ratio_token_end, position_};
    if (index.value >= static_cast<std::int64_t>(ratio_token_count(profile_))) {
      return {Errc::ratio_index_out_of_range, start};
    }
    return finish(ImageSize::of_ratio_index(static_cast<std::size_t>(index.value)));
  }

  [[nodiscard]] constexpr Result<ImageSize> parse_pair() noexcept {
    const Result<std::int32_t> first = parse_side();
    if (!first) return {first.error(), first.position()};
    skip_blanks();
    const bool is_ratio = take(":");
    if (!is_ratio && !take("x") && !take("X") && !take("\xC3\x97")) return {Errc::expected_separator, position_};
    skip_blanks();
    const Result<std::int32_t> second = parse_side();
    if (!second) return {second.error(), second.position()};
    if (!is_ratio) return finish(ImageSize::of_pixels({*first, *second}));
    const bool height_first = profile_.ratio_order == RatioOrder::height_width;
    return finish(ImageSize::of_ratio(height_first ? Resolution{*first, *second} : Resolution{*second, *first}));
  }

  [[nodiscard]] constexpr Result<std::int32_t> parse_side() noexcept {
    const std::size_t start = position_;
    const Decimal number = parse_decimal(text_.substr(position_));
    if (number.digits == 0) return {Errc::expected_number, start};
    position_ += number.digits;
    if (number.value == 0) return {Errc::number_not_positive, start};
    if (number.value > max_side) return {Errc::number_too_large, start};
    return static_cast<std::int32_t>(number.value);
  }

  [[nodiscard]] constexpr Result<ImageSize> finish(const ImageSize& size) noexcept {
    skip_blanks();
    if (position_ != text_.size()) return {Errc::expected_end, position_};
    return size;
  }

  constexpr void skip_blanks() noexcept {
    while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  }

  constexpr bool take(std::string_view expected) noexcept {
    if (!starts_with(text_.substr(position_), expected)) return false;
    position_ += expected.size();
    return true;
  }

  std::string_view text_;
  const ModelProfile& profile_;
  std::size_t position_ = 0;
};

}  // namespace detail

/// Parses `auto`, `HxW` (also with X or the sign U+00D7 in UTF-8), `A:B` in the profile's order, `<img_ratio_i>`;
/// blanks (ASCII) around the whole and around the separator are skipped. Numbers are 1 .. 2^31 - 1, in ASCII digits. An
/// error's position() is the byte at fault, and its message() says what was expected there. Stricter than upstream,
/// which also takes signs, underscores, zeros and other scripts' digits.
[[nodiscard]] constexpr Result<ImageSize> parse_image_size(std::string_view text,
                                                           const ModelProfile& profile) noexcept {
  return detail::ImageSizeParser(text, profile).parse();
}

/// A formatted image size, in place.
using ImageSizeText = FixedText<32>;

/// The canonical text; parse_image_size with the same profile gives the size back.
[[nodiscard]] constexpr ImageSizeText format_image_size(const ImageSize& size, const ModelProfile& profile) noexcept {
  ImageSizeText text;
  switch (size.kind) {
    case ImageSizeKind::automatic:
      return text.append("auto");
    case ImageSizeKind::ratio_index:
      return text.append("<img_ratio_").append_number(size.ratio_index).append(">");
    default:
      break;
  }
  const bool is_ratio = size.kind == ImageSizeKind::ratio;
  const bool height_first = !is_ratio || profile.ratio_order == RatioOrder::height_width;
  const auto height = static_cast<std::uint64_t>(size.size.height > 0 ? size.size.height : 0);
  const auto width = static_cast<std::uint64_t>(size.size.width > 0 ? size.size.width : 0);
  text.append_number(height_first ? height : width).append(is_ratio ? ":" : "x");
  return text.append_number(height_first ? width : height);
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_IMAGE_SIZE_HPP
