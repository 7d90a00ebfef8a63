// SPDX-License-Identifier: MIT
// hunyuan-reso plan: what a generation needs, and which limits it meets.
#include <hunyuan_reso/generation.hpp>
#include <memory>

#include "commands.hpp"
#include "enlargement_report.hpp"
#include "failure.hpp"
#include "one_size.hpp"
#include "output.hpp"
#include "plan_report.hpp"
#include "tokenizer_file.hpp"

namespace hunyuan_reso::cli {
namespace {

struct PlanOptions {
  ModelOptions model;
  OutputOptions output;
  std::string image_size;
  std::string precision = "bf16";
  std::string task;
  std::vector<std::string> conditioning;
  std::string tokenizer, prompt, system;
  std::string target, rope_scaling;
  RefinementOptions refinement;
  CLI::Option* prompt_option = nullptr;
  CLI::Option* target_option = nullptr;
  CLI::Option* size_option = nullptr;
  NumberOption prompt_tokens, chain_of_thought_tokens, steps, guidance, batch;
  bool align_output = false;
  bool eager_moe_mask = false;
};

std::int32_t count_of(const NumberOption& option, std::int32_t least, std::int32_t most) {
  return static_cast<std::int32_t>(option.whole(least, most));
}

/// What the options ask for; the image size apart, whose text the caller keeps.
GenerationRequest request_of(const PlanOptions& options, const Selection& selection) {
  GenerationRequest request;
  request.grid_mode = selection.grid_mode;
  request.precision = value_of(precisions, options.precision);
  request.align_output = options.align_output;
  if (!options.rope_scaling.empty()) request.rope_scaling = value_of(rope_scalings, options.rope_scaling);
  request.eager_moe_mask = options.eager_moe_mask;
  if (!options.task.empty()) request.bot_task = value_of(tasks, options.task);
  request.prompt_tokens = options.prompt_tokens.given() ? count_of(options.prompt_tokens, 0, max_side) : 100;
  if (options.chain_of_thought_tokens.given()) {
    request.chain_of_thought_tokens = count_of(options.chain_of_thought_tokens, 0, max_side);
  }
  if (options.steps.given()) request.steps = count_of(options.steps, 1, 1000000);
  if (options.batch.given()) request.batch = count_of(options.batch, 1, 1024);
  if (options.guidance.given()) request.guidance = options.guidance.decimal(0, 1000000);
  for (const std::string& text : options.conditioning) {
    const Resolution size = require_pixels("--conditioning", text, selection.profile(), selection.order);
    const Errc error = request.add_conditioning_image(size);
    if (error != Errc::none) throw Refusal("--conditioning: " + reason_of(error));
  }
  return request;
}

/// The option or argument that an error of plan_generation is about.
std::string place_of(const PlanOptions& options, Errc error) {
  switch (error) {
    case Errc::task_not_supported:
      return "--task " + (options.task.empty() ? "(the profile's)" : options.task) + " with profile " +
             options.model.profile;
    case Errc::vit_grid_exceeds_slots:
      return "--conditioning";
    case Errc::sequence_too_long:
      return "--prompt-tokens, --chain-of-thought-tokens and " + spelled(options.image_size);
    default:
      return "'" + spelled(options.image_size) + "'";
  }
}

PlannedRequest make_plan(const PlanOptions& options) {
  PlannedRequest planned;
  planned.selection = resolve_selection(options.model);
  planned.precision = options.precision;
  const Selection& selection = planned.selection;
  const ImageSize size = require_size("", options.image_size, selection.profile(), selection.order);
  planned.request = request_text(size, selection.profile(), selection.order);
  GenerationRequest request = request_of(options, selection);
  const ImageSizeText canonical = format_image_size(size, selection.profile());
  request.image_size = canonical.view();
  request.prompt = options.prompt;
  request.system = options.system;
  const Result<GenerationPlan> plan =
      options.tokenizer.empty()
          ? plan_generation(selection.model, request)
          : plan_generation(selection.model, request, load_tokenizer(options.tokenizer, selection.profile()));
  if (!plan) {
    std::string place = place_of(options, plan.error());
    if (plan.error() == Errc::vit_grid_exceeds_slots) place += " " + options.conditioning[plan.position()];
    throw Refusal(place + ": " + reason_of(plan.error(), selection.order));
  }
  planned.plan = *plan;
  return planned;
}

/// The ratio that a name of a target takes: that of the image size, where it has one.
Resolution ratio_for_names(const PlanOptions& options, const Selection& selection) {
  if (options.size_option->count() == 0) return usual_ratio;
  const ImageSize size = require_size("", options.image_size, selection.profile(), selection.order);
  if (size.kind == ImageSizeKind::automatic) return usual_ratio;
  if (size.size.is_positive()) return size.size;
  const Result<ImageInfo> info = build_gen_image_info(selection.model, size);
  if (!info) throw Refusal("'" + spelled(options.image_size) + "': " + reason_of(info.error(), selection.order));
  return info->image_size();
}

/// Tokens of a text without special ones.
template <class Encode>
std::int32_t count_tokens(Encode& encode, const std::string& text) {
  return text.empty() ? 0 : static_cast<std::int32_t>(encode(text).size());
}

PlannedEnlargement make_enlargement(const PlanOptions& options) {
  PlannedEnlargement planned;
  planned.selection = resolve_selection(options.model);
  planned.precision = options.precision;
  const Selection& selection = planned.selection;
  GenerationRequest request = request_of(options, selection);
  if (!options.tokenizer.empty()) {
    auto encode = load_tokenizer(options.tokenizer, selection.profile());
    request.prompt_tokens = count_tokens(encode, options.prompt);
    request.system_tokens = count_tokens(encode, options.system);
  }
  const Target target = require_target("--target", options.target, ratio_for_names(options, selection), selection);
  planned.enlargement = enlarge(selection, selection.model, request, target, options.refinement.resolve(selection), 0);
  return planned;
}

/// Writes what refuses a plan to standard error; returns the exit status.
int report_errors(const GenerationPlan& plan) {
  for (const Diagnostic& item : plan.diagnostics) {
    if (item.severity == Severity::error) write_error("hunyuan-reso: " + diagnostic_text(item) + '\n');
  }
  return plan.feasible() ? exit_success : exit_refused;
}

int run_enlargement(const PlanOptions& options) {
  const PlannedEnlargement planned = make_enlargement(options);
  const EnlargementPlan& plan = planned.enlargement.plan;
  const bool as_json = options.output.format == "json";
  options.output.write(as_json ? dump(enlargement_plan_json(planned)) : enlargement_plan_text(planned));
  const int status = report_errors(plan.generation);
  return status != exit_success || !plan.is_refined ? status : report_errors(plan.tile);
}

/// Options that only mean something with --target, or only without it.
void check_target_options(const PlanOptions& options) {
  if (options.target_option->count() > 0) {
    if (options.align_output) throw UsageError("plan: --target and --align-output exclude each other");
    if (options.model.grid_mode != "snap") {
      throw UsageError("plan: --target draws at a bucket, which leaves no other --grid-mode than snap");
    }
    return;
  }
  if (options.size_option->count() == 0) throw UsageError("plan: expected an image size, or --target SIZE");
  if (const char* name = options.refinement.given()) {
    throw UsageError(std::string("plan: ") + name + " needs --target SIZE");
  }
}

/// The prompt is counted by a tokenizer, or its tokens are given.
void check_text_options(const PlanOptions& options) {
  const bool has_prompt = options.prompt_option->count() > 0;
  if (has_prompt != !options.tokenizer.empty() || (!has_prompt && !options.system.empty())) {
    throw UsageError("plan: --tokenizer FILE and --prompt TEXT (with --system TEXT, if wished) go together");
  }
  if (has_prompt && options.prompt_tokens.given()) {
    throw UsageError("plan: --prompt and --prompt-tokens exclude each other");
  }
}

int run(const PlanOptions& options) {
  check_text_options(options);
  check_target_options(options);
  if (options.target_option->count() > 0) return run_enlargement(options);
  const PlannedRequest planned = make_plan(options);
  const bool as_json = options.output.format == "json";
  options.output.write(as_json ? dump(plan_json(planned)) : plan_text(planned));
  return report_errors(planned.plan);
}

}  // namespace

Command add_plan(CLI::App& tool) {
  CLI::App& app = add_command(tool, "plan", "What a generation needs, and which limits it meets",
                              "  hunyuan-reso plan 1080x1920 --prompt-tokens 120\n"
                              "  hunyuan-reso plan 2048x2048 --base-size 2048 --precision int8\n"
                              "  hunyuan-reso plan --target 2160x3840 --precision int8 --tflops 400\n"
                              "  hunyuan-reso plan 3:2 --target 4K --format json\n"
                              "  hunyuan-reso plan auto --conditioning 3024x4032 --format json\n"
                              "  hunyuan-reso plan 16:9 --tokenizer tokenizer.json --prompt 'a cat'");
  const auto options = std::make_shared<PlanOptions>();
  options->model.add_group(app);
  options->model.add_grid_mode(app);
  options->size_option =
      app.add_option("image_size", options->image_size,
                     "auto, HEIGHTxWIDTH (see --order), A:B or <img_ratio_i>; with --target only the ratio of a name "
                     "(default: 16:9)")
          ->type_name("IMAGE_SIZE");
  options->target_option =
      app.add_option("--target", options->target,
                     std::string("A picture beyond the trained scale, drawn at a trained bucket, enlarged and refined "
                                 "in overlapping tiles\n(untrained): what it takes. HEIGHTxWIDTH, or a name. ") +
                         target_names)
          ->check([](const std::string& text) { return text.empty() ? std::string("expected a size") : std::string(); })
          ->type_name("SIZE");
  options->refinement.add(app);
  options->prompt_tokens.add(app, "--prompt-tokens", "Tokens of the prompt and the system prompt (default: 100)",
                             "COUNT");
  app.add_option("--tokenizer", options->tokenizer,
                 "The checkpoint's tokenizer.json: the tokens of --prompt are counted, not estimated")
      ->type_name("FILE");
  options->prompt_option =
      app.add_option("--prompt", options->prompt, "The prompt, for --tokenizer")->type_name("TEXT");
  app.add_option("--system", options->system, "The system prompt, for --tokenizer (default: none)")->type_name("TEXT");
  options->chain_of_thought_tokens.add(app, "--chain-of-thought-tokens",
                                       "Tokens of thinking and recaption (default: as many as the task can produce)",
                                       "COUNT");
  app.add_option("--task", options->task, "What the text stage does (default: the profile's task)")
      ->check(one_of(names_of(tasks)))
      ->type_name("TASK");
  app.add_option("--conditioning", options->conditioning, "Original size of a conditioning image; repeatable")
      ->allow_extra_args(false)
      ->type_name("SIZE");
  app.add_flag("--align-output", options->align_output, "Resize the output to match a conditioning image's aspect");
  options->steps.add(app, "--steps", "Denoising steps (default: the profile's)", "COUNT");
  options->guidance.add(app, "--guidance", "Guidance scale (default: the profile's)", "SCALE");
  options->batch.add(app, "--batch", "Images at once (default: 1)", "COUNT");
  app.add_option("--precision", options->precision, "Weights: fp32, bf16, fp16, int8, fp8 or nf4 (default: bf16)")
      ->check(one_of(names_of(precisions)))
      ->type_name("TYPE");
  app.add_option("--rope-scaling", options->rope_scaling,
                 "Rescale the rotary base for grids larger than the trained square (untrained): none (default), area\n"
                 "or area_by_sigma (every step then feeds the whole sequence)")
      ->check(one_of(names_of(rope_scalings)))
      ->type_name("HOW");
  app.add_flag("--eager-moe-mask", options->eager_moe_mask,
               "The engine's expert code makes a dispatch mask over all tokens: say what it takes");
  options->output.add(app, {"text", "json"});
  return {&app, [options] { return run(*options); }};
}

}  // namespace hunyuan_reso::cli
