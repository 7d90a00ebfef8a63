// SPDX-License-Identifier: MIT
// hunyuan-reso plan: what a generation needs, and which limits it meets.
#include <cmath>
#include <hunyuan_reso/plan.hpp>
#include <hunyuan_reso/result.hpp>
#include <memory>

#include "commands.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "output.hpp"

namespace hunyuan_reso::cli {
namespace {

struct NamedPrecision {
  const char* name;
  Precision value;
};
constexpr NamedPrecision precisions[] = {{"fp32", Precision::fp32},
                                         {"bf16", Precision::bf16},
                                         {"fp16", Precision::fp16},
                                         {"int8", Precision::int8},
                                         {"nf4", Precision::nf4}};

struct NamedTask {
  const char* name;
  BotTask value;
};
constexpr NamedTask tasks[] = {{"auto", BotTask::automatic},
                               {"image", BotTask::image},
                               {"think", BotTask::think},
                               {"recaption", BotTask::recaption},
                               {"think_recaption", BotTask::think_recaption},
                               {"img_ratio", BotTask::img_ratio}};

template <class Named>
std::vector<std::string> names_of(const Named& named) {
  std::vector<std::string> names;
  for (const auto& item : named) names.emplace_back(item.name);
  return names;
}

template <class Named>
auto value_of(const Named& named, const std::string& name) {
  for (const auto& item : named) {
    if (name == item.name) return item.value;
  }
  return named[0].value;
}

template <class Named, class Value>
const char* name_in(const Named& named, Value value) {
  for (const auto& item : named) {
    if (item.value == value) return item.name;
  }
  return "";
}

struct PlanOptions {
  ModelOptions model;
  OutputOptions output;
  std::string image_size;
  std::string precision = "bf16";
  std::string task;
  std::vector<std::string> conditioning;
  GenerationRequest request;
};

/// The plan, or a Refusal that names the argument at fault.
GenerationPlan make_plan(const PlanOptions& options, const Model& model) {
  GenerationRequest request = options.request;
  request.image_size = options.image_size;
  request.base_size = model.group.base_size();
  request.extra_scaling = model.extra_scaling;
  request.grid_mode = model.grid_mode;
  request.precision = value_of(precisions, options.precision);
  request.has_bot_task = !options.task.empty();
  if (request.has_bot_task) request.bot_task = value_of(tasks, options.task);
  for (const std::string& text : options.conditioning) {
    const Result<ImageSize> size = parse_image_size(text, model.profile);
    if (!size) throw Refusal(point_at("--conditioning", text, size.position(), message(size.error())));
    if (size->kind != ImageSizeKind::pixels) {
      throw Refusal("--conditioning '" + printable(text) + "': expected HEIGHTxWIDTH in pixels");
    }
    if (request.conditioning_image_count == GenerationRequest::max_conditioning_images) {
      throw Refusal("--conditioning: " + std::string(message(Errc::too_many_conditioning_images)));
    }
    request.conditioning_images[request.conditioning_image_count++] = size->size;
  }
  const Result<ImageSize> size = parse_image_size(options.image_size, model.profile);
  if (!size) throw Refusal(point_at("", options.image_size, size.position(), message(size.error())));
  const Result<GenerationPlan> plan = plan_generation(request, model.profile);
  if (!plan) throw Refusal("'" + printable(options.image_size) + "': " + std::string(message(plan.error())));
  return *plan;
}

/// Whole numbers as they are, others with a few digits.
std::string number_text(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  return fixed(value, 2);
}

std::string bytes_text(std::int64_t bytes) { return fixed(static_cast<double>(bytes) / 1e9, 2) + " GB"; }
std::string flop_text(double flop) { return fixed(flop / 1e12, 1) + " TFLOP"; }

Json diagnostic_json(const Diagnostic& item) {
  return {{"code", name(item.code)},     {"severity", name(item.severity)},
          {"source", name(item.source)}, {"value", item.value},
          {"limit", item.limit},         {"message", message(item.code)},
          {"advice", advice(item.code)}};
}

Json id_json(TokenId id) { return id == invalid_token_id ? Json(nullptr) : Json(id); }

Json text_stage_json(const TextStage& stage) {
  Json transitions = Json::array();
  for (std::size_t i = 0; i < stage.transition_count; ++i) {
    Json forced = Json::array();
    for (std::size_t k = 0; k < stage.transitions[i].forced_count; ++k)
      forced.push_back(stage.transitions[i].forced[k]);
    transitions.push_back({{"after", stage.transitions[i].stop_token}, {"force", forced}});
  }
  Json stops = Json::array();
  for (std::size_t i = 0; i < stage.stop_token_count; ++i) stops.push_back(stage.stop_tokens[i]);
  constexpr const char* rules[] = {"none", "one_pass", "masked"};
  return {{"needed", stage.needed},
          {"prompt_task", name_in(tasks, stage.prompt_task)},
          {"ratio_rule", rules[static_cast<std::size_t>(stage.ratio_rule)]},
          {"transitions", transitions},
          {"stop_tokens", stops}};
}

Json plan_json(const PlanOptions& options, const Model& model, const GenerationPlan& plan) {
  Json json = model.json();
  const ImageInfo& image = plan.image;
  json["request"] = options.image_size;
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
  json["rows"] = {{"batch", plan.batch}, {"cfg_rows", plan.cfg_rows}};
  json["steps"] = plan.steps;
  json["guidance"] = plan.guidance;
  json["flow_shift"] = plan.flow_shift;
  json["tokens"] = {{"text", plan.text_tokens},
                    {"conditioning", plan.conditioning_tokens},
                    {"image_block", plan.image_block_tokens},
                    {"sequence_length", plan.sequence_length},
                    {"sequence_length_is_upper_bound", plan.sequence_length_is_upper_bound},
                    {"image_start", plan.image_start},
                    {"scalar_tokens", plan.scalar_tokens},
                    {"later_step_tokens", plan.later_step_tokens}};
  json["latent_shape"] = plan.latent_shape;
  json["precision"] = options.precision;
  json["bytes"] = {{"weights", plan.weight_bytes}, {"kv_cache", plan.kv_bytes}, {"dense_mask", plan.dense_mask_bytes}};
  json["flop"] = {
      {"first_step", plan.first_step_flop}, {"later_step", plan.later_step_flop}, {"total", plan.total_flop}};
  json["text_stage"] = text_stage_json(plan.text_stage);
  json["diagnostics"] = Json::array();
  for (const Diagnostic& item : plan.diagnostics) json["diagnostics"].push_back(diagnostic_json(item));
  return json;
}

std::string plan_text(const PlanOptions& options, const Model& model, const GenerationPlan& plan) {
  const ImageInfo& image = plan.image;
  std::string text = model.title() + ", " + options.precision + ": " + printable(options.image_size) + '\n';
  const auto line = [&text](const char* label, const std::string& value) {
    text += "  " + std::string(label) + std::string(12 - std::string_view(label).size(), ' ') + value + '\n';
  };
  const std::string predicted = plan.ratio_is_predicted ? " at most (the model predicts the ratio)" : "";
  line("image", size_text(image.image_size()) + " (height x width), " +
                    megapixels_text(image.image_size().pixel_count()) + ", row " + std::to_string(image.ratio_index) +
                    predicted);
  line("tokens", std::to_string(image.image_token_length) + " of the image, " + std::to_string(plan.text_tokens) +
                     " of text, " + std::to_string(plan.conditioning_tokens) + " of conditioning images");
  line("sequence",
       std::to_string(plan.sequence_length) + " tokens" + (plan.sequence_length_is_upper_bound ? " at most" : "") +
           " in " + std::to_string(plan.cfg_rows * plan.batch) + (plan.cfg_rows * plan.batch == 1 ? " row" : " rows") +
           " (batch " + std::to_string(plan.batch) + " x guidance " + std::to_string(plan.cfg_rows) + ")");
  line("steps", std::to_string(plan.steps) + "; the first feeds all tokens, the later ones " +
                    std::to_string(plan.later_step_tokens));
  line("compute", flop_text(plan.first_step_flop) + " first step, " + flop_text(plan.later_step_flop) +
                      " each later one, " + fixed(plan.total_flop / 1e15, 2) + " PFLOP in all");
  line("memory", bytes_text(plan.weight_bytes) + " weights, " + bytes_text(plan.kv_bytes) + " keys and values");
  if (plan.diagnostics.size() == 0) text += "  no limit is met\n";
  for (const Diagnostic& item : plan.diagnostics) {
    text += "  " + std::string(name(item.severity)) + ": " + std::string(message(item.code)) + ": " +
            number_text(item.value) + ", limit " + number_text(item.limit) + " (" + std::string(name(item.source)) +
            ")\n      -> " + std::string(advice(item.code)) + '\n';
  }
  return text;
}

int run(const PlanOptions& options) {
  const Model model = resolve_model(options.model);
  const GenerationPlan plan = make_plan(options, model);
  options.output.write(options.output.format == "json" ? dump(plan_json(options, model, plan))
                                                       : plan_text(options, model, plan));
  if (plan.feasible()) return exit_success;
  for (const Diagnostic& item : plan.diagnostics) {
    if (item.severity != Severity::error) continue;
    throw Refusal(std::string(message(item.code)) + ": " + number_text(item.value) + ", limit " +
                  number_text(item.limit));
  }
  return exit_refused;
}

}  // namespace

Command add_plan(CLI::App& tool) {
  CLI::App& app = add_command(tool, "plan", "What a generation needs, and which limits it meets",
                              "  hunyuan-reso plan 1080x1920 --prompt-tokens 120\n"
                              "  hunyuan-reso plan 2048x2048 --base-size 2048 --precision int8\n"
                              "  hunyuan-reso plan auto --conditioning 3024x4032 --format json");
  const auto options = std::make_shared<PlanOptions>();
  options->request.prompt_tokens = 100;
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  app.add_option("image_size", options->image_size, "auto, HEIGHTxWIDTH, A:B or <img_ratio_i>")
      ->required()
      ->type_name("IMAGE_SIZE");
  app.add_option("--prompt-tokens", options->request.prompt_tokens,
                 "Tokens of the prompt and the system prompt (default: 100)")
      ->type_name("COUNT");
  app.add_option("--chain-of-thought-tokens", options->request.chain_of_thought_tokens,
                 "Tokens of thinking and recaption (default: as many as the task can produce)")
      ->type_name("COUNT");
  app.add_option("--task", options->task, "What the text stage does (default: the profile's task)")
      ->check(CLI::IsMember(names_of(tasks)).description(""))
      ->type_name("TASK");
  app.add_option("--conditioning", options->conditioning, "Original size of a conditioning image; repeatable")
      ->allow_extra_args(false)
      ->type_name("HEIGHTxWIDTH");
  app.add_flag("--align-output", options->request.align_output,
               "Resize the output to match a conditioning image's aspect");
  app.add_option("--steps", options->request.steps, "Denoising steps (default: the profile's)")->type_name("COUNT");
  app.add_option("--guidance", options->request.guidance, "Guidance scale (default: the profile's)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SCALE");
  app.add_option("--batch", options->request.batch, "Images at once (default: 1)")->type_name("COUNT");
  app.add_option("--precision", options->precision, "Weights: fp32, bf16, fp16, int8 or nf4 (default: bf16)")
      ->check(CLI::IsMember(names_of(precisions)).description(""))
      ->type_name("TYPE");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
