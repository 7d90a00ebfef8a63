// SPDX-License-Identifier: MIT
// What differs between checkpoints.
#include <hunyuan_reso/profile.hpp>

#include <string>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool base_profile() {
  const ModelProfile& profile = profiles::base;
  EXPECT(std::string_view(profile.name) == "base");
  EXPECT(profile.align == 1);
  EXPECT(profile.extras.count == 0);
  EXPECT(profile.ratio_token_count() == 33);
  EXPECT(profile.ratio_order == RatioOrder::height_width);
  EXPECT(profile.falls_back_to_square);
  EXPECT(profile.chat_template == ChatTemplate::pretrain);
  EXPECT(profile.bot_task == BotTask::image);
  EXPECT(profile.guidance == 5.0);
  EXPECT(profile.steps == 50);
  EXPECT(profile.max_length == 12800);
  EXPECT(!profile.cfg_distilled && !profile.use_meanflow);
  return true;
}
BOTH_TIMES(base_profile)

constexpr bool instruct_family() {
  const ModelProfile family[] = {profiles::instruct, profiles::instruct_distil, profiles::panorama};
  const std::string_view names[] = {"instruct", "instruct-distil", "panorama"};
  for (std::size_t i = 0; i < 3; ++i) {
    const ModelProfile& profile = family[i];
    EXPECT(std::string_view(profile.name) == names[i]);
    EXPECT(profile.align == 16);
    EXPECT(profile.trained_base_size == 1024);
    EXPECT(profile.extras.rows[0] == Resolution{1024, 768});
    EXPECT(profile.extras.rows[1] == Resolution{1280, 720});
    EXPECT(profile.extras.rows[2] == Resolution{768, 1024});
    EXPECT(profile.extras.rows[3] == Resolution{720, 1280});
    EXPECT(profile.ratio_order == RatioOrder::width_height);
    EXPECT(!profile.falls_back_to_square);
    EXPECT(profile.vocabulary_size == 133120);
    EXPECT(profile.max_length == 22800);
    EXPECT(profile.token_pixels_high() == 16 && profile.token_pixels_wide() == 16);
  }
  EXPECT(profiles::instruct.extras.count == 4 && profiles::panorama.extras.count == 5);
  EXPECT(profiles::instruct.ratio_token_count() == 37 && profiles::panorama.ratio_token_count() == 38);
  EXPECT(profiles::panorama.extras.rows[4] == Resolution{960, 1952});
  EXPECT(profiles::instruct_distil.cfg_distilled && profiles::instruct_distil.use_meanflow);
  EXPECT(!profiles::instruct.cfg_distilled && !profiles::instruct.use_meanflow);
  EXPECT(profiles::instruct_distil.steps == 8 && profiles::instruct.steps == 50);
  EXPECT(profiles::instruct.guidance == 2.5);
  return true;
}
BOTH_TIMES(instruct_family)

constexpr bool pixels_of_a_token() {
  ModelProfile profile = profiles::instruct;
  profile.vae_downsample_height = 8;
  profile.vae_downsample_width = 16;
  profile.patch_size = 3;
  EXPECT(profile.token_pixels_high() == 24);
  EXPECT(profile.token_pixels_wide() == 48);
  return true;
}
BOTH_TIMES(pixels_of_a_token)

constexpr bool unpublished_ratio_token_id() {
  const ModelProfile profile = profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(profile.ratio_tokens[2].first_id == 130108);
  EXPECT(profiles::panorama.ratio_tokens[2].first_id == invalid_token_id);
  // published ids stay, and so does everything that the profile does not have
  EXPECT(profile.with_ratio_token_id(37, 5).ratio_tokens[2].first_id == 130108);
  EXPECT(profile.with_ratio_token_id(0, 5).ratio_tokens[0].first_id == 128044);
  EXPECT(profile.with_ratio_token_id(33, 5).ratio_tokens[1].first_id == 130103);
  EXPECT(profiles::panorama.with_ratio_token_id(36, 5).ratio_tokens[2].first_id == invalid_token_id);
  EXPECT(profiles::panorama.with_ratio_token_id(37, -5).ratio_tokens[2].first_id == invalid_token_id);
  EXPECT(profiles::instruct.with_ratio_token_id(37, 5).ratio_token_count() == 37);
  EXPECT(profiles::base.with_ratio_token_id(33, 5).ratio_token_count() == 33);
  return true;
}
BOTH_TIMES(unpublished_ratio_token_id)

constexpr bool group_spec_of_a_profile() {
  const GroupSpec spec = profiles::panorama.group_spec(2048, ExtraScaling::scaled);
  EXPECT(spec.base_size == 2048 && spec.step == 0 && spec.align == 16 && spec.extras.count == 5);
  EXPECT(spec.resolved_step() == 128);
  EXPECT(spec.check() == Errc::none);
  EXPECT(*spec.extra(0) == Resolution{2048, 1536});
  EXPECT(*spec.extra(4) == Resolution{1920, 3904});
  EXPECT(spec.extra(5).error() == Errc::too_many_extras && spec.extra(5).position() == 5);
  // 1280x720 at 256: 320x180, and 180 is nearer to 176 than to 192
  EXPECT((*profiles::instruct.group_spec(256, ExtraScaling::scaled).extra(1) == Resolution{320, 176}));
  // halves go up: 720 * 512 / 1024 = 360 = 22.5 * 16
  EXPECT((*profiles::instruct.group_spec(512, ExtraScaling::scaled).extra(1) == Resolution{640, 368}));
  EXPECT((*profiles::instruct.group_spec(512, ExtraScaling::absolute).extra(1) == Resolution{1280, 720}));
  return true;
}
BOTH_TIMES(group_spec_of_a_profile)

TEST_CASE("published rows are those of the group at 1024, and nothing else up to 2100 a side") {
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct, &profiles::panorama}) {
    const ResolutionGroup group = *make_group(*profile);
    int published = 0;
    for (std::int32_t h = -1; h <= 2100; ++h) {
      for (std::int32_t w = -1; w <= 2100; ++w) published += profile->is_published_row({h, w}) ? 1 : 0;
    }
    CHECK(published == static_cast<int>(group.size()));
    for (const Resolution row : group) CHECK(profile->is_published_row(row));
    CHECK(!profile->is_published_row({2048, 2048}));
    CHECK(!profile->is_published_row({max_side, max_side}));
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
