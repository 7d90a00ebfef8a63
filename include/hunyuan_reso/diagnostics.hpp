// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DIAGNOSTICS_HPP
#define HUNYUAN_RESO_DIAGNOSTICS_HPP

#include "detail/config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How bad a finding is. An error means that the published model cannot run the request.
enum class Severity : std::uint8_t { note, warning, error };

/// Where a limit comes from.
enum class LimitSource : std::uint8_t {
  measured,   ///< seen by people who ran the model
  published,  ///< in the checkpoints' configs, documentation or kernels
  computed,   ///< follows from published numbers
};

/// What a plan found.
enum class DiagnosticCode : std::uint8_t {
  position_table_exceeded,
  max_length_exceeded,
  text_stage_over_max_length,
  many_conditioning_images,
  base_size_below_trained,
  base_size_above_trained,
  untrained_grid,
  aspect_changed,
  area_changed,
  absolute_extra_off_scale,
  output_alignment_rescales,
  rope_base_rescaled,
  ratio_token_unknown,
  size_token_unknown,
  int8_rows,
  int8_expert_elements,
  int8_vocabulary_elements,
  eager_moe_mask,
  single_row_guidance,
  distilled_batch,
  meanflow_without_distillation,
  ratio_predicted,
};

/// The name of a code, for logs and JSON: stable.
[[nodiscard]] constexpr const char* name(DiagnosticCode code) noexcept {
  switch (code) {
    case DiagnosticCode::position_table_exceeded:
      return "position_table_exceeded";
    case DiagnosticCode::max_length_exceeded:
      return "max_length_exceeded";
    case DiagnosticCode::text_stage_over_max_length:
      return "text_stage_over_max_length";
    case DiagnosticCode::many_conditioning_images:
      return "many_conditioning_images";
    case DiagnosticCode::base_size_below_trained:
      return "base_size_below_trained";
    case DiagnosticCode::base_size_above_trained:
      return "base_size_above_trained";
    case DiagnosticCode::untrained_grid:
      return "untrained_grid";
    case DiagnosticCode::aspect_changed:
      return "aspect_changed";
    case DiagnosticCode::area_changed:
      return "area_changed";
    case DiagnosticCode::absolute_extra_off_scale:
      return "absolute_extra_off_scale";
    case DiagnosticCode::output_alignment_rescales:
      return "output_alignment_rescales";
    case DiagnosticCode::rope_base_rescaled:
      return "rope_base_rescaled";
    case DiagnosticCode::ratio_token_unknown:
      return "ratio_token_unknown";
    case DiagnosticCode::size_token_unknown:
      return "size_token_unknown";
    case DiagnosticCode::int8_rows:
      return "int8_rows";
    case DiagnosticCode::int8_expert_elements:
      return "int8_expert_elements";
    case DiagnosticCode::int8_vocabulary_elements:
      return "int8_vocabulary_elements";
    case DiagnosticCode::eager_moe_mask:
      return "eager_moe_mask";
    case DiagnosticCode::single_row_guidance:
      return "single_row_guidance";
    case DiagnosticCode::distilled_batch:
      return "distilled_batch";
    case DiagnosticCode::meanflow_without_distillation:
      return "meanflow_without_distillation";
    case DiagnosticCode::ratio_predicted:
      return "ratio_predicted";
  }
  return "unknown";
}

/// What it means, and what the value and the limit of the diagnostic count.
[[nodiscard]] constexpr const char* message(DiagnosticCode code) noexcept {
  switch (code) {
    case DiagnosticCode::position_table_exceeded:
      return "the sequence (tokens) is longer than the rotary position table";
    case DiagnosticCode::max_length_exceeded:
      return "the sequence (tokens) is longer than the checkpoint's maximum length";
    case DiagnosticCode::text_stage_over_max_length:
      return "prompt and generated text (tokens) can grow past the checkpoint's maximum length";
    case DiagnosticCode::many_conditioning_images:
      return "more conditioning images than the published checkpoints document";
    case DiagnosticCode::base_size_below_trained:
      return "the base size is below the trained one: 512 to 896 were usable in the field, 256 was incomplete";
    case DiagnosticCode::base_size_above_trained:
      return "the base size is above the trained one: artifacts were seen in the field; by one port's author 1536x1536 "
             "still works, and 2048x2048 is noise unless the rotary base is rescaled";
    case DiagnosticCode::untrained_grid:
      return "the grid (pixels) is no published row, so the checkpoint was not trained on it";
    case DiagnosticCode::aspect_changed:
      return "the generated aspect differs from the requested one by this factor";
    case DiagnosticCode::area_changed:
      return "the generated area differs from the requested one by this factor";
    case DiagnosticCode::absolute_extra_off_scale:
      return "the request landed on an extra row, which upstream does not scale with the base size (pixels)";
    case DiagnosticCode::output_alignment_rescales:
      return "output alignment will resize the image (pixels) to match a conditioning image's aspect";
    case DiagnosticCode::rope_base_rescaled:
      return "the rotary base is rescaled by this factor, which is untrained: one port's author reports that it works "
             "at 2048x2048";
    case DiagnosticCode::ratio_token_unknown:
      return "the ratio token of this row has no known id (value: ratio index, limit: ratio tokens with an id)";
    case DiagnosticCode::size_token_unknown:
      return "the base size has no token <img_size_N>";
    case DiagnosticCode::int8_rows:
      return "the rows of a pass (batch x guidance rows x tokens) reach the size at which bitsandbytes INT8 crashed";
    case DiagnosticCode::int8_expert_elements:
      return "the elements of an expert layer's product pass the 32-bit counts of the INT8 kernels";
    case DiagnosticCode::int8_vocabulary_elements:
      return "the elements of the vocabulary head's product pass the 32-bit counts of the INT8 kernels";
    case DiagnosticCode::eager_moe_mask:
      return "the dispatch mask of the engine's eager expert code takes this many bytes (limit: 2^31 elements of 8)";
    case DiagnosticCode::single_row_guidance:
      return "guidance at or below 1 means no unconditional row";
    case DiagnosticCode::distilled_batch:
      return "the distilled checkpoints take one image a batch upstream";
    case DiagnosticCode::meanflow_without_distillation:
      return "meanflow without a distilled checkpoint lacks the <timestep_r> token that the later passes name";
    case DiagnosticCode::ratio_predicted:
      return "the model predicts the ratio: figures are those of the row with the most tokens";
  }
  return "unknown";
}

/// What to do instead.
[[nodiscard]] constexpr const char* advice(DiagnosticCode code) noexcept {
  switch (code) {
    case DiagnosticCode::position_table_exceeded:
    case DiagnosticCode::max_length_exceeded:
      return "use a smaller base size and enlarge the result in tiles (plan_enlargement; the tool's plan --target), a "
             "shorter prompt, or fewer conditioning images";
    case DiagnosticCode::text_stage_over_max_length:
      return "lower the number of new tokens or shorten the prompt";
    case DiagnosticCode::many_conditioning_images:
      return "use at most the documented number, or expect untrained behaviour";
    case DiagnosticCode::base_size_below_trained:
    case DiagnosticCode::base_size_above_trained:
      return "use the trained base size (1024) and shrink the result, or enlarge it in tiles (plan_enlargement; the "
             "tool's "
             "plan --target)";
    case DiagnosticCode::untrained_grid:
      return "use grid mode snap with absolute extras, or expect untrained behaviour";
    case DiagnosticCode::aspect_changed:
      return "ask for a size between 1:4 and 4:1, or crop the result";
    case DiagnosticCode::area_changed:
      return "resize the result to the requested size";
    case DiagnosticCode::absolute_extra_off_scale:
      return "use scaled extras (untrained), or a ratio that is not 4:3, 16:9, 3:4 or 9:16";
    case DiagnosticCode::output_alignment_rescales:
      return "switch output alignment off to keep the generated pixels";
    case DiagnosticCode::rope_base_rescaled:
      return "compare with a picture at the trained base size, enlarged";
    case DiagnosticCode::ratio_token_unknown:
      return "supply the id with ModelProfile::with_ratio_token_id";
    case DiagnosticCode::size_token_unknown:
      return "use a base size of the profile's ladder (published: 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, "
             "8192)";
    case DiagnosticCode::int8_rows:
    case DiagnosticCode::int8_expert_elements:
    case DiagnosticCode::int8_vocabulary_elements:
      return "use NF4 or BF16 weights, or a smaller base size and enlarge the result in tiles (plan_enlargement; "
             "the tool's plan --target)";
    case DiagnosticCode::eager_moe_mask:
      return "use grouped or fused expert code, or a smaller base size and enlarge the result in tiles "
             "(plan_enlargement; the tool's plan --target)";
    case DiagnosticCode::single_row_guidance:
      return "use guidance above 1 if the prompt is to be followed more closely";
    case DiagnosticCode::distilled_batch:
      return "run the images one after another";
    case DiagnosticCode::meanflow_without_distillation:
      return "set cfg_distilled in the profile, or switch use_meanflow off";
    case DiagnosticCode::ratio_predicted:
      return "plan again with the predicted ratio, or ask for an explicit size";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* name(Severity severity) noexcept {
  return severity == Severity::note ? "note" : severity == Severity::warning ? "warning" : "error";
}
[[nodiscard]] constexpr const char* name(LimitSource source) noexcept {
  return source == LimitSource::measured ? "measured" : source == LimitSource::published ? "published" : "computed";
}

/// One finding: the number that breaks a limit, and the limit. message() says what they count.
struct Diagnostic {
  DiagnosticCode code = DiagnosticCode::position_table_exceeded;
  Severity severity = Severity::note;
  LimitSource source = LimitSource::computed;
  double value = 0.0;
  double limit = 0.0;
};

/// The findings of a plan: one for each cause, each code at most once, so that the list cannot overflow.
struct Diagnostics {
  static constexpr std::size_t capacity = 24;

  Diagnostic items[capacity]{};
  std::size_t count = 0;

  [[nodiscard]] constexpr const Diagnostic* begin() const noexcept { return items; }
  [[nodiscard]] constexpr const Diagnostic* end() const noexcept { return items + size(); }
  /// How many there are: `count`, but no more than `capacity`.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return count < capacity ? count : capacity; }

  constexpr void add(DiagnosticCode code, Severity severity, LimitSource source, double value, double limit) noexcept {
    if (count < capacity) items[count++] = {code, severity, source, value, limit};
  }
  /// The finding with this code, or nullptr.
  [[nodiscard]] constexpr const Diagnostic* find(DiagnosticCode code) const noexcept {
    for (const Diagnostic& item : *this) {
      if (item.code == code) return &item;
    }
    return nullptr;
  }
  /// The worst severity; Severity::note for an empty list.
  [[nodiscard]] constexpr Severity worst() const noexcept {
    Severity result = Severity::note;
    for (const Diagnostic& item : *this) {
      if (item.severity > result) result = item.severity;
    }
    return result;
  }
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DIAGNOSTICS_HPP
