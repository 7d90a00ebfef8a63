// SPDX-License-Identifier: MIT
// Any bytes as an image_size argument, with every profile: accepted exactly where the form's plain description, written
// down once more here, accepts them, with the same numbers; what is accepted formats to a text that gives it back.
#include <hunyuan_reso/image_info.hpp>

#include "fuzz.hpp"
#include "models.hpp"

namespace {

using namespace hunyuan_reso;

bool is_blank(char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos; }

/// The form, from the documentation of parse_image_size, without positions. Numbers by hand, in 64 bits.
struct Plain {
  std::string_view text;

  void blanks() {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (text.substr(0, word.size()) != word) return false;
    text.remove_prefix(word.size());
    return true;
  }
  /// -1 where there are no digits; anything over 2^31 - 1 is 2^31.
  std::int64_t number() {
    std::int64_t value = -1;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
      value = (value < 0 ? 0 : value) * 10 + (text.front() - '0');
      if (value > max_side) value = std::int64_t{max_side} + 1;
    }
    return value;
  }
  static bool is_side(std::int64_t value) { return value >= 1 && value <= max_side; }

  bool parse(const ModelProfile& profile, ImageSize& size) {
    blanks();
    if (take("auto")) {
      size = {};
    } else if (take("<img_ratio_")) {
      const std::int64_t index = number();
      if (index < 0 || index >= static_cast<std::int64_t>(profile.ratio_tokens.count) || !take(">")) return false;
      size = ImageSize::of_ratio_index(static_cast<std::size_t>(index));
    } else {
      const std::int64_t first = number();
      blanks();
      const bool is_ratio = take(":");
      if (!is_ratio && !take("x") && !take("X") && !take("\xC3\x97")) return false;
      blanks();
      const std::int64_t second = number();
      if (!is_side(first) || !is_side(second)) return false;
      const auto a = static_cast<std::int32_t>(first);
      const auto b = static_cast<std::int32_t>(second);
      const bool is_width_first = is_ratio && profile.ratio_order == RatioOrder::width_height;
      const Resolution sides = is_width_first ? Resolution{b, a} : Resolution{a, b};
      size = is_ratio ? ImageSize::of_ratio(sides) : ImageSize::of_pixels(sides);
    }
    blanks();
    return text.empty();
  }
};

bool same(const ImageSize& a, const ImageSize& b) {
  return a.kind == b.kind && a.size == b.size && a.ratio_index == b.ratio_index;
}

void check(const Model& model, std::string_view text) {
  const ModelProfile& profile = model.profile;
  const Result<ImageSize> parsed = parse_image_size(text, profile);
  ImageSize plain;
  const bool is_plain = Plain{text}.parse(profile, plain);
  ALWAYS(parsed.has_value() == is_plain);
  const Result<ImageInfo> info = build_gen_image_info(model, text);
  if (!parsed) {
    ALWAYS(parsed.position() <= text.size());
    ALWAYS(message(parsed.error())[0] != '\0');
    ALWAYS(info.error() == parsed.error() && info.position() == parsed.position());
    // What stands before the byte at fault is not to blame.
    const Result<ImageSize> front = parse_image_size(text.substr(0, parsed.position()), profile);
    ALWAYS(front.has_value() || front.position() == parsed.position());
    return;
  }
  ALWAYS(same(*parsed, plain));
  const ImageSizeText formatted = format_image_size(*parsed, profile);
  const Result<ImageSize> again = parse_image_size(formatted.view(), profile);
  ALWAYS(again.has_value() && same(*again, *parsed));
  ALWAYS(format_image_size(*again, profile).view() == formatted.view());
  if (parsed->kind == ImageSizeKind::automatic) {
    ALWAYS(info.error() == Errc::image_size_is_auto);
  } else if (info) {
    ALWAYS(info->ratio_index < model.group.size() && info->image_token_length == info->token_grid().pixel_count());
    ALWAYS(info->image_token_length > 0);
  } else {
    ALWAYS(parsed->kind == ImageSizeKind::ratio_index);  // a token without a row
  }
}

}  // namespace

FUZZ_TARGET(image_size) {
  for (const Model& model : hunyuan_reso_fuzz::published_models()) check(model, input);
}
