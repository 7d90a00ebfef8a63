// SPDX-License-Identifier: MIT
// From a request to the description of the image to generate, in all grid modes.
#include <hunyuan_reso/image_info.hpp>

#include <string>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool snapping_a_request() {
  const Model model = *Model::create(profiles::instruct);
  const ImageInfo info = *build_gen_image_info(model, Resolution{1080, 1920});
  EXPECT(info.image_width == 1280 && info.image_height == 720);
  EXPECT((info.image_size() == Resolution{720, 1280}));
  EXPECT(info.token_width == 80 && info.token_height == 45);
  EXPECT(info.image_token_length == 3600);
  EXPECT(info.base_size == 1024 && info.ratio_index == 36);
  EXPECT(info.add_timestep_token && info.use_front_boi_token && info.add_image_shape_token);
  EXPECT(!info.add_guidance_token && !info.add_timestep_r_token);
  EXPECT((info.requested == Resolution{1080, 1920}));
  EXPECT(info.grid_mode == GridMode::snap);
  EXPECT(info.trained.all());
  return true;
}
BOTH_TIMES(snapping_a_request)

constexpr bool distil_adds_two_tokens() {
  const Model model = *Model::create(profiles::instruct_distil);
  const ImageInfo info = *build_gen_image_info(model, "1:1");
  EXPECT(info.add_guidance_token && info.add_timestep_r_token && info.add_timestep_token);
  return true;
}
BOTH_TIMES(distil_adds_two_tokens)

constexpr bool every_form_of_request() {
  const Model instruct = *Model::create(profiles::instruct);
  const Model base = *Model::create(profiles::base);
  const auto size = [&](std::string_view text) { return build_gen_image_info(instruct, text)->image_size(); };
  EXPECT((size("1080x1920") == Resolution{720, 1280}));
  EXPECT((size("16:9") == Resolution{720, 1280}));
  EXPECT((size("<img_ratio_36>") == Resolution{720, 1280}));
  EXPECT((build_gen_image_info(base, "16:9")->image_size() == Resolution{1280, 768}));
  // only pixels are a request that could be followed
  EXPECT((build_gen_image_info(instruct, "16:9")->requested == Resolution{}));
  EXPECT((build_gen_image_info(instruct, "<img_ratio_36>")->requested == Resolution{}));
  EXPECT((build_gen_image_info(instruct, "30x40")->requested == Resolution{30, 40}));
  return true;
}
BOTH_TIMES(every_form_of_request)

constexpr bool following_a_request() {
  const Model model = *Model::create(profiles::instruct);
  const auto follow = [&](Resolution size, GridMode mode) { return *build_gen_image_info(model, size, mode); };
  const ImageInfo kept = follow({1500, 1999}, GridMode::follow_request);
  EXPECT((kept.image_size() == Resolution{1488, 1984}));
  EXPECT(kept.token_height == 93 && kept.token_width == 124 && kept.image_token_length == 11532);
  EXPECT(kept.base_size == 1024 && kept.ratio_index == 35);
  EXPECT((kept.requested == Resolution{1500, 1999}));
  EXPECT(kept.grid_mode == GridMode::follow_request);
  EXPECT(kept.trained.base_size && !kept.trained.grid && kept.trained.ratio_token && !kept.trained.all());
  const ImageInfo by_area = follow({1500, 1999}, GridMode::follow_request_by_area);
  EXPECT((by_area.image_size() == Resolution{1488, 1984}));
  EXPECT(by_area.base_size == 2048 && by_area.ratio_index == 35);
  EXPECT(by_area.grid_mode == GridMode::follow_request_by_area);
  EXPECT(!by_area.trained.base_size && !by_area.trained.grid);
  // a request that happens to be a published row is trained
  EXPECT(follow({720, 1280}, GridMode::follow_request).trained.all());
  EXPECT(follow({735, 1295}, GridMode::follow_request_by_area).trained.all());
  EXPECT((follow({16, 31}, GridMode::follow_request).image_size() == Resolution{16, 16}));
  return true;
}
BOTH_TIMES(following_a_request)

constexpr bool ratios_take_the_row_in_every_mode() {
  const Model model = *Model::create(profiles::instruct);
  for (const GridMode mode : {GridMode::snap, GridMode::follow_request, GridMode::follow_request_by_area}) {
    const ImageInfo ratio = *build_gen_image_info(model, "4:3", mode);
    EXPECT((ratio.image_size() == Resolution{768, 1024}));
    EXPECT(ratio.grid_mode == GridMode::snap);
    const ImageInfo token = *build_gen_image_info(model, "<img_ratio_0>", mode);
    EXPECT((token.image_size() == Resolution{512, 2048}));
    EXPECT(token.grid_mode == GridMode::snap && token.base_size == 1024);
  }
  return true;
}
BOTH_TIMES(ratios_take_the_row_in_every_mode)

constexpr bool untrained_base_sizes() {
  // Extras are absolute: 4:3 still lands on 1024x768, whose size token is not the trained one.
  const Model absolute = *Model::create(profiles::instruct, 2048);
  const ImageInfo extra = *build_gen_image_info(absolute, "4:3");
  EXPECT((extra.image_size() == Resolution{768, 1024}));
  EXPECT(extra.base_size == 2048 && extra.trained.grid && !extra.trained.base_size && !extra.trained.all());
  const Model scaled = *Model::create(profiles::instruct, 2048, ExtraScaling::scaled);
  const ImageInfo large = *build_gen_image_info(scaled, "4:3");
  EXPECT((large.image_size() == Resolution{1536, 2048}));
  EXPECT(!large.trained.grid && !large.trained.base_size && large.trained.ratio_token);
  // a row beyond the profile's ratio tokens
  const Model fine{profiles::instruct, *ResolutionGroup::create(GroupSpec{}.with_step(48))};
  EXPECT(!image_info_of_row(fine, 40)->trained.ratio_token);
  return true;
}
BOTH_TIMES(untrained_base_sizes)

constexpr bool rows_as_images() {
  const Model model = *Model::create(profiles::panorama);
  for (std::size_t i = 0; i < model.group.size(); ++i) {
    const ImageInfo info = *image_info_of_row(model, i);
    EXPECT(info.image_size() == model.group[i] && info.ratio_index == i && info.trained.all());
    EXPECT(info.token_height == model.group[i].height / 16 && info.token_width == model.group[i].width / 16);
    EXPECT(info.image_token_length == model.group[i].pixel_count() / 256);
    EXPECT(info.requested == Resolution{});
  }
  EXPECT(image_info_of_row(model, 38).error() == Errc::ratio_index_out_of_range);
  EXPECT((image_info_of_row(model, 37)->image_size() == Resolution{960, 1952}));
  return true;
}
BOTH_TIMES(rows_as_images)

constexpr bool refused_requests() {
  const Model model = *Model::create(profiles::instruct);
  const auto error = [&](Resolution size, GridMode mode) { return build_gen_image_info(model, size, mode).error(); };
  for (const GridMode mode : {GridMode::snap, GridMode::follow_request, GridMode::follow_request_by_area}) {
    EXPECT(error({0, 5}, mode) == Errc::side_not_positive);
    EXPECT(error({5, -1}, mode) == Errc::side_not_positive);
    EXPECT(build_gen_image_info(model, "auto", mode).error() == Errc::image_size_is_auto);
    EXPECT(build_gen_image_info(model, "12:", mode).error() == Errc::expected_number);
    EXPECT(build_gen_image_info(model, "12:", mode).position() == 3);
    const ImageSize bad_ratio = ImageSize::of_ratio({1, 0});
    EXPECT(build_gen_image_info(model, bad_ratio, mode).error() == Errc::side_not_positive);
    const ImageSize bad_row = ImageSize::of_ratio_index(37);
    EXPECT(build_gen_image_info(model, bad_row, mode).error() == Errc::ratio_index_out_of_range);
  }
  EXPECT(error({15, 100}, GridMode::snap) == Errc::none);
  EXPECT(error({15, 100}, GridMode::follow_request) == Errc::request_below_one_token);
  EXPECT(error({100, 15}, GridMode::follow_request_by_area) == Errc::request_below_one_token);
  EXPECT(error({16, 16}, GridMode::follow_request) == Errc::none);
  EXPECT(error({max_side, max_side}, GridMode::follow_request) == Errc::none);
  EXPECT(error({max_side, max_side}, GridMode::follow_request_by_area) == Errc::no_size_token);
  return true;
}
BOTH_TIMES(refused_requests)

constexpr bool tokens_per_axis_follow_the_profile() {
  ModelProfile profile = profiles::base;
  profile.vae_downsample_height = 16;
  profile.vae_downsample_width = 8;
  profile.patch_size = 3;
  const Model model = *Model::create(profile);
  const ImageInfo info = *build_gen_image_info(model, "1:1");
  EXPECT(info.token_height == 1024 / 48 && info.token_width == 1024 / 24);
  EXPECT(info.image_token_length == 21 * 42);
  const auto followed = build_gen_image_info(model, Resolution{100, 100}, GridMode::follow_request);
  EXPECT((followed->image_size() == Resolution{96, 96}));
  EXPECT(build_gen_image_info(model, Resolution{47, 100}, GridMode::follow_request).error() ==
         Errc::request_below_one_token);
  return true;
}
BOTH_TIMES(tokens_per_axis_follow_the_profile)

// A request of whole tokens is generated as it is; the ratio index is that of the row nearest to the request.
constexpr bool the_panorama_follows_aligned_requests() {
  const Model model = *Model::create(profiles::panorama);
  const auto size = [&](Resolution request) { return build_gen_image_info(model, request)->image_size(); };
  EXPECT((size({960, 1952}) == Resolution{960, 1952}));
  EXPECT((size({1008, 1936}) == Resolution{1008, 1936}));
  EXPECT((size({16, 16}) == Resolution{16, 16}));
  EXPECT((size({1008, 1937}) == model.group.get_target_size(1937, 1008)));
  EXPECT((size({1009, 1936}) == model.group.get_target_size(1936, 1009)));
  EXPECT((size({15, 15}) == Resolution{1024, 1024}));
  const ImageInfo followed = *build_gen_image_info(model, Resolution{1008, 1936});
  EXPECT(followed.grid_mode == GridMode::follow_request);
  EXPECT(followed.token_height == 63 && followed.token_width == 121 && followed.image_token_length == 63 * 121);
  EXPECT(followed.base_size == 1024 && followed.ratio_index == model.group.snap({1008, 1936}));
  EXPECT(!followed.trained.grid && followed.trained.base_size && followed.trained.ratio_token);
  const ImageInfo row = *build_gen_image_info(model, "960x1952");
  EXPECT(row.ratio_index == 37 && row.trained.all() && row.grid_mode == GridMode::follow_request);
  const ImageInfo snapped = *build_gen_image_info(model, "961x1952");
  EXPECT(snapped.ratio_index == 37 && snapped.grid_mode == GridMode::snap);
  // a ratio or a ratio token names no pixels; by area stays by area
  EXPECT((build_gen_image_info(model, "16:16")->image_size() == Resolution{1024, 1024}));
  EXPECT((build_gen_image_info(model, "<img_ratio_37>")->image_size() == Resolution{960, 1952}));
  const auto by_area = build_gen_image_info(model, Resolution{2048, 2048}, GridMode::follow_request_by_area);
  EXPECT(by_area->grid_mode == GridMode::follow_request_by_area && by_area->base_size == 2048);
  return true;
}
BOTH_TIMES(the_panorama_follows_aligned_requests)

TEST_CASE("aligned requests are followed by the profiles that say so, and by no others") {
  for (const ModelProfile* profile : profiles::all) {
    const Model model = *Model::create(*profile);
    for (std::int32_t h = 1; h <= 2048; h += h < 40 ? 1 : 61) {
      for (std::int32_t w = 1; w <= 2048; w += w < 40 ? 1 : 47) {
        const ImageInfo info = *build_gen_image_info(model, Resolution{h, w});
        const bool follows = profile->follows_aligned_requests && h % 16 == 0 && w % 16 == 0;
        const Resolution expected = follows ? Resolution{h, w} : model.group.get_target_size(w, h);
        const bool is_right = info.image_size() == expected && info.ratio_index == model.group.snap({h, w}) &&
                              info.token_height == expected.height / 16 && info.token_width == expected.width / 16 &&
                              info.grid_mode == (follows ? GridMode::follow_request : GridMode::snap);
        if (!is_right) FAIL_CHECK(profile->name << ", " << h << "x" << w);
      }
    }
  }
}

constexpr bool orientations() {
  for (const std::int32_t value : {1, 2, 3, 4, 0, -1, 9, max_side, -max_side - 1}) {
    EXPECT((oriented({480, 640}, value) == Resolution{480, 640}));
  }
  for (const std::int32_t value : {5, 6, 7, 8}) EXPECT((oriented({480, 640}, value) == Resolution{640, 480}));
  return true;
}
BOTH_TIMES(orientations)

constexpr bool conditioning_images() {
  const Model model = *Model::create(profiles::instruct);
  const ImageInfo info = *build_cond_image_info(model, {3024, 4032});
  EXPECT(info.kind == ImageKind::cond_joint);
  EXPECT((info.image_size() == Resolution{768, 1024}) && info.ratio_index == 35 && info.base_size == 1024);
  EXPECT(info.token_height == 48 && info.token_width == 64 && info.image_token_length == 3072);
  EXPECT((info.vit_grid() == Resolution{27, 36}) && info.vit_token_length == 1024);
  EXPECT((info.requested == Resolution{3024, 4032}));
  EXPECT(info.add_timestep_token && info.add_image_shape_token);
  // <boi> <img_size> <img_ratio> <timestep> VAE <joint_img_sep> ViT <eoi>
  EXPECT(image_block_length(info) == 4 + 3072 + 1 + 1024 + 1);
  const ImageInfo tight = *build_cond_image_info(model, {3024, 4032}, VitSlots::true_grid);
  EXPECT(tight.vit_token_length == 27 * 36 && image_block_length(tight) == 4 + 3072 + 1 + 972 + 1);
  // a conditioning image has no guidance and no second timestep, whatever the profile generates with
  const Model distil = *Model::create(profiles::instruct_distil);
  EXPECT(!build_cond_image_info(distil, {9, 9})->add_guidance_token);
  EXPECT(!build_cond_image_info(distil, {9, 9})->add_timestep_r_token);
  // the panorama's rule is for the generated image only
  const Model panorama = *Model::create(profiles::panorama);
  EXPECT((build_cond_image_info(panorama, {1008, 1936})->image_size() == panorama.group.get_target_size(1936, 1008)));
  return true;
}
BOTH_TIMES(conditioning_images)

constexpr bool conditioning_types() {
  ModelProfile profile = profiles::instruct;
  profile.conditioning_image_type = ConditioningImageType::vae;
  const ImageInfo vae = *build_cond_image_info(*Model::create(profile), {1080, 1920});
  EXPECT(vae.kind == ImageKind::cond_vae && vae.image_token_length == 3600);
  EXPECT(vae.vit_token_length == 0 && vae.vit_token_height == 0 && image_block_length(vae) == 3605);
  // an image that the ViT cannot hold is none of the VAE's business
  EXPECT(build_cond_image_info(*Model::create(profile), {max_side, max_side}).has_value());
  profile.conditioning_image_type = ConditioningImageType::vit;
  profile.vit_slots = 256;
  const ImageInfo vit = *build_cond_image_info(*Model::create(profile), {1, 8192});
  EXPECT(vit.kind == ImageKind::cond_vit && (vit.vit_grid() == Resolution{1, 256}) && vit.vit_token_length == 256);
  EXPECT(vit.image_token_length == 0 && vit.image_height == 0 && vit.token_height == 0);
  EXPECT(image_block_length(vit) == 258);
  EXPECT(!has_vae_run(vit.kind) && has_vit_run(vit.kind) && has_vae_run(vae.kind) && !has_vit_run(vae.kind));
  profile.vit_slots = 0;
  EXPECT(build_cond_image_info(*Model::create(profile), {1, 1}).error() == Errc::vit_grid_exceeds_slots);
  return true;
}
BOTH_TIMES(conditioning_types)

constexpr bool refused_conditioning_images() {
  const Model model = *Model::create(profiles::instruct);
  const std::int32_t sides[] = {0, -1, -max_side - 1};
  for (const std::int32_t side : sides) {
    EXPECT(build_cond_image_info(model, {side, 64}).error() == Errc::side_not_positive);
    EXPECT(build_cond_image_info(model, {64, side}).error() == Errc::side_not_positive);
  }
  // the least scale is 1e-6, so one long side still fits, and two do not
  EXPECT((build_cond_image_info(model, {1, max_side})->vit_grid() == Resolution{1, 935}));
  EXPECT((build_cond_image_info(model, {max_side, 1})->vit_grid() == Resolution{935, 1}));
  EXPECT(build_cond_image_info(model, {max_side, max_side}).error() == Errc::vit_grid_exceeds_slots);
  return true;
}
BOTH_TIMES(refused_conditioning_images)

constexpr bool block_lengths() {
  const Model model = *Model::create(profiles::instruct_distil);
  ImageInfo info = *build_gen_image_info(model, "1:1");
  // <boi> <img_size> <img_ratio> <timestep> <guidance> <timestep_r> image <eoi>
  EXPECT(image_block_length(info) == 4096 + 7);
  info.add_image_shape_token = false;
  EXPECT(image_block_length(info) == 4096 + 5);
  info.add_timestep_token = info.add_guidance_token = info.add_timestep_r_token = false;
  EXPECT(image_block_length(info) == 4096 + 2);
  EXPECT(image_block_length(ImageInfo{}) == 5);
  return true;
}
BOTH_TIMES(block_lengths)

constexpr bool size_token_by_area() {
  const auto by_area = [](std::int64_t pixels) {  // an image one pixel high
    return base_size_by_area(profiles::instruct, {1, static_cast<std::int32_t>(pixels)});
  };
  // largest area x 1.05, rounded down: the last area of each base size, and one pixel more
  const struct {
    std::int32_t base_size;
    std::int64_t last;
  } ladder[] = {{1024, 1101004},  {1536, 2477260},  {2048, 4404019}, {3072, 9909043},
                {4096, 17616076}, {6144, 39636172}, {8192, 70464307}};
  EXPECT(*by_area(1) == 1024);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT(*by_area(ladder[i].last) == ladder[i].base_size);
    if (i != 6) EXPECT(*by_area(ladder[i].last + 1) == ladder[i + 1].base_size);
  }
  EXPECT(by_area(70464308).error() == Errc::no_size_token);
  ModelProfile finer = profiles::instruct;
  finer.size_tokens.append(1280, 130109);  // behind 8192: it goes to its place
  EXPECT(*base_size_by_area(finer, {1, 1101005}) == 1280);
  EXPECT(base_size_by_area(profiles::instruct, {0, 5}).error() == Errc::side_not_positive);
  EXPECT(*base_size_by_area(profiles::base, {1024, 1075}) == 1024);
  EXPECT(*base_size_by_area(profiles::base, {1024, 1076}) == 1536);
  // the panorama row of 960x1952 is the largest one at 1024: 1873920 * 1.05 = 1967616
  EXPECT(*base_size_by_area(profiles::panorama, {960, 1952}) == 1024);
  EXPECT(*base_size_by_area(profiles::panorama, {1, 1967616}) == 1024);
  EXPECT(*base_size_by_area(profiles::panorama, {1, 1967617}) == 1536);
  return true;
}
BOTH_TIMES(size_token_by_area)

/// The rule as written: the largest row of the group itself, not of the profile's list.
std::int64_t largest_row_area(const ModelProfile& profile, std::int32_t base_size) {
  std::int64_t largest = 0;
  const auto group = make_group(profile, base_size);
  for (const Resolution row : *group) {
    if (row.pixel_count() > largest) largest = row.pixel_count();
  }
  return largest;
}

void check_area_limits(const ModelProfile& profile) {
  for (const std::int32_t base_size : {1024, 1536, 2048, 3072, 4096, 6144, 8192}) {
    const std::int64_t last = largest_row_area(profile, base_size) * 105 / 100;
    INFO(std::string(profile.name) << " at " << base_size);
    CHECK(base_size_by_area(profile, {1, static_cast<std::int32_t>(last)}).value_or(0) == base_size);
    CHECK(base_size_by_area(profile, {1, static_cast<std::int32_t>(last + 1)}).value_or(0) != base_size);
  }
}

TEST_CASE("the size token by area follows the group's largest row") {
  for (const ModelProfile* profile : profiles::all) {
    check_area_limits(*profile);
  }
}

TEST_CASE("the size token by area with an extra row that the group drops") {
  // 2048x2048 has the ratio of row 16, so no group has it as a row, and its area must not count.
  ModelProfile profile = profiles::instruct;
  profile.extras.append({2048, 2048});
  CHECK(make_group(profile)->size() == 37);
  check_area_limits(profile);
}

}  // namespace
}  // namespace hunyuan_reso_test
