// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PROFILE_HPP
#define HUNYUAN_RESO_PROFILE_HPP

#include "resolution_group.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// What `A:B` means in an image_size argument. It changed between the releases.
enum class RatioOrder : std::uint8_t { width_height, height_width };

/// Which text goes around the messages of a chat (sequence.md, section 2).
enum class ChatTemplate : std::uint8_t { pretrain, instruct };

/// What the text stage is asked to do (sequence.md, section 2).
enum class BotTask : std::uint8_t { automatic, image, think, recaption, think_recaption, img_ratio };

/// Consecutive ratio tokens: <img_ratio_(first_index + k)> has the id first_id + k.
struct RatioTokenRange {
  std::size_t first_index = 0;
  std::size_t count = 0;
  TokenId first_id = invalid_token_id;  ///< invalid_token_id: in no published source, the caller must supply it
};

/// Everything that differs between checkpoints. Plain data: copy one of profiles:: and change fields for a fine-tune.
struct ModelProfile {
  const char* name = "";

  // Resolution group (resolution.md, section 1); sizes in pixels.
  std::int32_t align = 16;
  ExtraRows extras{};
  std::int32_t trained_base_size = 1024;

  // Ratio tokens (resolution.md, section 3), in order of the ratio index; unused ranges have count 0.
  static constexpr std::size_t max_ratio_token_ranges = 4;
  RatioTokenRange ratio_tokens[max_ratio_token_ranges]{};
  /// One past the last token that the checkpoint's tokenizer surely has; later ones may be missing there.
  TokenId required_tokens_end = 0;
  std::int32_t vocabulary_size = 133120;

  // The image_size argument (resolution.md, section 4).
  RatioOrder ratio_order = RatioOrder::width_height;
  /// What upstream does with a predicted token that is no ratio: the base release reads it as 1:1, the later ones
  /// raise. Here the caller chooses: predicted_ratio_index or ratio_index_or_square.
  bool falls_back_to_square = false;

  // Token grid and image section.
  std::int32_t vae_downsample_height = 16;  ///< pixels per latent row
  std::int32_t vae_downsample_width = 16;   ///< pixels per latent column
  std::int32_t patch_size = 1;              ///< latent cells per token and axis
  std::int32_t latent_channels = 32;
  bool cfg_distilled = false;  ///< one row with a <guidance> token instead of two rows
  bool use_meanflow = false;   ///< a <timestep_r> token

  /// Whether ImageBlock::use_front_boi_token = false moves <boi> behind the scalar tokens; later releases ignore it.
  bool honors_front_boi_flag = false;
  /// Whether assistant text stands without answer tags; later releases wrap it (sequence.md, section 2).
  bool bare_assistant_text = false;

  // Generation defaults (sequence.md, section 7).
  ChatTemplate chat_template = ChatTemplate::instruct;
  BotTask bot_task = BotTask::think_recaption;
  std::int32_t steps = 50;
  double guidance = 2.5;
  double flow_shift = 3.0;
  std::int32_t max_new_tokens = 2048;
  bool drop_think = false;

  // Limits and shape of the backbone (sequence.md, section 6; backbone.md).
  std::int32_t max_length = 22800;      ///< tokens in a sequence, from the generation config
  std::int32_t position_table = 22800;  ///< positions the rotary table is built for
  std::int32_t max_conditioning_images = 3;
  std::int32_t vit_slots = 1024;  ///< ViT tokens per conditioning image
  std::int32_t layers = 32;
  std::int32_t hidden_size = 4096;
  std::int32_t attention_heads = 32;
  std::int32_t key_value_heads = 8;
  std::int32_t head_dimension = 128;
  std::int32_t experts = 64;
  std::int32_t experts_per_token = 8;
  std::int32_t shared_experts = 1;
  std::int32_t expert_intermediate_size = 3072;
  double rope_theta = 10000.0;  ///< the base that write_rope_thetas takes

  /// Pixels that one token covers, along the height and along the width.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t token_pixels_high() const noexcept {
    return vae_downsample_height * patch_size;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t token_pixels_wide() const noexcept {
    return vae_downsample_width * patch_size;
  }

  /// Number of ratio tokens, which is the number of rows of the published group.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t ratio_token_count() const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < max_ratio_token_ranges; ++i) count += ratio_tokens[i].count;
    return count;
  }

  /// The same profile with the id of a ratio token that no published source names (panorama: ratio_index 37).
  /// Published ids are left alone.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr ModelProfile with_ratio_token_id(std::size_t ratio_index,
                                                                           TokenId id) const noexcept {
    ModelProfile profile = *this;
    for (std::size_t i = 0; i < max_ratio_token_ranges; ++i) {
      RatioTokenRange& range = profile.ratio_tokens[i];
      const bool names_it = range.count == 1 && range.first_index == ratio_index;
      if (names_it && range.first_id == invalid_token_id && id >= 0) range.first_id = id;
    }
    return profile;
  }

  /// The group's parameters at a base size.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec group_spec(std::int32_t base_size,
                                                               ExtraScaling extra_scaling) const noexcept {
    return {base_size, 0, align, extras, extra_scaling};
  }

  /// Whether `row` is one of the rows that the checkpoint was trained on: the published group at the trained base size.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_published_row(Resolution row) const noexcept {
    for (std::size_t i = 0; i < extras.count && i < ExtraRows::capacity; ++i) {
      if (extras.rows[i] == row) return true;
    }
    const std::int32_t step = trained_base_size / 16;
    const std::int32_t longer = row.height > row.width ? row.height : row.width;
    const std::int32_t shorter = row.height > row.width ? row.width : row.height;
    if (step == 0 || longer < trained_base_size || longer > 2 * trained_base_size || longer % step != 0) return false;
    const std::int32_t mirrored = 2 * trained_base_size - longer;
    return shorter == (mirrored > trained_base_size / 2 ? mirrored : trained_base_size / 2);
  }
};

namespace detail {

[[nodiscard]] constexpr ModelProfile base_profile() noexcept {
  ModelProfile profile;
  profile.name = "base";
  profile.align = 1;
  profile.ratio_tokens[0] = {0, 33, 128044};
  profile.required_tokens_end = 128077;
  profile.ratio_order = RatioOrder::height_width;
  profile.falls_back_to_square = true;
  profile.honors_front_boi_flag = true;
  profile.bare_assistant_text = true;
  profile.chat_template = ChatTemplate::pretrain;
  profile.bot_task = BotTask::image;
  profile.guidance = 5.0;
  profile.max_length = 12800;
  return profile;
}

[[nodiscard]] constexpr ModelProfile instruct_profile() noexcept {
  ModelProfile profile;
  profile.name = "instruct";
  profile.extras.append({1024, 768});
  profile.extras.append({1280, 720});
  profile.extras.append({768, 1024});
  profile.extras.append({720, 1280});
  profile.ratio_tokens[0] = {0, 33, 128044};
  profile.ratio_tokens[1] = {33, 4, 130103};
  profile.required_tokens_end = 130108;
  return profile;
}

[[nodiscard]] constexpr ModelProfile instruct_distil_profile() noexcept {
  ModelProfile profile = instruct_profile();
  profile.name = "instruct-distil";
  profile.cfg_distilled = true;
  profile.use_meanflow = true;
  profile.steps = 8;
  return profile;
}

[[nodiscard]] constexpr ModelProfile panorama_profile() noexcept {
  ModelProfile profile = instruct_profile();
  profile.name = "panorama";
  profile.extras.append({960, 1952});
  profile.ratio_tokens[2] = {37, 1, invalid_token_id};
  return profile;
}

}  // namespace detail

/// The published checkpoints (rows and ids: resolution.md, sections 1 and 3; defaults: sequence.md, section 7).
namespace profiles {
inline constexpr ModelProfile base = detail::base_profile();
inline constexpr ModelProfile instruct = detail::instruct_profile();
inline constexpr ModelProfile instruct_distil = detail::instruct_distil_profile();
/// The HY-World panorama fine-tune of the instruct checkpoint; its token <img_ratio_37> has no published id.
inline constexpr ModelProfile panorama = detail::panorama_profile();
}  // namespace profiles

/// The group of a profile at a base size (pixels), upstream's with ExtraScaling::absolute.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResolutionGroup> make_group(
    const ModelProfile& profile, std::int32_t base_size = 1024,
    ExtraScaling extra_scaling = ExtraScaling::absolute) noexcept {
  return ResolutionGroup::create(profile.group_spec(base_size, extra_scaling));
}

namespace detail {

// Never constant: a call stops a constant expression, and the compiler prints the name.
inline void the_base_size_must_be_positive_and_at_most_1073741823() noexcept {}
inline void the_base_size_must_be_a_multiple_of_the_profiles_align() noexcept {}
inline void the_base_size_must_be_at_least_16_times_the_profiles_align() noexcept {}
inline void the_group_must_fit_into_64_rows_with_positive_extras() noexcept {}

[[nodiscard]] constexpr ResolutionGroup group_or_compile_error(const ModelProfile& profile, std::int32_t base_size,
                                                               ExtraScaling extra_scaling) noexcept {
  const Result<ResolutionGroup> group = make_group(profile, base_size, extra_scaling);
  switch (group.error()) {
    case Errc::none:
      break;
    case Errc::base_size_not_positive:
    case Errc::base_size_too_large:
      the_base_size_must_be_positive_and_at_most_1073741823();
      break;
    case Errc::base_size_not_aligned:
      the_base_size_must_be_a_multiple_of_the_profiles_align();
      break;
    case Errc::step_smaller_than_align:
      the_base_size_must_be_at_least_16_times_the_profiles_align();
      break;
    default:
      the_group_must_fit_into_64_rows_with_positive_extras();
  }
  return *group;
}

}  // namespace detail

/// The group as a compile-time table, for example group_for<profiles::instruct, 2048>. A bad base size does not
/// compile.
template <const ModelProfile& Profile, std::int32_t BaseSize = 1024, ExtraScaling Scaling = ExtraScaling::absolute>
inline constexpr ResolutionGroup group_for = detail::group_or_compile_error(Profile, BaseSize, Scaling);

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PROFILE_HPP
