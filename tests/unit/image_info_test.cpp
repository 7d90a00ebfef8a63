// SPDX-License-Identifier: MIT
// From a request to the description of the image to generate, in all grid modes (resolution.md, sections 1 and 4).
#include <hunyuan_reso/image_info.hpp>

#include <string>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool snapping_a_request() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const ImageInfo info = *build_gen_image_info(Resolution{1080, 1920}, profiles::instruct, group);
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
  const ResolutionGroup group = *make_group(profiles::instruct_distil);
  const ImageInfo info = *build_gen_image_info("1:1", profiles::instruct_distil, group);
  EXPECT(info.add_guidance_token && info.add_timestep_r_token && info.add_timestep_token);
  return true;
}
BOTH_TIMES(distil_adds_two_tokens)

constexpr bool every_form_of_request() {
  const ResolutionGroup instruct = *make_group(profiles::instruct);
  const ResolutionGroup base = *make_group(profiles::base);
  const auto size = [&](std::string_view text) {
    return build_gen_image_info(text, profiles::instruct, instruct)->image_size();
  };
  EXPECT((size("1080x1920") == Resolution{720, 1280}));
  EXPECT((size("16:9") == Resolution{720, 1280}));
  EXPECT((size("<img_ratio_36>") == Resolution{720, 1280}));
  EXPECT((build_gen_image_info("16:9", profiles::base, base)->image_size() == Resolution{1280, 768}));
  // only pixels are a request that could be followed
  EXPECT((build_gen_image_info("16:9", profiles::instruct, instruct)->requested == Resolution{}));
  EXPECT((build_gen_image_info("<img_ratio_36>", profiles::instruct, instruct)->requested == Resolution{}));
  EXPECT((build_gen_image_info("30x40", profiles::instruct, instruct)->requested == Resolution{30, 40}));
  return true;
}
BOTH_TIMES(every_form_of_request)

constexpr bool following_a_request() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const auto follow = [&](Resolution size, GridMode mode) {
    return *build_gen_image_info(size, profiles::instruct, group, mode);
  };
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
  const ResolutionGroup group = *make_group(profiles::instruct);
  for (const GridMode mode : {GridMode::snap, GridMode::follow_request, GridMode::follow_request_by_area}) {
    const ImageInfo ratio = *build_gen_image_info("4:3", profiles::instruct, group, mode);
    EXPECT((ratio.image_size() == Resolution{768, 1024}));
    EXPECT(ratio.grid_mode == GridMode::snap);
    const ImageInfo token = *build_gen_image_info("<img_ratio_0>", profiles::instruct, group, mode);
    EXPECT((token.image_size() == Resolution{512, 2048}));
    EXPECT(token.grid_mode == GridMode::snap && token.base_size == 1024);
  }
  return true;
}
BOTH_TIMES(ratios_take_the_row_in_every_mode)

constexpr bool untrained_base_sizes() {
  // Extras are absolute: 4:3 still lands on 1024x768, whose size token is not the trained one.
  const ResolutionGroup absolute = *make_group(profiles::instruct, 2048);
  const ImageInfo extra = *build_gen_image_info("4:3", profiles::instruct, absolute);
  EXPECT((extra.image_size() == Resolution{768, 1024}));
  EXPECT(extra.base_size == 2048 && extra.trained.grid && !extra.trained.base_size && !extra.trained.all());
  const ResolutionGroup scaled = *make_group(profiles::instruct, 2048, ExtraScaling::scaled);
  const ImageInfo large = *build_gen_image_info("4:3", profiles::instruct, scaled);
  EXPECT((large.image_size() == Resolution{1536, 2048}));
  EXPECT(!large.trained.grid && !large.trained.base_size && large.trained.ratio_token);
  // a row beyond the profile's ratio tokens
  const ResolutionGroup fine = *ResolutionGroup::create(GroupSpec{}.with_step(48));
  EXPECT(!image_info_of_row(40, profiles::instruct, fine)->trained.ratio_token);
  return true;
}
BOTH_TIMES(untrained_base_sizes)

constexpr bool rows_as_images() {
  const ResolutionGroup group = *make_group(profiles::panorama);
  for (std::size_t i = 0; i < group.size(); ++i) {
    const ImageInfo info = *image_info_of_row(i, profiles::panorama, group);
    EXPECT(info.image_size() == group[i] && info.ratio_index == i && info.trained.all());
    EXPECT(info.token_height == group[i].height / 16 && info.token_width == group[i].width / 16);
    EXPECT(info.image_token_length == group[i].pixel_count() / 256);
    EXPECT(info.requested == Resolution{});
  }
  EXPECT(image_info_of_row(38, profiles::panorama, group).error() == Errc::ratio_index_out_of_range);
  EXPECT((image_info_of_row(37, profiles::panorama, group)->image_size() == Resolution{960, 1952}));
  return true;
}
BOTH_TIMES(rows_as_images)

constexpr bool refused_requests() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const auto error = [&](Resolution size, GridMode mode) {
    return build_gen_image_info(size, profiles::instruct, group, mode).error();
  };
  for (const GridMode mode : {GridMode::snap, GridMode::follow_request, GridMode::follow_request_by_area}) {
    EXPECT(error({0, 5}, mode) == Errc::side_not_positive);
    EXPECT(error({5, -1}, mode) == Errc::side_not_positive);
    EXPECT(build_gen_image_info("auto", profiles::instruct, group, mode).error() == Errc::image_size_is_auto);
    EXPECT(build_gen_image_info("12:", profiles::instruct, group, mode).error() == Errc::expected_number);
    EXPECT(build_gen_image_info("12:", profiles::instruct, group, mode).position() == 3);
    const ImageSize bad_ratio = ImageSize::of_ratio({1, 0});
    EXPECT(build_gen_image_info(bad_ratio, profiles::instruct, group, mode).error() == Errc::side_not_positive);
    const ImageSize bad_row = ImageSize::of_ratio_index(37);
    EXPECT(build_gen_image_info(bad_row, profiles::instruct, group, mode).error() == Errc::ratio_index_out_of_range);
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
  const ImageInfo info = *build_gen_image_info("1:1", profile, *make_group(profile));
  EXPECT(info.token_height == 1024 / 48 && info.token_width == 1024 / 24);
  EXPECT(info.image_token_length == 21 * 42);
  const auto followed =
      build_gen_image_info(Resolution{100, 100}, profile, *make_group(profile), GridMode::follow_request);
  EXPECT((followed->image_size() == Resolution{96, 96}));
  EXPECT(build_gen_image_info(Resolution{47, 100}, profile, *make_group(profile), GridMode::follow_request).error() ==
         Errc::request_below_one_token);
  return true;
}
BOTH_TIMES(tokens_per_axis_follow_the_profile)

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
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct, &profiles::panorama}) {
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
