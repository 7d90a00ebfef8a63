// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PLAN_HPP
#define HUNYUAN_RESO_PLAN_HPP

#include "crop.hpp"
#include "diagnostics.hpp"
#include "image_info.hpp"
#include "image_runs.hpp"
#include "text_stage.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// How the weights are stored.
enum class Precision : std::uint8_t { fp32, bf16, fp16, int8, nf4 };

/// What someone wants to generate. Fields that have a default in the profile take it where they say so.
struct GenerationRequest {
  static constexpr std::size_t max_conditioning_images = 16;

  std::string_view image_size = "auto";  ///< see parse_image_size
  Resolution pixels{};                   ///< used in place of image_size where both sides are not 0
  GridMode grid_mode = GridMode::snap;
  std::int32_t base_size = 1024;
  ExtraScaling extra_scaling = ExtraScaling::absolute;

  std::int32_t prompt_tokens = 0;        ///< text of the user and the system prompt, from your encoder
  std::int32_t template_tokens = 12;     ///< fixed texts of the template (role prefixes, answer tags, separators)
  std::int32_t tokens_after_image = -1;  ///< how many of those follow the image; -1: 2 (</answer>, separator), or 0
  std::int32_t chain_of_thought_tokens = -1;  ///< -1: as many as the task can produce (max_new_tokens)
  bool has_bot_task = false;                  ///< false: the profile's task
  BotTask bot_task = BotTask::image;

  Resolution conditioning_images[max_conditioning_images]{};  ///< original sizes, in pixels
  std::size_t conditioning_image_count = 0;
  ConditioningImageType conditioning_image_type = ConditioningImageType::vae_vit;
  std::int32_t vit_tokens = -1;  ///< ViT tokens of one conditioning image; -1: all slots (upstream)
  bool align_output = false;     ///< whether output alignment is on

  double guidance = -1.0;  ///< negative: the profile's
  std::int32_t steps = 0;  ///< 0: the profile's
  std::int32_t batch = 1;  ///< images at once
  Precision precision = Precision::bf16;
};

/// Everything an engine needs before it allocates. Token counts are of one row; bytes and FLOP of all rows together.
struct GenerationPlan {
  ImageInfo image{};
  bool ratio_is_predicted = false;  ///< image is then the row with the most tokens
  TokenId size_token = invalid_token_id;
  TokenId ratio_token = invalid_token_id;  ///< pinned from an explicit size, never predicted
  TextStage text_stage{};

  std::int32_t cfg_rows = 1;  ///< guidance rows per image: the only place where their number is decided
  double guidance = 1.0;
  std::int32_t steps = 0;
  double flow_shift = 1.0;
  std::int32_t batch = 1;

  std::int32_t text_tokens = 0;
  std::int32_t conditioning_tokens = 0;
  std::int32_t image_block_tokens = 0;  ///< <boi> to <eoi>
  std::int32_t sequence_length = 0;
  bool sequence_length_is_upper_bound = false;  ///< the chain of thought may turn out shorter
  std::int32_t image_start = 0;                 ///< index of the first <img>, exact where the text counts are
  std::int32_t scalar_tokens = 1;               ///< <timestep> [<guidance>] [<timestep_r>]
  std::int32_t later_step_tokens = 0;           ///< fed by each step after the first

  std::int32_t latent_shape[4] = {0, 0, 0, 0};  ///< batch, channels, height, width
  std::int64_t kv_bytes = 0;                    ///< keys and values of all layers
  std::int64_t parameter_count = 0;             ///< of the language backbone
  std::int64_t weight_bytes = 0;                ///< of the same, in the request's precision
  std::int64_t dense_mask_bytes = 0;            ///< a boolean mask, if an engine makes one
  double first_step_flop = 0.0;                 ///< decoder layers
  double later_step_flop = 0.0;
  double total_flop = 0.0;

  Diagnostics diagnostics{};

  /// Whether the published model can run it: no diagnostic is an error.
  [[nodiscard]] constexpr bool feasible() const noexcept { return diagnostics.worst() != Severity::error; }
};

namespace detail {

[[nodiscard]] constexpr std::int64_t saturating_product(std::int64_t a, std::int64_t b) noexcept {
  constexpr std::int64_t most = 0x7FFFFFFFFFFFFFFF;
  if (a <= 0 || b <= 0) return 0;
  return a > most / b ? most : a * b;
}

/// Fills a plan step by step; any step may refuse.
class Planner {
 public:
  constexpr Planner(const GenerationRequest& request, const ModelProfile& profile,
                    const ResolutionGroup& group) noexcept
      : request_(request), profile_(profile), group_(group) {}

  [[nodiscard]] constexpr Result<GenerationPlan> plan() noexcept {
    if (!counts_are_valid()) return Errc::count_out_of_range;
    if (request_.conditioning_image_count > GenerationRequest::max_conditioning_images) {
      return Errc::too_many_conditioning_images;
    }
    choose_guidance();
    for (auto step :
         {&Planner::choose_image, &Planner::choose_text_stage, &Planner::count_conditioning, &Planner::count_tokens}) {
      const Result<bool> done = (this->*step)();
      if (!done) return {done.error(), done.position()};
    }
    count_cost();
    check_tokens();
    check_scale();
    check_limits();
    return plan_;
  }

 private:
  [[nodiscard]] constexpr bool counts_are_valid() const noexcept {
    return request_.prompt_tokens >= 0 && request_.template_tokens >= 0 && request_.chain_of_thought_tokens >= -1 &&
           request_.batch >= 1 && request_.batch <= 1024 && request_.steps >= 0 && request_.steps <= 1000000 &&
           request_.vit_tokens >= -1 && request_.tokens_after_image >= -1;
  }

  constexpr void choose_guidance() noexcept {
    plan_.guidance = request_.guidance < 0 ? profile_.guidance : request_.guidance;
    plan_.cfg_rows = !profile_.cfg_distilled && plan_.guidance > 1.0 ? 2 : 1;
    plan_.steps = request_.steps == 0 ? profile_.steps : request_.steps;
    plan_.flow_shift = profile_.flow_shift;
    plan_.batch = request_.batch;
  }

  [[nodiscard]] constexpr Result<bool> choose_image() noexcept {
    ImageSize size = ImageSize::of_pixels(request_.pixels);
    if (request_.pixels == Resolution{}) {
      const Result<ImageSize> parsed = parse_image_size(request_.image_size, profile_);
      if (!parsed) return {parsed.error(), parsed.position()};
      size = *parsed;
    }
    is_ratio_ = size.kind == ImageSizeKind::ratio;
    requested_ = size.size;
    if (size.kind == ImageSizeKind::automatic) {
      plan_.ratio_is_predicted = true;
      size = ImageSize::of_ratio_index(largest_row());
    }
    const Result<ImageInfo> info = build_gen_image_info(size, profile_, group_, request_.grid_mode);
    if (!info) return {info.error(), info.position()};
    plan_.image = *info;
    plan_.size_token = size_token_id_or_invalid(info->base_size);
    if (!plan_.ratio_is_predicted) plan_.ratio_token = ratio_token_id_or_invalid(profile_, info->ratio_index);
    return true;
  }

  [[nodiscard]] constexpr std::size_t largest_row() const noexcept {
    std::size_t largest = group_.snap({1, 1});  // among equals, the square
    for (std::size_t i = 0; i < group_.size(); ++i) {
      if (group_[i].pixel_count() > group_[largest].pixel_count()) largest = i;
    }
    return largest;
  }

  [[nodiscard]] constexpr Result<bool> choose_text_stage() noexcept {
    const BotTask task = request_.has_bot_task ? request_.bot_task : profile_.bot_task;
    const bool can_predict = plan_.ratio_is_predicted && plan_.size_token != invalid_token_id;
    const Result<TextStage> stage = plan_text_stage(profile_, task, can_predict, plan_.image.base_size);
    if (!stage) return stage.error();
    plan_.text_stage = *stage;
    return true;
  }

  [[nodiscard]] constexpr Result<bool> count_conditioning() noexcept {
    const bool has_vae = request_.conditioning_image_type != ConditioningImageType::vit;
    const bool has_vit = request_.conditioning_image_type != ConditioningImageType::vae;
    const std::int64_t vit = request_.vit_tokens < 0 ? profile_.vit_slots : request_.vit_tokens;
    for (std::size_t i = 0; i < request_.conditioning_image_count; ++i) {
      const Resolution original = request_.conditioning_images[i];
      if (!original.is_positive()) return {Errc::side_not_positive, i};
      const Resolution row = group_[group_.snap(original)];
      const std::int64_t vae = describe_image(row, group_.base_size(), 0, profile_).image_token_length;
      conditioning_tokens_ += 2 + (has_vae ? 3 + vae : 0) + (has_vit ? vit : 0) + (has_vae && has_vit ? 1 : 0);
      const std::int64_t span = (has_vae ? vae : 0) + (has_vit ? vit : 0) + (has_vae && has_vit ? 1 : 0);
      conditioning_pairs_ += static_cast<double>(span) * static_cast<double>(span - 1) / 2.0;
    }
    return true;
  }

  [[nodiscard]] constexpr Result<bool> count_tokens() noexcept {
    const ImageInfo& image = plan_.image;
    plan_.scalar_tokens = 1 + (image.add_guidance_token ? 1 : 0) + (image.add_timestep_r_token ? 1 : 0);
    std::int64_t thought = request_.chain_of_thought_tokens;
    if (thought < 0) {
      const BotTask task = plan_.text_stage.prompt_task;
      const bool thinks = task == BotTask::think || task == BotTask::recaption || task == BotTask::think_recaption;
      thought = thinks ? profile_.max_new_tokens : 0;
      plan_.sequence_length_is_upper_bound = thinks;
    }
    const std::int64_t text = std::int64_t{request_.prompt_tokens} + request_.template_tokens + thought;
    const std::int64_t block = 4 + plan_.scalar_tokens + image.image_token_length;  // <boi> size ratio .. <eoi>
    const std::int64_t length = 1 + text + conditioning_tokens_ + block;
    if (length > max_side) return {Errc::sequence_too_long, static_cast<std::size_t>(length)};
    const std::int64_t published_after = profile_.chat_template == ChatTemplate::instruct ? 2 : 0;
    const std::int64_t stated_after = request_.tokens_after_image < 0 ? published_after : request_.tokens_after_image;
    const std::int64_t after = stated_after < text ? stated_after : text;
    plan_.text_tokens = static_cast<std::int32_t>(text);
    plan_.conditioning_tokens = static_cast<std::int32_t>(conditioning_tokens_);
    plan_.image_block_tokens = static_cast<std::int32_t>(block);
    plan_.sequence_length = static_cast<std::int32_t>(length);
    plan_.image_start = static_cast<std::int32_t>(length - after - 1 - image.image_token_length);
    plan_.later_step_tokens = static_cast<std::int32_t>(plan_.scalar_tokens + image.image_token_length);
    rows_ = std::int64_t{plan_.cfg_rows} * plan_.batch;
    plan_.latent_shape[0] = plan_.batch;
    plan_.latent_shape[1] = profile_.latent_channels;
    plan_.latent_shape[2] = image.token_height * profile_.patch_size;
    plan_.latent_shape[3] = image.token_width * profile_.patch_size;
    return true;
  }

  constexpr void count_cost() noexcept {
    const ModelProfile& p = profile_;
    const std::int64_t length = plan_.sequence_length;
    const std::int64_t cache_bytes = request_.precision == Precision::fp32 ? 4 : 2;  // caches are not quantised
    const std::int64_t per_token = std::int64_t{2} * p.layers * p.key_value_heads * p.head_dimension * cache_bytes;
    plan_.kv_bytes = saturating_product(saturating_product(per_token, length), rows_);
    plan_.dense_mask_bytes = saturating_product(saturating_product(length, length), rows_);

    const std::int64_t hidden = p.hidden_size;
    const std::int64_t heads = std::int64_t{p.attention_heads} * p.head_dimension;
    const std::int64_t attention =
        hidden * (heads + std::int64_t{2} * p.key_value_heads * p.head_dimension) + heads * hidden;
    const std::int64_t expert = 3 * hidden * p.expert_intermediate_size;  // up, gate, down
    const std::int64_t norms = 2 * hidden + std::int64_t{2} * p.head_dimension;
    const std::int64_t router = hidden * p.experts;
    const std::int64_t layer = attention + router + norms + expert * (std::int64_t{p.experts} + p.shared_experts);
    plan_.parameter_count = layer * p.layers + 2 * hidden * p.vocabulary_size + hidden;
    plan_.weight_bytes = weight_bytes(plan_.parameter_count);

    const double per_row =
        2.0 * static_cast<double>(attention + router + expert * (std::int64_t{p.experts_per_token} + p.shared_experts));
    const double per_pair = 4.0 * static_cast<double>(heads);
    const auto tokens = static_cast<double>(plan_.image.image_token_length);
    const auto positions = static_cast<double>(length);
    const double first_pairs =
        positions * (positions + 1.0) / 2.0 + tokens * (tokens - 1.0) / 2.0 + conditioning_pairs_;
    const double image_stop = static_cast<double>(plan_.image_start) + tokens;
    const double later_pairs = tokens * image_stop + static_cast<double>(plan_.scalar_tokens) * plan_.image_start;
    const double scale = static_cast<double>(rows_) * p.layers;
    plan_.first_step_flop = scale * (per_row * positions + per_pair * first_pairs);
    plan_.later_step_flop = scale * (per_row * plan_.later_step_tokens + per_pair * later_pairs);
    plan_.total_flop = plan_.first_step_flop + plan_.later_step_flop * (plan_.steps - 1);
  }

  [[nodiscard]] constexpr std::int64_t weight_bytes(std::int64_t parameters) const noexcept {
    switch (request_.precision) {
      case Precision::fp32:
        return parameters * 4;
      case Precision::bf16:
      case Precision::fp16:
        return parameters * 2;
      case Precision::int8:
        return parameters;
      case Precision::nf4:
        break;
    }
    return parameters / 2;
  }

  constexpr void check_tokens() noexcept {
    if (plan_.size_token == invalid_token_id) {
      add(DiagnosticCode::size_token_unknown, Severity::error, LimitSource::published, plan_.image.base_size, 8192);
    }
    if (plan_.ratio_is_predicted) {
      add(DiagnosticCode::ratio_predicted, Severity::note, LimitSource::computed,
          static_cast<double>(plan_.image.image_token_length), static_cast<double>(plan_.image.image_token_length));
    } else if (plan_.ratio_token == invalid_token_id) {
      add(DiagnosticCode::ratio_token_unknown, Severity::error, LimitSource::published,
          static_cast<double>(plan_.image.ratio_index), static_cast<double>(ratio_slices(profile_).token_count()));
    }
    if (profile_.use_meanflow && !profile_.cfg_distilled) {
      add(DiagnosticCode::meanflow_without_distillation, Severity::error, LimitSource::published, 1, 0);
    }
    if (profile_.cfg_distilled && plan_.batch > 1) {
      add(DiagnosticCode::distilled_batch, Severity::warning, LimitSource::published, plan_.batch, 1);
    }
    if (!profile_.cfg_distilled && plan_.cfg_rows == 1) {
      add(DiagnosticCode::single_row_guidance, Severity::note, LimitSource::published, plan_.guidance, 1);
    }
  }

  constexpr void check_scale() noexcept {
    const ImageInfo& image = plan_.image;
    const std::int32_t trained = profile_.trained_base_size;
    if (image.base_size < trained || image.base_size > trained) {
      add(image.base_size < trained ? DiagnosticCode::base_size_below_trained : DiagnosticCode::base_size_above_trained,
          Severity::warning, LimitSource::measured, image.base_size, trained);
    } else if (!image.trained.grid) {
      add(DiagnosticCode::untrained_grid, Severity::warning, LimitSource::published, area(image.image_size()),
          static_cast<double>(trained) * trained);
    }
    if (requested_.is_positive() && !plan_.ratio_is_predicted) {
      const double aspect = factor(requested_.ratio(), image.image_size().ratio());
      if (aspect > 1.1) {
        add(DiagnosticCode::aspect_changed, Severity::warning, LimitSource::computed, aspect, 1.1);
      }
      const double areas = factor(area(requested_), area(image.image_size()));
      if (!is_ratio_ && areas > 2.0) {
        add(DiagnosticCode::area_changed, Severity::note, LimitSource::computed, areas, 2.0);
      }
    }
    const bool took_extra = request_.grid_mode == GridMode::snap && is_extra(image.image_size());
    if (took_extra && request_.extra_scaling == ExtraScaling::absolute && group_.base_size() != trained) {
      add(DiagnosticCode::absolute_extra_off_scale, Severity::warning, LimitSource::published, area(image.image_size()),
          static_cast<double>(group_.base_size()) * group_.base_size());
    }
    if (request_.align_output && !plan_.ratio_is_predicted) {
      const Result<OutputAlignment> aligned =
          align_output(group_, image.image_size(), request_.conditioning_images, request_.conditioning_image_count);
      if (aligned && aligned->resize) {
        add(DiagnosticCode::output_alignment_rescales, Severity::note, LimitSource::published,
            static_cast<double>(aligned->height) * static_cast<double>(aligned->width), area(image.image_size()));
      }
    }
  }

  constexpr void check_limits() noexcept {
    const std::int64_t length = plan_.sequence_length;
    if (length > profile_.position_table) {
      add(DiagnosticCode::position_table_exceeded, Severity::error, LimitSource::published, static_cast<double>(length),
          profile_.position_table);
    }
    if (length > profile_.max_length) {
      add(DiagnosticCode::max_length_exceeded, Severity::error, LimitSource::published, static_cast<double>(length),
          profile_.max_length);
    }
    const std::int64_t prompt =
        1 + std::int64_t{request_.prompt_tokens} + request_.template_tokens + plan_.conditioning_tokens;
    if (plan_.text_stage.needed && prompt + profile_.max_new_tokens > profile_.max_length) {
      add(DiagnosticCode::text_stage_over_max_length, Severity::warning, LimitSource::published,
          static_cast<double>(prompt + profile_.max_new_tokens), profile_.max_length);
    }
    const auto images = static_cast<double>(request_.conditioning_image_count);
    if (images > profile_.max_conditioning_images) {
      add(DiagnosticCode::many_conditioning_images, Severity::warning, LimitSource::published, images,
          profile_.max_conditioning_images);
    }
    if (request_.conditioning_image_count > 0 && request_.vit_tokens > profile_.vit_slots) {
      add(DiagnosticCode::vit_slots_exceeded, Severity::error, LimitSource::published, request_.vit_tokens,
          profile_.vit_slots);
    }
    constexpr double two_to_31 = 2147483648.0;
    const double rows = static_cast<double>(rows_) * static_cast<double>(length);
    const double mask = static_cast<double>(profile_.experts_per_token) * rows * rows;
    if (mask >= two_to_31) {
      add(DiagnosticCode::eager_moe_mask, Severity::warning, LimitSource::computed, mask, two_to_31);
    }
    if (request_.precision != Precision::int8) return;
    if (rows >= 16384) add(DiagnosticCode::int8_rows, Severity::warning, LimitSource::measured, rows, 16384);
    const double expert = rows * 2.0 * profile_.expert_intermediate_size;
    if (expert >= two_to_31) {
      add(DiagnosticCode::int8_expert_elements, Severity::error, LimitSource::published, expert, two_to_31);
    }
    const double vocabulary = static_cast<double>(prompt) * plan_.batch * static_cast<double>(profile_.vocabulary_size);
    if (plan_.text_stage.needed && vocabulary >= two_to_31) {
      add(DiagnosticCode::int8_vocabulary_elements, Severity::error, LimitSource::published, vocabulary, two_to_31);
    }
  }

  [[nodiscard]] static constexpr double area(Resolution size) noexcept {
    return static_cast<double>(size.pixel_count());
  }
  [[nodiscard]] static constexpr double factor(double a, double b) noexcept { return a > b ? a / b : b / a; }

  [[nodiscard]] constexpr bool is_extra(Resolution row) const noexcept {
    for (std::size_t i = 0; i < profile_.extras.count && i < ExtraRows::capacity; ++i) {
      if (profile_.extras.rows[i] == row) return true;
    }
    return false;
  }

  constexpr void add(DiagnosticCode code, Severity severity, LimitSource source, double value, double limit) noexcept {
    plan_.diagnostics.add(code, severity, source, value, limit);
  }

  const GenerationRequest& request_;
  const ModelProfile& profile_;
  const ResolutionGroup& group_;
  GenerationPlan plan_{};
  Resolution requested_{};
  bool is_ratio_ = false;
  std::int64_t conditioning_tokens_ = 0;
  double conditioning_pairs_ = 0.0;
  std::int64_t rows_ = 1;
};

}  // namespace detail

/// Checks a request against everything that is known about a profile, and counts what it costs. A request that has no
/// meaning is an error (a group that cannot be built, an image_size that cannot be read, with its position; counts out
/// of range); one that cannot or should not be run is a plan whose diagnostics say so.
[[nodiscard]] constexpr Result<GenerationPlan> plan_generation(const GenerationRequest& request,
                                                               const ModelProfile& profile) noexcept {
  const Result<ResolutionGroup> group = make_group(profile, request.base_size, request.extra_scaling);
  if (!group) return {group.error(), group.position()};
  return detail::Planner(request, profile, *group).plan();
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PLAN_HPP
