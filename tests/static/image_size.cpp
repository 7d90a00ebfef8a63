// SPDX-License-Identifier: MIT
// The image_size argument and the image it asks for.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

constexpr const hr::ModelProfile& instruct = hr::profiles::instruct;
constexpr const hr::ModelProfile& base = hr::profiles::base;
constexpr const hr::Model& model = hr::model_for<hr::profiles::instruct>;
constexpr const hr::Model& base_model = hr::model_for<hr::profiles::base>;

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
constexpr bool is_image(const hr::Model& model_of, std::string_view text, hr::Resolution image,
                        std::size_t ratio_index) {
  const auto info = hr::build_gen_image_info(model_of, text);
  return info && info->image_height == image.height && info->image_width == image.width &&
         info->token_height == image.height / 16 && info->token_width == image.width / 16 &&
         info->image_token_length == image.pixel_count() / 256 && info->base_size == 1024 &&
         info->ratio_index == ratio_index && info->trained.all();
}
static_assert(is_image(model, "1024x1024", {1024, 1024}, 16));
static_assert(is_image(base_model, "2048x2048", {1024, 1024}, 16));
static_assert(is_image(model, "768x1344", {720, 1280}, 36));
static_assert(is_image(base_model, "768x1344", {768, 1280}, 12));
static_assert(is_image(model, "9:16", {1280, 720}, 34));
static_assert(is_image(base_model, "9:16", {768, 1280}, 12));
static_assert(is_image(model, "3:4", {1024, 768}, 33));
static_assert(is_image(model, "<img_ratio_0>", {512, 2048}, 0));
static_assert(hr::build_gen_image_info(model, "auto").error() == hr::Errc::image_size_is_auto);
static_assert(hr::build_gen_image_info(model, "12*3").position() == 2);

// Flags of the sequence.
constexpr auto square = hr::build_gen_image_info(model, hr::Resolution{1024, 1024});
static_assert(square->add_timestep_token && square->use_front_boi_token && square->add_image_shape_token);
static_assert(!square->add_guidance_token && !square->add_timestep_r_token);
constexpr auto distil =
    hr::build_gen_image_info(hr::model_for<hr::profiles::instruct_distil>, hr::Resolution{1024, 1024});
static_assert(distil->add_guidance_token && distil->add_timestep_r_token);

// Following the request: untrained, and labelled so.
constexpr auto followed = hr::build_gen_image_info(model, hr::Resolution{1080, 1920}, hr::GridMode::follow_request);
static_assert(followed->image_size() == hr::Resolution{1072, 1920} && followed->base_size == 1024);
static_assert(followed->ratio_index == 36 && !followed->trained.grid && followed->trained.ratio_token);
constexpr auto by_area =
    hr::build_gen_image_info(model, hr::Resolution{1080, 1920}, hr::GridMode::follow_request_by_area);
static_assert(by_area->image_size() == hr::Resolution{1072, 1920} && by_area->base_size == 1536);
static_assert(!by_area->trained.base_size && by_area->requested == hr::Resolution{1080, 1920});
static_assert(hr::build_gen_image_info(model, hr::Resolution{15, 64}, hr::GridMode::follow_request).error() ==
              hr::Errc::request_below_one_token);
static_assert(hr::build_gen_image_info(model, hr::Resolution{0, 64}).error() == hr::Errc::side_not_positive);

// The panorama takes a request of whole tokens as it is; its ratio index is the nearest row's all the same.
constexpr const hr::Model& panorama = hr::model_for<hr::profiles::panorama>;
constexpr auto kept = hr::build_gen_image_info(panorama, hr::Resolution{1008, 1936});
static_assert(kept->image_size() == hr::Resolution{1008, 1936} && kept->grid_mode == hr::GridMode::follow_request);
static_assert(kept->ratio_index == panorama.group.snap({1008, 1936}) && kept->base_size == 1024 && !kept->trained.grid);
constexpr auto own_row = hr::build_gen_image_info(panorama, "960x1952");
static_assert(own_row->image_size() == hr::Resolution{960, 1952} && own_row->ratio_index == 37);
static_assert(hr::build_gen_image_info(panorama, "961x1952")->image_size() == hr::Resolution{960, 1952});
static_assert(hr::build_gen_image_info(panorama, "1000x1000")->image_size() == hr::Resolution{1024, 1024});
static_assert(hr::build_gen_image_info(model, "1008x1936")->grid_mode == hr::GridMode::snap);

// Conditioning images: the VAE's row, and the ViT's true grid with its padded slots.
constexpr auto condition = hr::build_cond_image_info(model, {3024, 4032});
static_assert(condition->kind == hr::ImageKind::cond_joint && condition->image_size() == hr::Resolution{768, 1024});
static_assert(condition->vit_grid() == hr::Resolution{27, 36} && condition->vit_token_length == 1024);
static_assert(hr::build_cond_image_info(model, {1024, 1024})->vit_grid() == hr::Resolution{32, 32});
static_assert(hr::build_cond_image_info(model, {1080, 1920})->vit_grid() == hr::Resolution{24, 42});
static_assert(hr::build_cond_image_info(model, {1, 8192})->vit_grid() == hr::Resolution{1, 1024});
static_assert(hr::build_cond_image_info(model, {0, 5}).error() == hr::Errc::side_not_positive);
static_assert(*hr::detail::vit_grid({60, 60}, 16, 16) == hr::Resolution{4, 4});
static_assert(hr::build_cond_image_info(model, {hr::max_side, hr::max_side}).error() ==
              hr::Errc::vit_grid_exceeds_slots);
static_assert(hr::oriented({480, 640}, 6) == hr::Resolution{640, 480});
static_assert(hr::oriented({480, 640}, 3) == hr::Resolution{480, 640});

// The size token by area: 1.05 times the largest row, never below 1024.
static_assert(*hr::base_size_by_area(instruct, {1, 1}) == 1024 &&
              *hr::base_size_by_area(instruct, {1024, 1024}) == 1024);
static_assert(*hr::base_size_by_area(instruct, {1, 1101004}) == 1024);  // 1.05 * 1024 * 1024 = 1101004.8
static_assert(*hr::base_size_by_area(instruct, {1, 1101005}) == 1536);
static_assert(*hr::base_size_by_area(instruct, {8192, 8192}) == 8192);
static_assert(hr::base_size_by_area(instruct, {10000, 10000}).error() == hr::Errc::no_size_token);

}  // namespace
