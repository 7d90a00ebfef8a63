// SPDX-License-Identifier: MIT
// What differs between checkpoints.
#include <hunyuan_reso/image_info.hpp>

#include <set>
#include <string>
#include <string_view>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool base_profile() {
  const ModelProfile& profile = profiles::base;
  EXPECT(std::string_view(profile.name) == "base");
  EXPECT(profile.align == 1);
  EXPECT(profile.extras.count == 0);
  EXPECT(ratio_token_count(profile) == 33);
  EXPECT(profile.ratio_order == RatioOrder::height_width);
  EXPECT(*profile.text_stage.ratio_fallback == 16);
  EXPECT(profile.special_tokens_end == 130083);
  EXPECT(std::string_view(profile.template_texts.before_user).empty() && profile.template_texts.token_estimate == 0);
  EXPECT(profile.bare_assistant_text && profile.honors_front_boi_flag);
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
    EXPECT(profile.text_stage.ratio_fallback.error() == Errc::not_a_ratio_token);
    EXPECT(std::string_view(profile.template_texts.before_user) == "User: ");
    EXPECT(profile.special_tokens_end == 130108);
    EXPECT(profile.conditioning_image_type == ConditioningImageType::vae_vit);
    EXPECT(profile.conditioning_attention == ConditioningAttention::joint_full);
    EXPECT(profile.vit_patch == 16 && profile.vit_slots == 1024);
    EXPECT(profile.vocabulary_size == 133120);
    EXPECT(profile.max_length == 22800);
    EXPECT(profile.token_pixels_high() == 16 && profile.token_pixels_wide() == 16);
  }
  EXPECT(profiles::instruct.extras.count == 4 && profiles::panorama.extras.count == 5);
  EXPECT(ratio_token_count(profiles::instruct) == 37 && ratio_token_count(profiles::panorama) == 38);
  EXPECT(profiles::panorama.extras.rows[4] == Resolution{960, 1952});
  EXPECT(profiles::instruct_distil.cfg_distilled && profiles::instruct_distil.use_meanflow);
  EXPECT(!profiles::instruct.cfg_distilled && !profiles::instruct.use_meanflow);
  EXPECT(profiles::instruct_distil.steps == 8 && profiles::instruct.steps == 50);
  EXPECT(profiles::instruct.guidance == 2.5);
  EXPECT(profiles::panorama.follows_aligned_requests && profiles::panorama.wrap_pixels == 32);
  EXPECT(!profiles::instruct.follows_aligned_requests && profiles::instruct.wrap_pixels == 0);
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
  profile.patch_size = 0;  // no profile, but nothing may divide by 0
  EXPECT(profile.token_pixels_high() == 1 && profile.token_pixels_wide() == 1);
  profile.patch_size = max_side;
  EXPECT(profile.token_pixels_high() == 1);
  return true;
}
BOTH_TIMES(pixels_of_a_token)

constexpr bool unpublished_ratio_token_id() {
  const Result<ModelProfile> profile = profiles::panorama.with_ratio_token_id(37, 130108);
  EXPECT(profile && profile->ratio_tokens.ids[37] == 130108);
  EXPECT(profiles::panorama.ratio_tokens.ids[37] == RatioTokens::unknown);
  // every index, wherever it lies; the same id again changes nothing
  EXPECT(profiles::instruct.with_ratio_token_id(5, 131000)->ratio_tokens.ids[5] == 131000);
  EXPECT(profiles::instruct.with_ratio_token_id(34, 131000)->ratio_tokens.ids[34] == 131000);
  EXPECT(profiles::instruct.with_ratio_token_id(34, 130104)->ratio_tokens.ids[34] == 130104);
  EXPECT(*profile->with_ratio_token_id(37, 5)->ratio_tokens.ids == 128044);
  EXPECT(profile->with_ratio_token_id(37, 5)->ratio_tokens.ids[37] == 5);
  return true;
}
BOTH_TIMES(unpublished_ratio_token_id)

constexpr bool refused_ratio_token_ids() {
  const auto error = [](const ModelProfile& profile, std::size_t index, TokenId id) {
    return profile.with_ratio_token_id(index, id).error();
  };
  EXPECT(error(profiles::panorama, 38, 131000) == Errc::ratio_index_out_of_range);
  EXPECT(error(profiles::instruct, 37, 131000) == Errc::ratio_index_out_of_range);
  EXPECT(error(profiles::base, 33, 131000) == Errc::ratio_index_out_of_range);
  EXPECT(error(profiles::base, static_cast<std::size_t>(-1), 131000) == Errc::ratio_index_out_of_range);
  EXPECT(error(profiles::panorama, 37, -1) == Errc::token_id_out_of_range);
  EXPECT(error(profiles::panorama, 37, -5) == Errc::token_id_out_of_range);
  EXPECT(error(profiles::panorama, 37, 133120) == Errc::token_id_out_of_range);
  EXPECT(error(profiles::panorama, 37, 133119) == Errc::none);
  // taken by a special token, a size, a ratio, or a token of the published vocabulary that no field of a profile names
  EXPECT(error(profiles::panorama, 37, tokens::img) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, tokens::eos) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, tokens::timestep_r) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, 128034) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, 130106) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, 128002) == Errc::token_id_taken);
  EXPECT(error(profiles::panorama, 37, 129000) == Errc::token_id_taken);
  ModelProfile further = profiles::panorama;
  further.further_tokens.append("<layer>", 130500);
  EXPECT(error(further, 37, 130500) == Errc::token_id_taken);
  EXPECT(error(further, 37, 130501) == Errc::none);
  return true;
}
BOTH_TIMES(refused_ratio_token_ids)

constexpr bool checked_profiles() {
  for (const ModelProfile* profile : profiles::all) EXPECT(profile->check() == Errc::none);
  const auto with = [](auto change) {
    ModelProfile profile = profiles::instruct;
    change(profile);
    return profile.check();
  };
  EXPECT(with([](ModelProfile& p) { p.patch_size = 0; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vae_downsample_height = -1; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vae_downsample_width = 65537; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vae_downsample_width = 65536; }) == Errc::none);
  EXPECT(with([](ModelProfile& p) { p.vit_patch = 0; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vit_slots = -1; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.trained_base_size = 0; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vocabulary_size = 0; }) == Errc::profile_grid_not_positive);
  EXPECT(with([](ModelProfile& p) { p.vocabulary_size = 130107; }) ==
         Errc::profile_ids_clash);  // <timestep_r> is 130107
  EXPECT(with([](ModelProfile& p) { p.special.img = p.special.boi; }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.special.img = -1; }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.size_tokens.append(1280, 130109); }) == Errc::none);
  EXPECT(with([](ModelProfile& p) { p.size_tokens.base_sizes[1] = 1280; }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.size_tokens.append(1024, 130109); }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.size_tokens.append(0, 130109); }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.ratio_tokens.append(128034); }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) { p.ratio_tokens.append(RatioTokens::unknown); }) == Errc::none);
  EXPECT(with([](ModelProfile& p) { p.further_tokens.append("<x>", 128006); }) == Errc::profile_ids_clash);
  EXPECT(with([](ModelProfile& p) {
           for (TokenId i = 0; i < 7; ++i) p.size_tokens.append(10000 + i, 131000 + i);
         }) == Errc::profile_list_too_long);
  EXPECT(with([](ModelProfile& p) { p.ratio_tokens.append(131000, 27); }) == Errc::none);
  EXPECT(with([](ModelProfile& p) { p.ratio_tokens.append(131000, 28); }) == Errc::profile_list_too_long);
  EXPECT(with([](ModelProfile& p) { p.ratio_tokens.append(131000, 2000000000); }) == Errc::profile_list_too_long);
  EXPECT(with([](ModelProfile& p) {
           for (TokenId i = 0; i < 9; ++i) p.further_tokens.append("<x>", 131000 + i);
         }) == Errc::profile_list_too_long);
  EXPECT(with([](ModelProfile& p) {
           for (std::int32_t i = 0; i < 40; ++i) p.extras.append({100 + i, 7});
         }) == Errc::profile_list_too_long);
  return true;
}
BOTH_TIMES(checked_profiles)

TEST_CASE("profiles have names of their own") {
  std::set<std::string> names;
  for (const ModelProfile* profile : profiles::all) CHECK(names.insert(profile->name).second);
}

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

TEST_CASE("trained rows are those of the group at the trained base size, and nothing else up to 2100 a side") {
  for (const ModelProfile* profile : profiles::all) {
    const ResolutionGroup group = *make_group(*profile);
    int trained = 0;
    for (std::int32_t h = -1; h <= 2100; ++h) {
      for (std::int32_t w = -1; w <= 2100; ++w) trained += detail::is_trained_row(*profile, {h, w}) ? 1 : 0;
    }
    CHECK(trained == static_cast<int>(group.size()));
    for (const Resolution row : group) CHECK(detail::is_trained_row(*profile, row));
    CHECK(!detail::is_trained_row(*profile, {2048, 2048}));
    CHECK(!detail::is_trained_row(*profile, {max_side, max_side}));
  }
}

}  // namespace
/// The shortest side of a published row is half the base size.
constexpr bool every_row_is_at_least_one_token_long() {
  ModelProfile profile = profiles::instruct;
  profile.vae_downsample_height = 128;
  EXPECT(Model::create(profile, 256).has_value());
  profile.vae_downsample_height = 129;
  EXPECT(Model::create(profile, 256).error() == Errc::row_below_one_token);
  EXPECT(Model::create(profile, 256).position() == 0);  // 128x512
  EXPECT(Model::create(profile, 512).has_value());
  profile.vae_downsample_height = 16;
  profile.vae_downsample_width = 129;
  EXPECT(Model::create(profile, 256).error() == Errc::row_below_one_token);
  EXPECT(Model::create(profile, 256).position() == 24);  // 384x128, the first row as narrow
  profile.vae_downsample_width = 64;
  profile.patch_size = 2;
  EXPECT(Model::create(profile, 256).has_value());
  return true;
}
BOTH_TIMES(every_row_is_at_least_one_token_long)

constexpr ModelProfile with_further(const char* text, const char* other = "<other>") {
  ModelProfile profile = profiles::instruct;
  profile.further_tokens.append(other, 130110);
  profile.further_tokens.append(text, 130111);
  return profile;
}

constexpr bool a_further_tokens_text_must_be_one_that_texts_can_be_split_at() {
  EXPECT(with_further("<style>").check() == Errc::none);
  EXPECT(with_further("<123456789012345678901234567890>").check() == Errc::none);  // 32 characters
  const char* refused[] = {nullptr,
                           "",
                           "style",
                           "<style",
                           "style>",
                           "<>",
                           "<a>b",
                           "<a<b>",
                           "<a>>",
                           "<other>",
                           "<1234567890123456789012345678901>"};
  for (const char* text : refused) EXPECT(with_further(text).check() == Errc::profile_text_not_a_token);
  EXPECT(Model::create(with_further("<a>b")).error() == Errc::profile_text_not_a_token);
  // Texts of tokens that the profile has already, and texts that only look like them.
  for (const char* text : {"<img_ratio_0>", "<img_ratio_36>", "<img_size_256>", "<img_size_8192>"}) {
    EXPECT(with_further(text).check() == Errc::profile_text_not_a_token);
  }
  for (const char* text : {"<img_ratio_37>", "<img_ratio_036>", "<img_ratio_>", "<img_size_1280>", "<img_size_2560>",
                           "<img_size_25>", "<img_size_256x>", "<img_ratio_99999999999999999>"}) {
    EXPECT(with_further(text).check() == Errc::none);
  }
  return true;
}
BOTH_TIMES(a_further_tokens_text_must_be_one_that_texts_can_be_split_at)

}  // namespace hunyuan_reso_test
