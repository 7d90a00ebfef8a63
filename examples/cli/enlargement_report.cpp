// SPDX-License-Identifier: MIT
#include "enlargement_report.hpp"

#include "failure.hpp"
#include "tiles_report.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr const char* untrained =
    "untrained by the publisher: sizes, steps, weights and costs are worked out; how the picture looks needs a real "
    "checkpoint, and nobody has judged it with this tool";

std::string petaflop_text(double flop) { return fixed(flop / 1e15, 2) + " PFLOP"; }
std::string gigabytes_text(std::int64_t bytes) { return fixed(static_cast<double>(bytes) / 1e9, 2) + " GB"; }
Json rate_or_null(double value, double rate) { return rate > 0 ? Json(value) : Json(nullptr); }

bool has_rate(const EnlargementOptions& options) { return options.flop_per_second > 0; }

/// A plan as the command says it without --target, less what stands outside.
Json part_json(const PlannedEnlargement& planned, const GenerationPlan& plan) {
  Json json = plan_json({planned.selection, "", planned.precision, plan});
  const Json outside = planned.selection.json();
  for (const auto& item : outside.items()) json.erase(item.key());
  json.erase("request");
  json.erase("precision");
  return json;
}

std::string token_text_of(const char* family, std::int64_t number, const Result<TokenId>& id) {
  return std::string("<img_") + family + "_" + std::to_string(number) + "> " +
         (id ? std::to_string(*id) : "without an id");
}

std::string tile_line(const GenerationPlan& tile) {
  return token_text_of("size", tile.image.base_size, tile.size_token) + ", " +
         token_text_of("ratio", static_cast<std::int64_t>(tile.image.ratio_index), tile.ratio_token) + "; " +
         std::to_string(tile.image.image_token_length) + " tokens of the image in a sequence of " +
         std::to_string(tile.sequence_length) + ", " + std::to_string(tile.cfg_rows * tile.batch) +
         (tile.cfg_rows * tile.batch == 1 ? " row" : " rows");
}

std::string calls_line(const EnlargementPlan& plan) {
  std::string text = std::to_string(plan.model_calls) + " = " + std::to_string(plan.generation.steps);
  if (plan.is_refined) {
    text += " + " + std::to_string(plan.tiles.size()) + " tiles x " + std::to_string(plan.refinement_steps) + " steps";
  }
  if (plan.tiles_at_once > 1) text += ", " + std::to_string(plan.tiles_at_once) + " tiles at once";
  return text;
}

std::string seconds_text(double seconds, const EnlargementOptions& options) {
  if (!has_rate(options)) return "";
  return ", " + fixed(seconds, 1) + " s at " + fixed(options.flop_per_second / 1e12, 1) + " TFLOP/s";
}

/// The first thing that refuses a plan; empty where nothing does.
std::string refusal_of(const GenerationPlan& plan) {
  for (const Diagnostic& item : plan.diagnostics) {
    if (item.severity == Severity::error) return name(item.code);
  }
  return "";
}

/// The other way: all at once, at a larger base size.
std::string direct_line(const PlannedEnlargement& planned) {
  const EnlargementPlan& plan = planned.enlargement.plan;
  const Selection& selection = planned.selection;
  if (!plan.direct_base_size) return "no: " + reason_of(plan.direct_base_size.error(), selection.order);
  const GenerationPlan& direct = plan.direct;
  const std::string refusal = refusal_of(direct);
  std::string text = "base size " + std::to_string(*plan.direct_base_size) + ", " +
                     selection.size(direct.image.image_size()) + ": " + std::to_string(direct.sequence_length) +
                     " tokens, " + std::to_string(direct.steps) + " calls, " + petaflop_text(direct.total_flop) +
                     seconds_text(plan.direct_seconds, planned.enlargement.options) + ", keys and values " +
                     gigabytes_text(direct.kv_bytes) + "; ";
  text += refusal.empty() ? "it fits upstream's limits" : "upstream cannot run it (" + refusal + ")";
  return text + "; " + message(direct.scale_report);
}

void add_findings(std::string& text, const char* what, const GenerationPlan& plan) {
  for (const Diagnostic& item : plan.diagnostics) {
    text += finding_lines(std::string(name(item.severity)) + " (" + what + ")", item);
  }
}

Json direct_json(const PlannedEnlargement& planned) {
  const EnlargementPlan& plan = planned.enlargement.plan;
  if (!plan.direct_base_size) {
    return {{"refused", reason_of(plan.direct_base_size.error(), planned.selection.order)}, {"plan", nullptr}};
  }
  return {{"refused", nullptr},
          {"base_size", *plan.direct_base_size},
          {"feasible", plan.direct.feasible()},
          {"seconds", rate_or_null(plan.direct_seconds, planned.enlargement.options.flop_per_second)},
          {"report", message(plan.direct.scale_report)},
          {"plan", part_json(planned, plan.direct)}};
}

}  // namespace

Json enlargement_plan_json(const PlannedEnlargement& planned) {
  const EnlargementPlan& plan = planned.enlargement.plan;
  const EnlargementOptions& options = planned.enlargement.options;
  Json json = planned.selection.json();
  json["precision"] = planned.precision;
  json["feasible"] = plan.feasible();
  json["trained"] = !plan.is_refined && plan.generation.image.trained.all();
  json["target"] = enlargement_json(planned.enlargement);
  json["layout"] = plan.is_refined ? tiles_json(plan.tiles, options.overlap) : Json(nullptr);
  json["refinement"] = nullptr;
  if (plan.is_refined) {
    json["refinement"] = {{"strength", options.strength},
                          {"first_step", plan.first_step},
                          {"first_sigma", plan.first_sigma},
                          {"steps_per_tile", plan.refinement_steps},
                          {"tiles_at_once", plan.tiles_at_once},
                          {"base_size", plan.tile_image.base_size},
                          {"ratio_index", plan.tile_image.ratio_index}};
  }
  json["model_calls"] = plan.model_calls;
  json["flop"] = plan.total_flop;
  json["decoded_pixels"] = plan.decoded_pixels;
  json["encoded_pixels"] = plan.encoded_pixels;
  json["seconds"] = rate_or_null(plan.seconds, options.flop_per_second);
  json["bytes"] = {{"weights", plan.generation.weight_bytes},
                   {"vae", plan.generation.vae_bytes},
                   {"kv_cache", plan.kv_bytes},
                   {"latents", plan.latent_bytes},
                   {"pictures", plan.picture_bytes},
                   {"total", plan.memory_bytes}};
  json["generation"] = part_json(planned, plan.generation);
  json["tile"] = plan.is_refined ? part_json(planned, plan.tile) : Json(nullptr);
  json["direct"] = direct_json(planned);
  return json;
}

std::string enlargement_plan_text(const PlannedEnlargement& planned) {
  const Enlargement& e = planned.enlargement;
  const EnlargementPlan& plan = e.plan;
  std::string text = planned.selection.title() + ", " + planned.precision + '\n';
  const auto line = [&text](const char* label, const std::string& value) {
    const std::string first = "  " + std::string(label) + std::string(10 - std::string_view(label).size(), ' ');
    text += wrapped(first, value, first.size());
  };
  line("target", enlargement_sentence(planned.selection, e));
  if (plan.is_refined) {
    line("tiles", tiles_sentence(planned.selection, plan.tiles, e.options.overlap));
    line("each", tile_line(plan.tile));
    line("refine", "strength " + fixed(e.options.strength, 2) + ": from step " + std::to_string(plan.first_step) +
                       " of " + std::to_string(plan.generation.steps) + " on, where sigma is " +
                       fixed(plan.first_sigma, 4));
  } else {
    line("tiles", "none: the picture is resized");
  }
  if (plan.wrap_columns > 0) {
    line("wrap", "the canvas goes on with " + std::to_string(plan.wrap_columns) +
                     " columns of its left edge, to be blended into it at the end");
  }
  line("calls", calls_line(plan));
  line("compute", petaflop_text(plan.total_flop) + " in all" + seconds_text(plan.seconds, e.options));
  line("coder", fixed(static_cast<double>(plan.decoded_pixels) / 1e6, 1) + " MP decoded, " +
                    fixed(static_cast<double>(plan.encoded_pixels) / 1e6, 1) + " MP encoded" +
                    (has_rate(e.options) ? "; in the seconds at --decode-rate and --encode-rate" : ""));
  line("memory", gigabytes_text(plan.memory_bytes) + ": " + gigabytes_text(plan.generation.weight_bytes) +
                     " weights, " + gigabytes_text(plan.generation.vae_bytes) + " image codec, " +
                     gigabytes_text(plan.kv_bytes) + " keys and values, " +
                     gigabytes_text(plan.picture_bytes + 2 * plan.latent_bytes) +
                     " picture and latents; not what the layers hold while they run");
  line("at once", direct_line(planned));
  if (plan.is_refined) line("label", untrained);
  add_findings(text, "draw", plan.generation);
  if (plan.is_refined) add_findings(text, "tile", plan.tile);
  return text;
}

}  // namespace hunyuan_reso::cli
