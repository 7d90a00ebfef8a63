// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_PLANNER_HPP
#define HUNYUAN_RESO_DETAIL_PLANNER_HPP

#include "../plan.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// Tokens of a request's texts, from an encoder or estimated.
struct TextCounts {
  std::int64_t before_user = 0;  ///< <|startoftext|>, system text and what stands in front of the user's message
  std::int64_t after_image = 0;  ///< what follows the image block
  std::int64_t answer = 0;       ///< between the chain of thought and the image block
  std::int64_t all = 0;          ///< all texts; without <|startoftext|> and the chain of thought
  Result<std::int32_t> chain_of_thought = Errc::not_given;
  bool is_counted = false;
};

[[nodiscard]] constexpr TextCounts estimated_text(const ModelProfile& profile,
                                                  const GenerationRequest& request) noexcept {
  TextCounts counts;
  counts.before_user = 1 + std::int64_t{request.system_tokens};
  counts.after_image = profile.template_texts.tokens_after_image;
  counts.answer = profile.template_texts.has_answer() ? 1 : 0;
  counts.all = std::int64_t{request.prompt_tokens} + request.system_tokens + profile.template_texts.token_estimate;
  counts.chain_of_thought = request.chain_of_thought_tokens;
  return counts;
}

/// How far the positions of a grid's first cell lie behind the image's index: the farther of its two coordinates.
[[nodiscard]] constexpr std::int64_t position_offset(Resolution grid) noexcept {
  const std::int64_t shorter = grid.height < grid.width ? grid.height : grid.width;
  return (grid.pixel_count() - shorter) / 2;
}

/// Fills a plan step by step; any step may refuse.
class Planner {
 public:
  constexpr Planner(const Model& model, const GenerationRequest& request, const TextCounts& text) noexcept
      : model_(model), profile_(model.profile), request_(request), text_(text) {}

  /// The whole plan.
  [[nodiscard]] constexpr Result<GenerationPlan> plan() noexcept {
    const Result<bool> chosen = choose();
    if (!chosen) return {chosen.error(), chosen.position()};
    const Result<bool> counted = count_tokens();
    if (!counted) return {counted.error(), counted.position()};
    count_cost();
    check_tokens();
    check_scale();
    check_length();
    check_rows();
    return plan_;
  }

  /// Only what the texts do not decide: images, rows, steps, the text stage.
  [[nodiscard]] constexpr Result<GenerationPlan> plan_without_texts() noexcept {
    const Result<bool> chosen = choose();
    if (!chosen) return {chosen.error(), chosen.position()};
    return plan_;
  }

 private:
  [[nodiscard]] constexpr Result<bool> choose() noexcept {
    if (request_.prompt_tokens < 0 || request_.system_tokens < 0 || request_.batch < 1 || request_.batch > 1024 ||
        request_.steps.value_or(1) < 1 || request_.steps.value_or(1) > 1000000 ||
        text_.chain_of_thought.value_or(0) < 0) {
      return Errc::count_out_of_range;
    }
    constexpr double most = 1.7976931348623157e308;
    const double guidance = request_.guidance.value_or(profile_.guidance);
    if (!(guidance >= 0.0 && guidance <= most)) return Errc::guidance_not_finite;
    if (request_.conditioning_image_count > GenerationRequest::max_conditioning_images) {
      return Errc::too_many_conditioning_images;
    }
    plan_.guidance = guidance;
    plan_.cfg_rows = !profile_.cfg_distilled && guidance > 1.0 ? 2 : 1;
    plan_.steps = request_.steps.value_or(profile_.steps);
    plan_.flow_shift = profile_.flow_shift;
    plan_.batch = request_.batch;
    plan_.rope_scaling = request_.rope_scaling.value_or(profile_.rope_scaling);
    for (auto step : {&Planner::choose_image, &Planner::choose_text_stage, &Planner::place_conditioning}) {
      const Result<bool> done = (this->*step)();
      if (!done) return done;
    }
    return true;
  }

  [[nodiscard]] constexpr Result<bool> choose_image() noexcept {
    Result<ImageSize> size = parse_image_size(request_.image_size, profile_);
    if (request_.pixels) size = ImageSize::of_pixels(*request_.pixels);
    if (!size) return {size.error(), size.position()};
    is_ratio_ = size->kind == ImageSizeKind::ratio;
    requested_ = size->size;
    plan_.ratio_is_predicted = size->kind == ImageSizeKind::automatic;
    const ImageSize wanted = plan_.ratio_is_predicted ? ImageSize::of_ratio_index(largest_predictable_row()) : *size;
    const Result<ImageInfo> info = build_gen_image_info(model_, wanted, request_.grid_mode);
    if (!info) return {info.error(), info.position()};
    plan_.image = *info;
    plan_.size_token = size_token_id(profile_, info->base_size);
    if (!plan_.ratio_is_predicted) plan_.ratio_token = ratio_token_id(profile_, info->ratio_index);
    return true;
  }

  /// The row with the most tokens among those whose ratio token the model can emit; among equals, the square.
  [[nodiscard]] constexpr std::size_t largest_predictable_row() const noexcept {
    const ResolutionGroup& group = model_.group;
    std::size_t largest = group.snap({1, 1});
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (ratio_token_id(profile_, i) && group[i].pixel_count() > group[largest].pixel_count()) largest = i;
    }
    return largest;
  }

  [[nodiscard]] constexpr Result<bool> choose_text_stage() noexcept {
    const BotTask task = request_.bot_task.value_or(profile_.bot_task);
    const bool predicts = plan_.ratio_is_predicted && plan_.size_token;
    const Result<TextStage> stage = plan_text_stage(model_, task, predicts);
    if (!stage) return {stage.error(), stage.position()};
    plan_.text_stage = *stage;
    return true;
  }

  [[nodiscard]] constexpr Result<bool> place_conditioning() noexcept {
    for (std::size_t i = 0; i < request_.conditioning_image_count; ++i) {
      const Result<ImageInfo> info = build_cond_image_info(model_, request_.conditioning_images[i], request_.vit_slots);
      if (!info) return {info.error(), i};
      plan_.conditioning_images[plan_.conditioning_image_count++] = *info;
      conditioning_tokens_ += image_block_length(*info);
      if (profile_.conditioning_attention == ConditioningAttention::causal) continue;
      const std::int64_t span = info->image_token_length + info->vit_token_length;
      conditioning_pairs_ += static_cast<double>(span) * static_cast<double>(span - 1) / 2.0;
    }
    return true;
  }

  [[nodiscard]] constexpr Result<bool> count_tokens() noexcept {
    const ImageInfo& image = plan_.image;
    plan_.scalar_tokens = 1 + (image.add_guidance_token ? 1 : 0) + (image.add_timestep_r_token ? 1 : 0);
    const bool thinks = plan_.text_stage.generates_text && plan_.text_stage.prompt_task != BotTask::automatic;
    const std::int64_t thought = text_.chain_of_thought.value_or(thinks ? profile_.max_new_tokens : 0);
    plan_.sequence_length_is_upper_bound = !text_.chain_of_thought && thinks;
    const std::int64_t text = text_.all + thought;
    const std::int64_t block = image_block_length(image);
    const std::int64_t length = 1 + text + conditioning_tokens_ + block;
    if (length > max_side) return {Errc::sequence_too_long, static_cast<std::size_t>(length)};
    const std::int64_t after = text_.after_image < text ? text_.after_image : text;
    const std::int64_t block_start = length - after - block;
    plan_.text_tokens = static_cast<std::int32_t>(text);
    plan_.text_is_counted = text_.is_counted;
    plan_.conditioning_tokens = static_cast<std::int32_t>(conditioning_tokens_);
    plan_.image_block_tokens = static_cast<std::int32_t>(block);
    plan_.sequence_length = static_cast<std::int32_t>(length);
    plan_.image_start = static_cast<std::int32_t>(length - after - 1 - image.image_token_length);
    std::int64_t largest_grid = image.image_token_length;
    for (std::size_t i = 0; i < plan_.conditioning_image_count; ++i) {
      const ImageInfo& conditioning = plan_.conditioning_images[i];
      if (conditioning.image_token_length > largest_grid) largest_grid = conditioning.image_token_length;
    }
    plan_.rope_area_factor = hunyuan_reso::rope_area_factor(profile_, largest_grid);
    plan_.scale_report = report_of_scale(plan_.rope_area_factor, plan_.rope_scaling);
    plan_.every_step_feeds_all = plan_.rope_scaling == RopeScaling::area_by_sigma && plan_.rope_area_factor > 1.0;
    plan_.later_step_tokens = plan_.every_step_feeds_all
                                  ? plan_.sequence_length
                                  : static_cast<std::int32_t>(plan_.scalar_tokens + image.image_token_length);
    // Rescaled angles are other ones than those of the text stage, which has no large image.
    const bool is_rescaled = plan_.rope_scaling != RopeScaling::none && plan_.rope_area_factor > 1.0;
    if (thinks && !is_rescaled) {
      const std::int64_t unconditional = text_.before_user + conditioning_tokens_;
      const std::int64_t conditional = block_start - text_.answer;
      plan_.reusable_conditional_prefix = static_cast<std::int32_t>(conditional > 0 ? conditional : 0);
      plan_.reusable_unconditional_prefix =
          static_cast<std::int32_t>(unconditional < conditional ? unconditional : plan_.reusable_conditional_prefix);
    }
    prompt_tokens_ = 1 + text_.all + conditioning_tokens_;
    rows_ = std::int64_t{plan_.cfg_rows} * plan_.batch;
    plan_.latent_shape[0] = plan_.batch;
    plan_.latent_shape[1] = profile_.latent_channels;
    plan_.latent_shape[2] = image.token_height * profile_.patch_size;
    plan_.latent_shape[3] = image.token_width * profile_.patch_size;
    return true;
  }

  constexpr void count_cost() noexcept {
    const std::int64_t length = plan_.sequence_length;
    plan_.kv_bytes = cache_bytes(profile_, request_.precision, length, rows_);
    plan_.dense_mask_bytes = saturating_product(saturating_product(length, length), rows_);
    plan_.parameter_count = backbone_parameters(profile_);
    const WeightBytes weights = hunyuan_reso::weight_bytes(profile_, request_.precision);
    plan_.vae_bytes = weights.vae;
    plan_.weight_bytes = weights.total() - weights.vae;

    const auto tokens = static_cast<double>(plan_.image.image_token_length);
    const auto positions = static_cast<double>(length);
    const double first_pairs =
        positions * (positions + 1.0) / 2.0 + tokens * (tokens - 1.0) / 2.0 + conditioning_pairs_;
    const double image_stop = static_cast<double>(plan_.image_start) + tokens;
    const double later_pairs = tokens * image_stop + static_cast<double>(plan_.scalar_tokens) * plan_.image_start;
    const auto rows = static_cast<double>(rows_);
    plan_.first_step_flop = pass_flop(profile_, rows, positions, first_pairs);
    plan_.later_step_flop = plan_.every_step_feeds_all
                                ? plan_.first_step_flop
                                : pass_flop(profile_, rows, plan_.later_step_tokens, later_pairs);
    plan_.total_flop = plan_.first_step_flop + plan_.later_step_flop * (plan_.steps - 1);

    plan_.image_position_offset = static_cast<std::int32_t>(position_offset(plan_.image.token_grid()));
    const bool is_trained_group = model_.group.base_size() == profile_.trained_base_size;
    const Result<ResolutionGroup> trained = is_trained_group ? model_.group : make_group(profile_);
    for (std::size_t i = 0; i < trained->size(); ++i) {
      const Resolution grid{(*trained)[i].height / profile_.token_pixels_high(),
                            (*trained)[i].width / profile_.token_pixels_wide()};
      const auto offset = static_cast<std::int32_t>(position_offset(grid));
      if (offset > plan_.trained_image_position_offset) plan_.trained_image_position_offset = offset;
    }
  }

  constexpr void check_tokens() noexcept {
    const auto image_tokens = static_cast<double>(plan_.image.image_token_length);
    if (!plan_.size_token) {
      const std::size_t sizes = profile_.size_tokens.count;
      const bool has_sizes = sizes != 0 && sizes <= SizeTokens::capacity;
      const double last = has_sizes ? profile_.size_tokens.base_sizes[sizes - 1] : 0.0;
      add(DiagnosticCode::size_token_unknown, Severity::error, LimitSource::published, plan_.image.base_size, last);
    }
    if (plan_.ratio_is_predicted) {
      add(DiagnosticCode::ratio_predicted, Severity::note, LimitSource::computed, image_tokens, image_tokens);
    } else if (!plan_.ratio_token) {
      std::size_t known = 0;
      for (std::size_t i = 0; i < ratio_token_count(profile_); ++i) known += ratio_token_id(profile_, i) ? 1U : 0U;
      add(DiagnosticCode::ratio_token_unknown, Severity::error, LimitSource::published,
          static_cast<double>(plan_.image.ratio_index), static_cast<double>(known));
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
    const std::int32_t base = model_.group.base_size();
    if (image.base_size != trained) {
      add(image.base_size < trained ? DiagnosticCode::base_size_below_trained : DiagnosticCode::base_size_above_trained,
          Severity::warning, LimitSource::measured, image.base_size, trained);
    } else if (!image.trained.grid) {
      add(DiagnosticCode::untrained_grid, Severity::warning, LimitSource::published, area(image.image_size()),
          static_cast<double>(trained) * trained);
    }
    if (plan_.rope_scaling != RopeScaling::none && plan_.rope_area_factor > 1.0) {
      add(DiagnosticCode::rope_base_rescaled, Severity::note, LimitSource::measured, plan_.rope_area_factor, 1.0);
    }
    const bool off_scale =
        image.grid_mode == GridMode::snap && profile_.extras.contains(image.image_size()) && base != trained;
    if (off_scale) {
      add(DiagnosticCode::absolute_extra_off_scale, Severity::warning, LimitSource::published, area(image.image_size()),
          static_cast<double>(base) * base);
    }
    if (requested_.is_positive() && !plan_.ratio_is_predicted) {
      const double aspect = factor(requested_.ratio(), image.image_size().ratio());
      const double areas = factor(area(requested_), area(image.image_size()));
      if (aspect > 1.1) {
        add(DiagnosticCode::aspect_changed, Severity::warning, LimitSource::computed, aspect, 1.1);
      } else if (!is_ratio_ && areas > 2.0 && !off_scale) {
        add(DiagnosticCode::area_changed, Severity::note, LimitSource::computed, areas, 2.0);
      }
    }
    if (request_.align_output && !plan_.ratio_is_predicted) {
      const Result<OutputAlignment> aligned = align_output(
          model_.group, image.image_size(), request_.conditioning_images, request_.conditioning_image_count);
      if (aligned && aligned->resize) {
        add(DiagnosticCode::output_alignment_rescales, Severity::note, LimitSource::published,
            static_cast<double>(aligned->height) * static_cast<double>(aligned->width), area(image.image_size()));
      }
    }
  }

  /// A sequence that is too long is one finding, with the first limit that an engine meets.
  constexpr void check_length() noexcept {
    const std::int64_t length = plan_.sequence_length;
    const std::int64_t prompt = prompt_tokens_ + profile_.max_new_tokens;
    if (length > profile_.position_table) {
      add(DiagnosticCode::position_table_exceeded, Severity::error, LimitSource::published, static_cast<double>(length),
          profile_.position_table);
    } else if (length > profile_.max_length) {
      add(DiagnosticCode::max_length_exceeded, Severity::error, LimitSource::published, static_cast<double>(length),
          profile_.max_length);
    } else if (plan_.text_stage.generates_text && prompt > profile_.max_length) {
      add(DiagnosticCode::text_stage_over_max_length, Severity::warning, LimitSource::published,
          static_cast<double>(prompt), profile_.max_length);
    }
    const auto images = static_cast<double>(request_.conditioning_image_count);
    if (images > profile_.max_conditioning_images) {
      add(DiagnosticCode::many_conditioning_images, Severity::warning, LimitSource::published, images,
          profile_.max_conditioning_images);
    }
  }

  /// Limits of engines on the tokens of all rows together. Of those of INT8 kernels the worst one is told.
  constexpr void check_rows() noexcept {
    constexpr double two_to_31 = 2147483648.0;
    const double rows = static_cast<double>(rows_) * static_cast<double>(plan_.sequence_length);
    const double mask = eager_moe_mask_bytes(profile_, rows);
    if (request_.eager_moe_mask && mask >= 8.0 * two_to_31) {
      add(DiagnosticCode::eager_moe_mask, Severity::warning, LimitSource::computed, mask, 8.0 * two_to_31);
    }
    if (request_.precision != Precision::int8) return;
    const double expert = rows * 2.0 * profile_.expert_intermediate_size;
    const double vocabulary =
        static_cast<double>(prompt_tokens_) * plan_.batch * static_cast<double>(profile_.vocabulary_size);
    const bool reads_vocabulary = plan_.text_stage.generates_text || plan_.ratio_is_predicted;
    if (expert >= two_to_31) {
      add(DiagnosticCode::int8_expert_elements, Severity::error, LimitSource::published, expert, two_to_31);
    } else if (reads_vocabulary && vocabulary >= two_to_31) {
      add(DiagnosticCode::int8_vocabulary_elements, Severity::error, LimitSource::published, vocabulary, two_to_31);
    } else if (rows >= 16384) {
      add(DiagnosticCode::int8_rows, Severity::warning, LimitSource::measured, rows, 16384);
    }
  }

  [[nodiscard]] static constexpr double area(Resolution size) noexcept {
    return static_cast<double>(size.pixel_count());
  }
  [[nodiscard]] static constexpr double factor(double a, double b) noexcept { return a > b ? a / b : b / a; }

  constexpr void add(DiagnosticCode code, Severity severity, LimitSource source, double value, double limit) noexcept {
    plan_.diagnostics.add(code, severity, source, value, limit);
  }

  const Model& model_;
  const ModelProfile& profile_;
  const GenerationRequest& request_;
  TextCounts text_;
  GenerationPlan plan_{};
  Resolution requested_{};
  bool is_ratio_ = false;
  std::int64_t conditioning_tokens_ = 0;
  double conditioning_pairs_ = 0.0;
  std::int64_t prompt_tokens_ = 0;
  std::int64_t rows_ = 1;
};

}  // namespace detail

constexpr Result<GenerationPlan> plan_generation(const Model& model, const GenerationRequest& request) noexcept {
  return detail::Planner(model, request, detail::estimated_text(model.profile, request)).plan();
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_PLANNER_HPP
