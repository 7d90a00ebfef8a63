// SPDX-License-Identifier: MIT
#include "plan_report.hpp"

#include <cmath>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Whole numbers as they are, others with a few digits.
std::string number_text(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  return fixed(value, 2);
}

std::string bytes_text(std::int64_t bytes) { return fixed(static_cast<double>(bytes) / 1e9, 2) + " GB"; }
std::string flop_text(double flop) { return fixed(flop / 1e12, 1) + " TFLOP"; }

std::string advice_in_words_of_the_tool(DiagnosticCode code) {
  std::string text = advice(code);
  text = replaced(text, "ModelProfile::with_ratio_token_id", "--ratio-token INDEX=ID");
  text = replaced(text, "grid mode snap with absolute extras", "--grid-mode snap and --extras absolute");
  text = replaced(text, "use scaled extras (untrained)", "use --extras scaled (untrained)");
  text = replaced(text, "plan_enlargement; the tool's plan --target", "hunyuan-reso plan --target");
  return replaced(text, "switch output alignment off", "leave --align-output out");
}

Json id_json(const Result<TokenId>& id) { return id ? Json(*id) : Json(nullptr); }

Json diagnostic_json(const Diagnostic& item) {
  return {{"code", name(item.code)},
          {"severity", name(item.severity)},
          {"source", name(item.source)},
          {"value", item.value},
          {"limit", item.limit},
          {"message", message(item.code)},
          {"advice", advice_in_words_of_the_tool(item.code)}};
}

const char* rule_name(RatioRule rule) {
  switch (rule) {
    case RatioRule::one_pass:
      return "one_pass";
    case RatioRule::free_pass:
      return "free_pass";
    case RatioRule::masked:
      return "masked";
    case RatioRule::in_text:
      return "in_text";
    case RatioRule::none:
      break;
  }
  return "none";
}

Json text_stage_json(const TextStage& stage) {
  Json transitions = Json::array();
  for (std::size_t i = 0; i < stage.transition_count; ++i) {
    const StageTransition& transition = stage.transitions[i];
    Json forced = Json::array();
    for (std::size_t k = 0; k < transition.forced_count; ++k) forced.push_back(transition.forced[k]);
    transitions.push_back({{"after", transition.stop_token}, {"force", forced}});
  }
  Json stops = Json::array();
  for (std::size_t i = 0; i < stage.stop_token_count; ++i) stops.push_back(stage.stop_tokens[i]);
  return {{"needed", stage.is_needed()},
          {"generates_text", stage.generates_text},
          {"prompt_task", name_in(tasks, stage.prompt_task)},
          {"ratio_rule", rule_name(stage.ratio_rule)},
          {"transitions", transitions},
          {"stop_tokens", stops}};
}

Json conditioning_json(const GenerationPlan& plan) {
  Json images = Json::array();
  for (std::size_t i = 0; i < plan.conditioning_image_count; ++i) {
    const ImageInfo& image = plan.conditioning_images[i];
    const bool has_vae = has_vae_run(image.kind);
    const auto of_vae = [&](std::int64_t value) { return has_vae ? Json(value) : Json(nullptr); };
    const auto of_vit = [&](std::int64_t value) { return has_vit_run(image.kind) ? Json(value) : Json(nullptr); };
    images.push_back({{"original_height", image.requested.height},
                      {"original_width", image.requested.width},
                      {"height", of_vae(image.image_height)},
                      {"width", of_vae(image.image_width)},
                      {"ratio_index", of_vae(static_cast<std::int64_t>(image.ratio_index))},
                      {"token_height", of_vae(image.token_height)},
                      {"token_width", of_vae(image.token_width)},
                      {"vit_token_height", of_vit(image.vit_token_height)},
                      {"vit_token_width", of_vit(image.vit_token_width)},
                      {"vit_token_length", of_vit(image.vit_token_length)},
                      {"block_tokens", image_block_length(image)}});
  }
  return images;
}

std::string id_text(const char* family, std::int64_t number, const Result<TokenId>& id) {
  return std::string("<img_") + family + "_" + std::to_string(number) + "> " +
         (id ? std::to_string(*id) : "without an id");
}

std::string image_line(const PlannedRequest& planned) {
  const Selection& selection = planned.selection;
  const ImageInfo& image = planned.plan.image;
  std::string text = selection.size(image.image_size()) + " (" + size_heading(selection.order) + "), " +
                     megapixels_text(image.image_size().pixel_count()) + ", bucket " +
                     std::to_string(image.ratio_index);
  if (planned.plan.ratio_is_predicted) return text + " at most (the model predicts the ratio)";
  if (image.grid_mode == GridMode::snap) return text;
  text += "; the request is followed";
  if (image.requested != image.image_size()) {
    text += ", pixels were cut: " + selection.size(image.requested) + " became " + selection.size(image.image_size());
  }
  return text;
}

std::string ids_line(const PlannedRequest& planned) {
  const GenerationPlan& plan = planned.plan;
  std::string text = id_text("size", plan.image.base_size, plan.size_token);
  if (planned.selection.grid_mode == GridMode::follow_request_by_area && !plan.ratio_is_predicted) {
    text += " (base size " + std::to_string(plan.image.base_size) + " was chosen by area)";
  }
  if (plan.ratio_is_predicted) return text + ", the ratio token is the model's";
  return text + ", " + id_text("ratio", static_cast<std::int64_t>(plan.image.ratio_index), plan.ratio_token);
}

std::string finding_text(const Diagnostic& item) {
  return std::string(message(item.code)) + ": " + number_text(item.value) + ", limit " + number_text(item.limit) +
         " (" + name(item.source) + ")";
}

}  // namespace

std::string finding_lines(const std::string& label, const Diagnostic& item) {
  return wrapped("  " + label + ": ", finding_text(item), 6) +
         wrapped("      -> ", advice_in_words_of_the_tool(item.code), 9);
}

std::string diagnostic_text(const Diagnostic& item) {
  return finding_text(item) + "\n      -> " + advice_in_words_of_the_tool(item.code);
}

Json plan_json(const PlannedRequest& planned) {
  const GenerationPlan& plan = planned.plan;
  const ImageInfo& image = plan.image;
  Json json = planned.selection.json();
  json["request"] = planned.request;
  json["feasible"] = plan.feasible();
  json["image"] = {{"height", image.image_height},
                   {"width", image.image_width},
                   {"token_height", image.token_height},
                   {"token_width", image.token_width},
                   {"image_token_length", image.image_token_length},
                   {"base_size", image.base_size},
                   {"ratio_index", image.ratio_index},
                   {"size_token_id", id_json(plan.size_token)},
                   {"ratio_token_id", id_json(plan.ratio_token)},
                   {"ratio_is_predicted", plan.ratio_is_predicted},
                   {"trained", image.trained.all()}};
  json["conditioning_images"] = conditioning_json(plan);
  json["rows"] = {{"batch", plan.batch}, {"cfg_rows", plan.cfg_rows}};
  json["steps"] = plan.steps;
  json["guidance"] = plan.guidance;
  json["flow_shift"] = plan.flow_shift;
  json["tokens"] = {{"text", plan.text_tokens},
                    {"text_is_counted", plan.text_is_counted},
                    {"conditioning", plan.conditioning_tokens},
                    {"image_block", plan.image_block_tokens},
                    {"sequence_length", plan.sequence_length},
                    {"sequence_length_is_upper_bound", plan.sequence_length_is_upper_bound},
                    {"image_start", plan.image_start},
                    {"scalar_tokens", plan.scalar_tokens},
                    {"later_step_tokens", plan.later_step_tokens},
                    {"reusable_conditional_prefix", plan.reusable_conditional_prefix},
                    {"reusable_unconditional_prefix", plan.reusable_unconditional_prefix}};
  json["limits"] = {{"max_length", planned.selection.profile().max_length},
                    {"position_table", planned.selection.profile().position_table}};
  json["positions"] = {{"image_offset", plan.image_position_offset},
                       {"trained_image_offset", plan.trained_image_position_offset},
                       {"rope_scaling", name_in(rope_scalings, plan.rope_scaling)},
                       {"area_factor", plan.rope_area_factor},
                       {"every_step_feeds_all", plan.every_step_feeds_all},
                       {"report", message(plan.scale_report)}};
  json["latent_shape"] = plan.latent_shape;
  json["precision"] = planned.precision;
  json["parameter_count"] = plan.parameter_count;
  json["bytes"] = {{"weights", plan.weight_bytes},
                   {"vae", plan.vae_bytes},
                   {"kv_cache", plan.kv_bytes},
                   {"dense_mask", plan.dense_mask_bytes}};
  json["flop"] = {
      {"first_step", plan.first_step_flop}, {"later_step", plan.later_step_flop}, {"total", plan.total_flop}};
  json["text_stage"] = text_stage_json(plan.text_stage);
  json["diagnostics"] = Json::array();
  for (const Diagnostic& item : plan.diagnostics) json["diagnostics"].push_back(diagnostic_json(item));
  return json;
}

std::string plan_text(const PlannedRequest& planned) {
  const GenerationPlan& plan = planned.plan;
  std::string text = planned.selection.title() + ", " + planned.precision + ": " + printable(planned.request) + '\n';
  const auto line = [&text](const char* label, const std::string& value) {
    text += "  " + std::string(label) + std::string(10 - std::string_view(label).size(), ' ') + value + '\n';
  };
  line("image", image_line(planned));
  line("ids", ids_line(planned));
  line("tokens", std::to_string(plan.image.image_token_length) + " of the image, " + std::to_string(plan.text_tokens) +
                     " of text, " + std::to_string(plan.conditioning_tokens) + " of conditioning images");
  for (std::size_t i = 0; i < plan.conditioning_image_count; ++i) {
    const ImageInfo& image = plan.conditioning_images[i];
    std::string value = planned.selection.size(image.requested);
    if (has_vae_run(image.kind)) {
      value += " -> bucket " + std::to_string(image.ratio_index) + ", " + planned.selection.size(image.image_size());
    }
    if (has_vit_run(image.kind)) {
      value += "; ViT grid " + planned.selection.size(image.vit_grid()) + " in " +
               std::to_string(image.vit_token_length) + " slots";
    }
    line(i == 0 ? "edits" : "", value);
  }
  const std::int32_t rows = plan.cfg_rows * plan.batch;
  line("sequence", std::to_string(plan.sequence_length) + " tokens" +
                       (plan.sequence_length_is_upper_bound ? " at most" : "") + " in " + std::to_string(rows) +
                       (rows == 1 ? " row" : " rows") + " (batch " + std::to_string(plan.batch) + " x guidance " +
                       std::to_string(plan.cfg_rows) + "); limit " +
                       std::to_string(planned.selection.profile().max_length));
  if (plan.reusable_conditional_prefix > 0) {
    line("reuse", "the text stage's keys and values of " + std::to_string(plan.reusable_conditional_prefix) +
                      " tokens (unconditional row: " + std::to_string(plan.reusable_unconditional_prefix) + ")");
  }
  if (plan.image_position_offset > plan.trained_image_position_offset || plan.rope_area_factor > 1) {
    line("positions", "the image's centre lies " + std::to_string(plan.image_position_offset) +
                          " away from its text; at most " + std::to_string(plan.trained_image_position_offset) +
                          " in training");
  }
  if (plan.rope_area_factor > 1) {
    std::string value = std::string(name_in(rope_scalings, plan.rope_scaling)) + "; the largest grid has " +
                        fixed(plan.rope_area_factor, 2) + " times the trained square's area";
    if (plan.every_step_feeds_all) value += "; the angles change with each step, so that every step feeds all tokens";
    text += wrapped("  rope      ", value, 12);
    text += wrapped("            ", message(plan.scale_report), 12);
  }
  line("steps", std::to_string(plan.steps) + "; the first feeds all tokens, the later ones " +
                    std::to_string(plan.later_step_tokens));
  line("compute", flop_text(plan.first_step_flop) + " first step, " + flop_text(plan.later_step_flop) +
                      " each later one, " + fixed(plan.total_flop / 1e15, 2) + " PFLOP in all");
  line("memory", bytes_text(plan.weight_bytes) + " weights, " + bytes_text(plan.vae_bytes) + " image codec, " +
                     bytes_text(plan.kv_bytes) + " keys and values");
  if (plan.diagnostics.size() == 0) text += "  no limit is met\n";
  for (const Diagnostic& item : plan.diagnostics) {
    if (item.severity == Severity::error) {
      line("refused", std::string(name(item.code)) + " (on standard error)");
    } else {
      text += finding_lines(name(item.severity), item);
    }
  }
  return text;
}

}  // namespace hunyuan_reso::cli
