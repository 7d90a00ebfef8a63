// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PROFILE_HPP
#define HUNYUAN_RESO_PROFILE_HPP

#include "profile_types.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// Everything that differs between checkpoints, as plain data: a new checkpoint is a copy of one of profiles:: with
/// other fields, and an entry in profiles::all. The defaults are those of the Instruct family, which most checkpoints
/// share. Sizes in pixels unless they say tokens; height before width.
struct ModelProfile {
  const char* name = "";

  // The resolution group.
  std::int32_t align = 16;
  ExtraRows extras{};
  std::int32_t trained_base_size = 1024;
  /// Whether a request whose sides are both whole tokens is generated as it is, without snapping (the panorama).
  bool follows_aligned_requests = false;
  std::int32_t wrap_pixels = 0;  ///< columns over which the decoded left and right edge are blended into one another
  RatioOrder ratio_order = RatioOrder::width_height;  ///< what `A:B` means

  // The vocabulary.
  std::int32_t vocabulary_size = 133120;
  TokenId special_tokens_end = 130108;  ///< one past the last special token of the checkpoint's own tokenizer
  SpecialTokens special{};
  SizeTokens size_tokens = published_size_tokens();
  RatioTokens ratio_tokens{};
  FurtherTokens further_tokens{};  ///< special tokens that the published vocabulary does not have

  // The token grid and the image section.
  std::int32_t vae_downsample_height = 16;  ///< pixels per latent row
  std::int32_t vae_downsample_width = 16;   ///< pixels per latent column
  std::int32_t patch_size = 1;              ///< latent cells per token and axis
  std::int32_t latent_channels = 32;
  bool cfg_distilled = false;          ///< one row with a <guidance> token instead of two rows
  bool use_meanflow = false;           ///< a <timestep_r> token
  bool honors_front_boi_flag = false;  ///< use_front_boi_token = false moves <boi> behind the scalar tokens

  // Conditioning images.
  ConditioningImageType conditioning_image_type = ConditioningImageType::vae_vit;
  ConditioningAttention conditioning_attention = ConditioningAttention::joint_full;
  std::int32_t max_conditioning_images = 3;
  std::int32_t vit_patch = 16;    ///< pixels of a ViT token along each axis
  std::int32_t vit_slots = 1024;  ///< ViT tokens of a conditioning image, padding included

  // Text around messages, and what the text stage does.
  TemplateTexts template_texts = instruct_texts();
  bool bare_assistant_text = false;  ///< assistant text stands without answer tags, also where the template has them
  TextStageRules text_stage = instruct_text_stage();

  // Defaults of a request.
  BotTask bot_task = BotTask::think_recaption;
  std::int32_t steps = 50;
  double guidance = 2.5;
  double flow_shift = 3.0;
  std::int32_t max_new_tokens = 2048;
  bool drop_think = false;

  // Limits and shape of the backbone.
  std::int32_t max_length = 22800;      ///< tokens of a sequence, from the generation config
  std::int32_t position_table = 22800;  ///< positions that the rotary table is built for
  double rope_theta = 10000.0;
  RopeScaling rope_scaling = RopeScaling::none;
  std::int32_t layers = 32;
  std::int32_t hidden_size = 4096;
  std::int32_t attention_heads = 32;
  std::int32_t key_value_heads = 8;
  std::int32_t head_dimension = 128;
  std::int32_t experts = 64;
  std::int32_t experts_per_token = 8;
  std::int32_t shared_experts = 1;
  std::int32_t expert_intermediate_size = 3072;
  std::int32_t patch_embed_hidden_size = 1024;
  std::int64_t vision_parameters = 434'000'000;  ///< of the vision tower and its aligner, to the nearest million
  std::int64_t vae_parameters = 1'265'000'000;   ///< of the image encoder and decoder, likewise

  /// Pixels that one token covers along the height and along the width; at least 1 for any profile.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t token_pixels_high() const noexcept {
    return token_pixels(vae_downsample_height);
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t token_pixels_wide() const noexcept {
    return token_pixels(vae_downsample_width);
  }

  /// The same profile with the id of a ratio token, for those that no published source names (panorama: 37).
  /// Errc::ratio_index_out_of_range; Errc::token_id_out_of_range; Errc::token_id_taken where another token of the
  /// profile, a published one included, has the id.
  [[nodiscard]] constexpr Result<ModelProfile> with_ratio_token_id(std::size_t ratio_index, TokenId id) const noexcept;

  /// The group's parameters at a base size.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr GroupSpec group_spec(std::int32_t base_size,
                                                               ExtraScaling extra_scaling) const noexcept {
    return {base_size, 0, align, extras, extra_scaling, trained_base_size};
  }

  /// Errc::none, or why no model can be made of this profile: Errc::profile_grid_not_positive,
  /// Errc::profile_list_too_long, profile_ids_clash, profile_text_not_a_token. Whether its base sizes make a group is
  /// make_group's to say.
  [[nodiscard]] constexpr Errc check() const noexcept;

 private:
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t token_pixels(std::int32_t downsample) const noexcept {
    const std::int64_t pixels = std::int64_t{downsample} * patch_size;
    return pixels < 1 || pixels > max_side ? 1 : static_cast<std::int32_t>(pixels);
  }
};

namespace detail {

/// Visits every id that the profile itself names; stops where `visit` returns false.
template <class Visit>
constexpr bool for_each_profile_id(const ModelProfile& profile, Visit&& visit) noexcept {
  const SpecialTokens& s = profile.special;
  const TokenId special[] = {s.eos,           s.bos,      s.pad,        s.boi,           s.eoi,       s.img,
                             s.cfg,           s.timestep, s.guidance,   s.think,         s.end_think, s.recaption,
                             s.end_recaption, s.answer,   s.end_answer, s.joint_img_sep, s.timestep_r};
  for (const TokenId id : special) {
    if (!visit(id)) return false;
  }
  for (std::size_t i = 0; i < profile.size_tokens.size(); ++i) {
    if (!visit(profile.size_tokens.ids[i])) return false;
  }
  for (std::size_t i = 0; i < profile.ratio_tokens.size(); ++i) {
    const TokenId id = profile.ratio_tokens.ids[i];
    if (id != RatioTokens::unknown && !visit(id)) return false;
  }
  for (std::size_t i = 0; i < profile.further_tokens.size(); ++i) {
    if (!visit(profile.further_tokens.items[i].id)) return false;
  }
  return true;
}

/// Whether a special token of the published vocabulary has this id.
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_published_special(TokenId id) noexcept {
  return id == tokens::eos || id == tokens::bos || (id >= tokens::boi && id <= tokens::timestep_r);
}

/// Whether all ids lie within the vocabulary and no two tokens share one.
[[nodiscard]] constexpr bool ids_are_distinct(const ModelProfile& profile) noexcept {
  constexpr std::size_t most = 17 + SizeTokens::capacity + RatioTokens::capacity + FurtherTokens::capacity;
  TokenId seen[most]{};
  std::size_t count = 0;
  return for_each_profile_id(profile, [&](TokenId id) {
    if (id < 0 || id >= profile.vocabulary_size) return false;
    std::size_t place = count;
    for (; place > 0 && seen[place - 1] >= id; --place) {
      if (seen[place - 1] == id) return false;
    }
    for (std::size_t i = count; i > place; --i) seen[i] = seen[i - 1];
    seen[place] = id;
    ++count;
    return true;
  });
}

/// Whether the base sizes are positive and ascend, as SizeTokens::append keeps them: each stands once then.
[[nodiscard]] constexpr bool base_sizes_ascend(const SizeTokens& sizes) noexcept {
  std::int32_t last = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes.base_sizes[i] <= last) return false;
    last = sizes.base_sizes[i];
  }
  return true;
}

[[nodiscard]] constexpr bool same_text(const char* a, const char* b) noexcept {
  for (; *a == *b; ++a, ++b) {
    if (*a == '\0') return true;
  }
  return false;
}

inline constexpr char size_text_prefix[] = "<img_size_";
inline constexpr char ratio_text_prefix[] = "<img_ratio_";

/// Whether a text is the prefix, the number without leading zeros, and '>'.
[[nodiscard]] constexpr bool is_numbered_text(const char* text, const char* prefix, std::uint64_t number) noexcept {
  for (; *prefix != '\0'; ++prefix, ++text) {
    if (*text != *prefix) return false;
  }
  const char* const first = text;
  std::uint64_t value = 0;
  for (; *text >= '0' && *text <= '9' && value <= number; ++text) {
    value = 10 * value + static_cast<std::uint64_t>(*text - '0');
  }
  const bool is_number = text != first && (*first != '0' || text == first + 1) && value == number;
  return is_number && text[0] == '>' && text[1] == '\0';
}

/// Whether a text is that of a size token of the profile, or of a ratio token with a known id.
[[nodiscard]] constexpr bool is_size_or_ratio_text(const ModelProfile& profile, const char* text) noexcept {
  for (std::size_t i = 0; i < profile.size_tokens.size(); ++i) {
    const auto base_size = static_cast<std::uint64_t>(profile.size_tokens.base_sizes[i]);
    if (is_numbered_text(text, size_text_prefix, base_size)) return true;
  }
  for (std::size_t i = 0; i < profile.ratio_tokens.size(); ++i) {
    const bool is_known = profile.ratio_tokens.ids[i] != RatioTokens::unknown;
    if (is_known && is_numbered_text(text, ratio_text_prefix, i)) return true;
  }
  return false;
}

/// Whether each further token's text is one that a text can be split at, and stands once.
[[nodiscard]] constexpr bool texts_are_tokens(const ModelProfile& profile) noexcept {
  const FurtherTokens& tokens = profile.further_tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const char* text = tokens.items[i].text;
    if (text == nullptr || text[0] != '<') return false;
    std::size_t end = 1;
    while (end < 32 && text[end] != '\0' && text[end] != '<' && text[end] != '>') ++end;
    if (end < 2 || end >= 32 || text[end] != '>' || text[end + 1] != '\0') return false;
    for (std::size_t k = 0; k < i; ++k) {
      if (same_text(tokens.items[k].text, text)) return false;
    }
    if (is_size_or_ratio_text(profile, text)) return false;
  }
  return true;
}

[[nodiscard]] constexpr ModelProfile base_profile() noexcept {
  ModelProfile profile;
  profile.name = "base";
  profile.align = 1;
  profile.ratio_order = RatioOrder::height_width;
  profile.special_tokens_end = tokens::guidance + 1;
  profile.ratio_tokens.append(tokens::first_ratio, 33);
  profile.honors_front_boi_flag = true;
  profile.template_texts = pretrain_texts();
  profile.bare_assistant_text = true;
  profile.text_stage = base_text_stage();
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
  profile.ratio_tokens.append(tokens::first_ratio, 33);
  profile.ratio_tokens.append(130103, 4);
  return profile;
}

[[nodiscard]] constexpr ModelProfile instruct_distil_profile(ModelProfile profile) noexcept {
  profile.name = "instruct-distil";
  profile.cfg_distilled = true;
  profile.use_meanflow = true;
  profile.steps = 8;
  return profile;
}

[[nodiscard]] constexpr ModelProfile panorama_profile(ModelProfile profile) noexcept {
  profile.name = "panorama";
  profile.extras.append({960, 1952});
  profile.ratio_tokens.append(RatioTokens::unknown);
  profile.follows_aligned_requests = true;
  profile.wrap_pixels = 32;
  return profile;
}

}  // namespace detail

constexpr Result<ModelProfile> ModelProfile::with_ratio_token_id(std::size_t ratio_index, TokenId id) const noexcept {
  if (ratio_index >= ratio_tokens.count || ratio_index >= RatioTokens::capacity) return Errc::ratio_index_out_of_range;
  if (id < 0 || id >= vocabulary_size) return Errc::token_id_out_of_range;
  ModelProfile profile = *this;
  TokenId& place = profile.ratio_tokens.ids[ratio_index];
  const bool is_new = place != id;
  place = RatioTokens::unknown;
  const bool is_free = detail::for_each_profile_id(profile, [id](TokenId other) { return other != id; });
  if (is_new && (!is_free || (detail::is_published_special(id) && id < special_tokens_end)))
    return Errc::token_id_taken;
  place = id;
  return profile;
}

constexpr Errc ModelProfile::check() const noexcept {
  constexpr std::int64_t longest_token = 65536;
  const std::int64_t high = std::int64_t{vae_downsample_height} * patch_size;
  const std::int64_t wide = std::int64_t{vae_downsample_width} * patch_size;
  const bool has_grid = vae_downsample_height > 0 && vae_downsample_width > 0 && patch_size > 0 && vit_patch > 0 &&
                        high <= longest_token && wide <= longest_token && vit_patch <= longest_token &&
                        vit_slots >= 0 && wrap_pixels >= 0 && trained_base_size > 0 && vocabulary_size > 0;
  if (!has_grid) return Errc::profile_grid_not_positive;
  const bool fits = size_tokens.count <= SizeTokens::capacity && ratio_tokens.count <= RatioTokens::capacity &&
                    further_tokens.count <= FurtherTokens::capacity && extras.count <= ExtraRows::capacity;
  if (!fits) return Errc::profile_list_too_long;
  if (!detail::ids_are_distinct(*this) || !detail::base_sizes_ascend(size_tokens)) return Errc::profile_ids_clash;
  return detail::texts_are_tokens(*this) ? Errc::none : Errc::profile_text_not_a_token;
}

/// The published checkpoints. Rows, ids and defaults are those of the base release, of the Instruct release of January
/// 2026 with its Distil variant, and of the HY-World panorama fine-tune.
namespace profiles {
inline constexpr ModelProfile base = detail::base_profile();
inline constexpr ModelProfile instruct = detail::instruct_profile();
inline constexpr ModelProfile instruct_distil = detail::instruct_distil_profile(instruct);
/// Its token <img_ratio_37> has no published id: see ModelProfile::with_ratio_token_id.
inline constexpr ModelProfile panorama = detail::panorama_profile(instruct);

/// All of them, in this order. A further checkpoint is one more function above and one more entry here.
inline constexpr const ModelProfile* all[] = {&base, &instruct, &instruct_distil, &panorama};
}  // namespace profiles

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PROFILE_HPP
