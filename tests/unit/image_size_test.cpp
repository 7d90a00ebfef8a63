// SPDX-License-Identifier: MIT
// The image_size argument: forms, errors with their positions, and the way back to text.
#include <hunyuan_reso/image_size.hpp>

#include <string>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool is_pixels(std::string_view text, std::int32_t height, std::int32_t width) {
  const Result<ImageSize> size = parse_image_size(text, profiles::instruct);
  return size && size->kind == ImageSizeKind::pixels && size->size == Resolution{height, width};
}
constexpr bool is_ratio(std::string_view text, const ModelProfile& profile, std::int32_t height, std::int32_t width) {
  const Result<ImageSize> size = parse_image_size(text, profile);
  return size && size->kind == ImageSizeKind::ratio && size->size == Resolution{height, width};
}
constexpr bool is_row(std::string_view text, std::size_t row) {
  const Result<ImageSize> size = parse_image_size(text, profiles::instruct);
  return size && size->kind == ImageSizeKind::ratio_index && size->ratio_index == row && size->size == Resolution{};
}
constexpr bool is_auto(std::string_view text) {
  const Result<ImageSize> size = parse_image_size(text, profiles::instruct);
  return size && size->kind == ImageSizeKind::automatic && size->size == Resolution{};
}
constexpr bool refused(std::string_view text, Errc error, std::size_t position,
                       const ModelProfile& profile = profiles::instruct) {
  const Result<ImageSize> size = parse_image_size(text, profile);
  return size.error() == error && size.position() == position;
}

constexpr bool accepted_forms() {
  EXPECT(is_auto("auto"));
  EXPECT(is_auto("  auto\t"));
  EXPECT(is_pixels("1024x768", 1024, 768));
  EXPECT(is_pixels("1024X768", 1024, 768));
  EXPECT(
      is_pixels("1024\xC3\x97"
                "768",
                1024, 768));
  EXPECT(is_pixels(" 1024 x 768 ", 1024, 768));
  EXPECT(is_pixels("\t1024\n\xC3\x97\r768\v\f", 1024, 768));
  EXPECT(is_pixels("1x1", 1, 1));
  EXPECT(is_pixels("0001x0000000000000000000000000000000002", 1, 2));
  EXPECT(is_pixels("2147483647x1", max_side, 1));
  EXPECT(is_row("<img_ratio_0>", 0));
  EXPECT(is_row("<img_ratio_36>", 36));
  EXPECT(is_row(" <img_ratio_05> ", 5));
  return true;
}
BOTH_TIMES(accepted_forms)

constexpr bool ratios_depend_on_the_profile() {
  EXPECT(is_ratio("16:9", profiles::instruct, 9, 16));
  EXPECT(is_ratio("16:9", profiles::instruct_distil, 9, 16));
  EXPECT(is_ratio("16:9", profiles::panorama, 9, 16));
  EXPECT(is_ratio("16:9", profiles::base, 16, 9));
  EXPECT(is_ratio(" 2147483647 : 1 ", profiles::instruct, 1, max_side));
  EXPECT(is_ratio("01:1", profiles::base, 1, 1));
  return true;
}
BOTH_TIMES(ratios_depend_on_the_profile)

constexpr bool errors_name_the_position() {
  EXPECT(refused("", Errc::empty_image_size, 0));
  EXPECT(refused("  \t ", Errc::empty_image_size, 4));
  EXPECT(refused("abc", Errc::expected_number, 0));
  EXPECT(refused(" x10", Errc::expected_number, 1));
  EXPECT(refused(":", Errc::expected_number, 0));
  EXPECT(refused("-16:9", Errc::expected_number, 0));
  EXPECT(refused("+1x2", Errc::expected_number, 0));
  EXPECT(refused("1024x", Errc::expected_number, 5));
  EXPECT(refused("1024x ", Errc::expected_number, 6));
  EXPECT(refused("1024x-1", Errc::expected_number, 5));
  EXPECT(refused("16: -9", Errc::expected_number, 4));
  EXPECT(refused("1024", Errc::expected_separator, 4));
  EXPECT(refused("1024 ", Errc::expected_separator, 5));
  EXPECT(refused("16/9", Errc::expected_separator, 2));
  EXPECT(refused("1.5x1", Errc::expected_separator, 1));
  EXPECT(refused("1_000x1", Errc::expected_separator, 1));
  EXPECT(refused("1024*768", Errc::expected_separator, 4));
  EXPECT(refused("1024\xC3x768", Errc::expected_separator, 4));
  EXPECT(refused("10x20x30", Errc::expected_end, 5));
  EXPECT(refused("10x20:30", Errc::expected_end, 5));
  EXPECT(refused("10x20 px", Errc::expected_end, 6));
  EXPECT(refused("16:9:4", Errc::expected_end, 4));
  EXPECT(refused("auto1", Errc::expected_end, 4));
  EXPECT(refused("automatic", Errc::expected_end, 4));
  EXPECT(refused("AUTO", Errc::expected_number, 0));
  EXPECT(refused("0x5", Errc::number_not_positive, 0));
  EXPECT(refused("5x0", Errc::number_not_positive, 2));
  EXPECT(refused("5 : 000", Errc::number_not_positive, 4));
  EXPECT(refused("2147483648x1", Errc::number_too_large, 0));
  EXPECT(refused("1x2147483648", Errc::number_too_large, 2));
  EXPECT(refused("1x99999999999999999999999999999999999999999999", Errc::number_too_large, 2));
  EXPECT(refused(std::string_view("1x2\0", 4), Errc::expected_end, 3));
  return true;
}
BOTH_TIMES(errors_name_the_position)

constexpr bool errors_of_ratio_tokens() {
  EXPECT(refused("<img_ratio_", Errc::expected_number, 11));
  EXPECT(refused("<img_ratio_>", Errc::expected_number, 11));
  EXPECT(refused("<img_ratio_-1>", Errc::expected_number, 11));
  EXPECT(refused("<img_ratio_ 5>", Errc::expected_number, 11));
  EXPECT(refused("<img_ratio_5", Errc::expected_ratio_token_end, 12));
  EXPECT(refused("<img_ratio_5 >", Errc::expected_ratio_token_end, 12));
  EXPECT(refused("<img_ratio_5>>", Errc::expected_end, 13));
  EXPECT(refused("<img_ratio_5> 7", Errc::expected_end, 14));
  EXPECT(refused("<img_ratio_37>", Errc::ratio_index_out_of_range, 11));
  EXPECT(refused("<img_ratio_99999999999999999999999>", Errc::ratio_index_out_of_range, 11));
  EXPECT(refused("<img_ratio_33>", Errc::ratio_index_out_of_range, 11, profiles::base));
  EXPECT(parse_image_size("<img_ratio_32>", profiles::base).has_value());
  EXPECT(parse_image_size("<img_ratio_37>", profiles::panorama).has_value());
  EXPECT(refused("<img_ratio_38>", Errc::ratio_index_out_of_range, 11, profiles::panorama));
  EXPECT(refused("<img_Ratio_5>", Errc::expected_number, 0));
  return true;
}
BOTH_TIMES(errors_of_ratio_tokens)

constexpr bool canonical_texts() {
  EXPECT(format_image_size({}, profiles::instruct) == "auto");
  EXPECT(format_image_size(ImageSize::of_pixels({1024, 768}), profiles::instruct) == "1024x768");
  EXPECT(format_image_size(ImageSize::of_pixels({1024, 768}), profiles::base) == "1024x768");
  EXPECT(format_image_size(ImageSize::of_ratio({9, 16}), profiles::instruct) == "16:9");
  EXPECT(format_image_size(ImageSize::of_ratio({9, 16}), profiles::base) == "9:16");
  EXPECT(format_image_size(ImageSize::of_ratio_index(36), profiles::instruct) == "<img_ratio_36>");
  EXPECT(format_image_size(ImageSize::of_pixels({max_side, max_side}), profiles::base) == "2147483647x2147483647");
  EXPECT(format_image_size(ImageSize::of_pixels({-5, 0}), profiles::base) == "0x0");  // refused again when parsed
  EXPECT(format_image_size(ImageSize::of_ratio_index(static_cast<std::size_t>(-1)), profiles::base) ==
         (sizeof(std::size_t) == 8 ? "<img_ratio_18446744073709551615>" : "<img_ratio_4294967295>"));
  return true;
}
BOTH_TIMES(canonical_texts)

constexpr bool texts_in_place() {
  FixedText<4> text;
  EXPECT(text.empty() && text.size() == 0);
  EXPECT(text.append_number(0).view() == "0");
  EXPECT(text.append("abcdef") == "0abc");  // what does not fit is cut off
  EXPECT(text.size() == 4);
  EXPECT(text.append_number(12) == "0abc");
  EXPECT(text != "0ab");
  EXPECT(FixedText<20>().append_number(18446744073709551615U) == "18446744073709551615");
  return true;
}
BOTH_TIMES(texts_in_place)

bool same(const ImageSize& a, const ImageSize& b) {
  return a.kind == b.kind && a.size == b.size && a.ratio_index == b.ratio_index;
}

/// What was accepted comes back from its canonical text; a refusal points into the text or to its end.
bool consistent(std::string_view text, const ModelProfile& profile) {
  const Result<ImageSize> size = parse_image_size(text, profile);
  if (!size) return size.position() <= text.size();
  const ImageSizeText canonical = format_image_size(*size, profile);
  const Result<ImageSize> again = parse_image_size(canonical, profile);
  return again && same(*again, *size) && format_image_size(*again, profile) == canonical.view();
}

TEST_CASE("every kind of size comes back from its text") {
  Random random(41);
  for (const ModelProfile* profile : profiles::all) {
    for (int i = 0; i < 20000; ++i) {
      const Resolution size{random.side(), random.side()};
      for (const ImageSize& original : {ImageSize::of_pixels(size), ImageSize::of_ratio(size), ImageSize{},
                                        ImageSize::of_ratio_index(random.place_below(ratio_token_count(*profile)))}) {
        const Result<ImageSize> parsed = parse_image_size(format_image_size(original, *profile), *profile);
        if (!parsed || !same(*parsed, original)) FAIL_CHECK(format_image_size(original, *profile).view());
      }
    }
  }
}

TEST_CASE("random bytes do no harm") {
  Random random(42);
  const char* pieces[] = {"auto",     "<img_ratio_", ">", "1024", "768", "x",          "X",
                          "\xC3\x97", ":",           " ", "0",    "-",   "2147483647", "9"};
  int accepted = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string text;
    const std::uint64_t length = random.below(i % 3 == 0 ? 40 : 6);
    for (std::uint64_t k = 0; k < length; ++k) {
      if (i % 3 == 0) {
        text += static_cast<char>(random.below(256));
      } else {
        text += pieces[random.below(sizeof(pieces) / sizeof(pieces[0]))];
      }
    }
    const ModelProfile& profile = i % 2 == 0 ? profiles::instruct : profiles::base;
    if (!consistent(text, profile)) FAIL_CHECK(text);
    if (parse_image_size(text, profile)) ++accepted;
  }
  CHECK(accepted > 100);
}

TEST_CASE("texts without a terminating zero, and views into longer ones") {
  const std::string text = "1024x768999";
  const auto parsed = parse_image_size(std::string_view(text).substr(0, 8), profiles::instruct);
  REQUIRE(parsed);
  CHECK(parsed->size == Resolution{1024, 768});
  CHECK(parse_image_size({}, profiles::instruct).error() == Errc::empty_image_size);
}

}  // namespace
}  // namespace hunyuan_reso_test
