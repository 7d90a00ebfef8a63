// SPDX-License-Identifier: MIT
// The image_size argument and the image it asks for (resolution.md, section 4).
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

constexpr const hr::ModelProfile& instruct = hr::profiles::instruct;
constexpr const hr::ModelProfile& base = hr::profiles::base;
constexpr const hr::ResolutionGroup& group = hr::group_for<hr::profiles::instruct>;

constexpr bool is_pixels(std::string_view text, hr::Resolution size) {
  const auto parsed = hr::parse_image_size(text, instruct);
  return parsed && parsed->kind == hr::ImageSizeKind::pixels && parsed->size == size;
}
static_assert(is_pixels("1024x768", {1024, 768}) && is_pixels("1024X768", {1024, 768}));
static_assert(
    is_pixels("1024\xC3\x97"
              "768",
              {1024, 768}));
static_assert(is_pixels(" 1024 x 768\n", {1024, 768}) && is_pixels("2147483647x1", {2147483647, 1}));

constexpr bool is_ratio(std::string_view text, const hr::ModelProfile& profile, hr::Resolution ratio) {
  const auto parsed = hr::parse_image_size(text, profile);
  return parsed && parsed->kind == hr::ImageSizeKind::ratio && parsed->size == ratio;
}
static_assert(is_ratio("16:9", instruct, {9, 16}) && is_ratio("16:9", base, {16, 9}));

static_assert(hr::parse_image_size("auto", instruct)->kind == hr::ImageSizeKind::automatic);
static_assert(hr::parse_image_size("<img_ratio_36>", instruct)->ratio_index == 36);

constexpr bool refused(std::string_view text, hr::Errc error, std::size_t position) {
  const auto parsed = hr::parse_image_size(text, instruct);
  return !parsed && parsed.error() == error && parsed.position() == position;
}
static_assert(refused("", hr::Errc::empty_image_size, 0) && refused("  ", hr::Errc::empty_image_size, 2));
static_assert(refused("wide", hr::Errc::expected_number, 0) && refused("1024x", hr::Errc::expected_number, 5));
static_assert(refused("1024", hr::Errc::expected_separator, 4) && refused("1024*768", hr::Errc::expected_separator, 4));
static_assert(refused("1024x768px", hr::Errc::expected_end, 8) && refused("auto!", hr::Errc::expected_end, 4));
static_assert(refused("0x768", hr::Errc::number_not_positive, 0));
static_assert(refused("1024x2147483648", hr::Errc::number_too_large, 5));
static_assert(refused("1024x99999999999999999999", hr::Errc::number_too_large, 5));
static_assert(refused("-5x4", hr::Errc::expected_number, 0) && refused("5x-4", hr::Errc::expected_number, 2));
static_assert(refused("<img_ratio_37>", hr::Errc::ratio_index_out_of_range, 11));
static_assert(refused("<img_ratio_3", hr::Errc::expected_ratio_token_end, 12));
static_assert(hr::parse_image_size("<img_ratio_33>", base).error() == hr::Errc::ratio_index_out_of_range);

constexpr bool round_trips(std::string_view text, const hr::ModelProfile& profile) {
  return hr::format_image_size(*hr::parse_image_size(text, profile), profile) == text;
}
static_assert(round_trips("auto", base) && round_trips("1024x768", base) && round_trips("<img_ratio_7>", base));
static_assert(round_trips("16:9", base) && round_trips("16:9", instruct));

// Image sides, token sides, count, base size, ratio index.
constexpr bool is_image(std::string_view text, const hr::ModelProfile& profile, const hr::ResolutionGroup& rows,
                        hr::Resolution image, std::size_t ratio_index) {
  const auto info = hr::build_gen_image_info(text, profile, rows);
  return info && info->image_height == image.height && info->image_width == image.width &&
         info->token_height == image.height / 16 && info->token_width == image.width / 16 &&
         info->image_token_length == image.pixel_count() / 256 && info->base_size == 1024 &&
         info->ratio_index == ratio_index && info->trained.all();
}
constexpr const hr::ResolutionGroup& base_group = hr::group_for<hr::profiles::base>;
static_assert(is_image("1024x1024", instruct, group, {1024, 1024}, 16));
static_assert(is_image("2048x2048", base, base_group, {1024, 1024}, 16));
static_assert(is_image("768x1344", instruct, group, {720, 1280}, 36));
static_assert(is_image("768x1344", base, base_group, {768, 1280}, 12));
static_assert(is_image("9:16", instruct, group, {1280, 720}, 34));
static_assert(is_image("9:16", base, base_group, {768, 1280}, 12));
static_assert(is_image("3:4", instruct, group, {1024, 768}, 33));
static_assert(is_image("<img_ratio_0>", instruct, group, {512, 2048}, 0));
static_assert(hr::build_gen_image_info("auto", instruct, group).error() == hr::Errc::image_size_is_auto);
static_assert(hr::build_gen_image_info("12*3", instruct, group).position() == 2);

// Flags of the sequence.
constexpr auto square = hr::build_gen_image_info(hr::Resolution{1024, 1024}, instruct, group);
static_assert(square->add_timestep_token && square->use_front_boi_token && square->add_image_shape_token);
static_assert(!square->add_guidance_token && !square->add_timestep_r_token);
constexpr auto distil = hr::build_gen_image_info(hr::Resolution{1024, 1024}, hr::profiles::instruct_distil, group);
static_assert(distil->add_guidance_token && distil->add_timestep_r_token);

// Following the request: untrained, and labelled so.
constexpr auto followed =
    hr::build_gen_image_info(hr::Resolution{1080, 1920}, instruct, group, hr::GridMode::follow_request);
static_assert(followed->image_size() == hr::Resolution{1072, 1920} && followed->base_size == 1024);
static_assert(followed->ratio_index == 36 && !followed->trained.grid && followed->trained.ratio_token);
constexpr auto by_area =
    hr::build_gen_image_info(hr::Resolution{1080, 1920}, instruct, group, hr::GridMode::follow_request_by_area);
static_assert(by_area->image_size() == hr::Resolution{1072, 1920} && by_area->base_size == 1536);
static_assert(!by_area->trained.base_size && by_area->requested == hr::Resolution{1080, 1920});
static_assert(hr::build_gen_image_info(hr::Resolution{15, 64}, instruct, group, hr::GridMode::follow_request).error() ==
              hr::Errc::request_below_one_token);
static_assert(hr::build_gen_image_info(hr::Resolution{0, 64}, instruct, group).error() == hr::Errc::side_not_positive);

// The size token by area: 1.05 times the largest row, never below 1024.
static_assert(*hr::base_size_by_area(instruct, {1, 1}) == 1024 &&
              *hr::base_size_by_area(instruct, {1024, 1024}) == 1024);
static_assert(*hr::base_size_by_area(instruct, {1, 1101004}) == 1024);  // 1.05 * 1024 * 1024 = 1101004.8
static_assert(*hr::base_size_by_area(instruct, {1, 1101005}) == 1536);
static_assert(*hr::base_size_by_area(instruct, {8192, 8192}) == 8192);
static_assert(hr::base_size_by_area(instruct, {10000, 10000}).error() == hr::Errc::no_size_token);

}  // namespace
