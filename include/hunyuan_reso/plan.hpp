// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PLAN_HPP
#define HUNYUAN_RESO_PLAN_HPP

#include "cost.hpp"
#include "crop.hpp"
#include "diagnostics.hpp"
#include "rope.hpp"
#include "text_stage.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What people who ran the published model report of grids so large, beyond the trained square. No number of the
/// library depends on it. All of them are of one port's author (2026).
enum class ScaleReport : std::uint8_t {
  not_larger,        ///< than the trained square: nothing to report
  works,             ///< unscaled, up to 1536 x 1536
  noise,             ///< unscaled, from 2048 x 2048 on
  works_rescaled,    ///< with RopeScaling::area, up to 2048 x 2048
  worse_text,        ///< with RopeScaling::area_by_sigma: text in pictures is better without it
  nothing_reported,  ///< between or beyond those
};

[[nodiscard]] HUNYUAN_RESO_HD constexpr const char* message(ScaleReport report) noexcept {
  switch (report) {
    case ScaleReport::not_larger:
      return "not larger than the trained square";
    case ScaleReport::works:
      return "one port's author reports that grids up to about 1536x1536 still work";
    case ScaleReport::noise:
      return "one port's author reports that 2048x2048 is noise unless the rotary base is rescaled";
    case ScaleReport::works_rescaled:
      return "one port's author reports that rescaling the rotary base by area works at 2048x2048";
    case ScaleReport::worse_text:
      return "one port's author reports that text in pictures is better without the dependence on sigma";
    case ScaleReport::nothing_reported:
      break;
  }
  return "nobody has reported on grids so large";
}

/// The report on a grid by its area over the trained square's (rope_area_factor).
[[nodiscard]] HUNYUAN_RESO_HD constexpr ScaleReport report_of_scale(double area_factor, RopeScaling scaling) noexcept {
  constexpr double works_up_to = 1.5 * 1.5;
  constexpr double seen_at = 2.0 * 2.0;
  if (area_factor <= 1.0) return ScaleReport::not_larger;
  if (scaling != RopeScaling::none && area_factor > seen_at) return ScaleReport::nothing_reported;
  if (scaling == RopeScaling::area) return ScaleReport::works_rescaled;
  if (scaling == RopeScaling::area_by_sigma) return ScaleReport::worse_text;
  if (area_factor <= works_up_to) return ScaleReport::works;
  return area_factor < seen_at ? ScaleReport::nothing_reported : ScaleReport::noise;
}

/// Everything an engine needs before it allocates. Token counts are of one row; bytes and FLOP of all rows together.
struct GenerationPlan {
  ImageInfo image{};
  bool ratio_is_predicted = false;  ///< image is then the largest row that the model can predict
  Result<TokenId> size_token = Errc::unknown_base_size;
  Result<TokenId> ratio_token = Errc::no_ratio_token;  ///< pinned from an explicit size, never predicted then
  TextStage text_stage{};
  ImageInfo conditioning_images[GenerationRequest::max_conditioning_images]{};
  std::size_t conditioning_image_count = 0;

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
  bool text_is_counted = false;                 ///< by an encoder; else the template's texts are an estimate
  std::int32_t image_start = 0;                 ///< index of the first <img>, exact where the text counts are
  std::int32_t scalar_tokens = 1;               ///< <timestep> [<guidance>] [<timestep_r>]
  std::int32_t later_step_tokens = 0;           ///< fed by each step after the first

  /// Tokens whose keys and values the image stage can take over from the text stage: in the conditional row up to the
  /// end of the chain of thought, in the unconditional row up to its first <cfg>. 0 without a text stage, and
  /// where the rotary angles are rescaled; where the text is not counted, no more than is safe.
  std::int32_t reusable_conditional_prefix = 0;
  std::int32_t reusable_unconditional_prefix = 0;

  /// How far the centre of the image's positions is moved away from its text: 2016 for a grid of 64 x 64, (w h - h) / 2
  /// or (w h - w) / 2 in general, the larger one; the first cell lies so far behind its index in the sequence. And the
  /// most that the checkpoint saw in training. A larger distance is a reason why larger base sizes fail.
  std::int32_t image_position_offset = 0;
  std::int32_t trained_image_position_offset = 0;
  RopeScaling rope_scaling = RopeScaling::none;
  double rope_area_factor = 1.0;                       ///< of the largest grid; what `area` rescales the rotary base by
  ScaleReport scale_report = ScaleReport::not_larger;  ///< what people report of this size and scaling
  bool every_step_feeds_all = false;  ///< the angles change with every step, so cached keys of the text do not fit

  std::int32_t latent_shape[4] = {0, 0, 0, 0};  ///< batch, channels, height, width
  std::int64_t kv_bytes = 0;                    ///< keys and values of all layers
  std::int64_t parameter_count = 0;             ///< of the language backbone
  std::int64_t weight_bytes = 0;      ///< in the request's precision: backbone, embedders, vision tower; not the VAE
  std::int64_t vae_bytes = 0;         ///< image encoder and decoder, in 16 bits (fp32: 32)
  std::int64_t dense_mask_bytes = 0;  ///< a boolean mask, if an engine makes one
  double first_step_flop = 0.0;       ///< decoder layers
  double later_step_flop = 0.0;
  double total_flop = 0.0;

  Diagnostics diagnostics{};

  /// Whether the published model can run it: no diagnostic is an error.
  [[nodiscard]] constexpr bool feasible() const noexcept { return diagnostics.worst() != Severity::error; }
};

/// Checks a request against everything that is known about a model, and counts what it costs, with the request's own
/// token counts for its texts. A request that has no meaning is an error: an image_size that cannot be read (with its
/// position), a task that the profile does not have, counts out of range. One that cannot or should not be run is a
/// plan whose diagnostics say so.
[[nodiscard]] constexpr Result<GenerationPlan> plan_generation(const Model& model,
                                                               const GenerationRequest& request) noexcept;

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#include "detail/planner.hpp"  // IWYU pragma: export

#endif  // HUNYUAN_RESO_PLAN_HPP
