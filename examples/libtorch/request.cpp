// SPDX-License-Identifier: MIT
#include "request.hpp"

#include <hunyuan_reso/plan_text.hpp>

#include "adapter.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::DiagnosticCode;
using hunyuan_reso::GenerationPlan;
using hunyuan_reso::ModelProfile;

constexpr std::int32_t smallest_published_base_size = 256;

std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

ModelProfile named_profile(const std::string& name, bool distilled) {
  if (name.empty()) return distilled ? hunyuan_reso::profiles::instruct_distil : hunyuan_reso::profiles::instruct;
  for (const ModelProfile& profile : {hunyuan_reso::profiles::base, hunyuan_reso::profiles::instruct,
                                      hunyuan_reso::profiles::instruct_distil, hunyuan_reso::profiles::panorama}) {
    if (name == profile.name) return profile;
  }
  throw Error("--profile: '" + name + "' is none of base, instruct, instruct-distil, panorama");
}

hunyuan_reso::ImageRequest conversation(const Request& request, const TextResult& found) {
  hunyuan_reso::ImageRequest text;
  text.prompt = request.prompt;
  text.system = request.system;
  text.has_chain_of_thought = found.chain_of_thought.has_value();
  text.chain_of_thought = found.chain_of_thought.value_or("");
  return text;
}

auto encode_with(const TextEncoder& encoder) {
  return [&encoder](std::string_view text) { return encoder.encode(text); };
}

// A test checkpoint's own size token is in no published source; the library cannot know it.
bool is_error(const hunyuan_reso::Diagnostic& finding, const GenerationPlan& plan, const Vocabulary& vocabulary) {
  const bool own_token = finding.code == DiagnosticCode::size_token_unknown &&
                         vocabulary.base_size_of_tokens(plan.image.base_size) != plan.image.base_size;
  return finding.severity == hunyuan_reso::Severity::error && !own_token;
}

}  // namespace

ModelProfile profile_for(const ModelConfig& config, const Vocabulary& vocabulary, const std::string& name) {
  ModelProfile profile = named_profile(name, config.cfg_distilled);
  const LayerConfig& layer = config.layers.back();
  if (profile.cfg_distilled != config.cfg_distilled || profile.use_meanflow != config.use_meanflow) {
    throw Error(std::string("--profile ") + profile.name +
                " does not fit the checkpoint: cfg_distilled or use_meanflow differ");
  }
  profile.vae_downsample_height = narrow(config.downsample_height);
  profile.vae_downsample_width = narrow(config.downsample_width);
  profile.latent_channels = narrow(config.vae.latent_channels);
  profile.trained_base_size = narrow(config.image_base_size);
  profile.position_table = narrow(config.max_position_embeddings);
  profile.max_length = std::min(profile.max_length, profile.position_table);
  profile.layers = narrow(static_cast<std::int64_t>(config.layers.size()));
  profile.hidden_size = narrow(config.hidden_size);
  profile.attention_heads = narrow(config.heads);
  profile.key_value_heads = narrow(config.key_value_heads);
  profile.head_dimension = narrow(config.head_dim);
  profile.experts = narrow(layer.experts);
  profile.experts_per_token = narrow(layer.topk);
  profile.shared_experts = narrow(layer.shared_width / layer.expert_width);
  profile.expert_intermediate_size = narrow(layer.expert_width);
  profile.rope_theta = config.rope_theta;
  if (vocabulary.is_published()) profile.vocabulary_size = narrow(config.vocab_size);
  // Rows of a small test checkpoint are closer together than the published alignment.
  if (profile.trained_base_size < smallest_published_base_size) profile.align = 1;
  return profile;
}

GenerationPlan plan_request(const Request& request, const TextResult& found, const ModelProfile& profile,
                            const Vocabulary& vocabulary, const TextEncoder& encoder) {
  hunyuan_reso::GenerationRequest wanted;
  const std::string ratio = "<img_ratio_" + std::to_string(found.ratio_index.value_or(0)) + ">";
  wanted.image_size = found.ratio_index ? std::string_view(ratio) : std::string_view(request.size);
  wanted.grid_mode = request.grid_mode;
  wanted.base_size = request.base_size > 0 ? request.base_size : profile.trained_base_size;
  if (profile.trained_base_size < smallest_published_base_size)
    wanted.extra_scaling = hunyuan_reso::ExtraScaling::scaled;
  wanted.steps = request.steps;
  wanted.guidance = request.guidance;
  wanted.has_bot_task = request.task.has_value();
  wanted.bot_task = request.task.value_or(hunyuan_reso::BotTask::image);
  wanted.precision = request.precision;
  GenerationPlan plan =
      require(hunyuan_reso::plan_generation(wanted, conversation(request, found), profile, encode_with(encoder)),
              "the request cannot be planned");
  const std::int32_t token_base = vocabulary.base_size_of_tokens(plan.image.base_size);
  if (plan.ratio_is_predicted && token_base != plan.image.base_size) {
    const auto task = request.task.value_or(profile.bot_task);
    plan.text_stage = require(hunyuan_reso::plan_text_stage(profile, task, true, token_base), "text stage");
  }
  return plan;
}

void print_plan(std::FILE* out, const GenerationPlan& plan, const ModelProfile& profile, const Vocabulary& vocabulary) {
  const hunyuan_reso::ImageInfo& image = plan.image;
  const double gib = 1024.0 * 1024.0 * 1024.0;
  std::fprintf(out, "plan (%s): %dx%d pixels (height x width), base size %d, ratio index %zu%s\n", profile.name,
               image.image_height, image.image_width, image.base_size, image.ratio_index,
               plan.ratio_is_predicted ? ", to be predicted" : "");
  std::fprintf(out, "  tokens: image %lld (%dx%d), sequence %s%d, fed by later steps %d\n",
               static_cast<long long>(image.image_token_length), image.token_height, image.token_width,
               plan.sequence_length_is_upper_bound ? "at most " : "", plan.sequence_length, plan.later_step_tokens);
  std::fprintf(out, "  loop: %d steps, guidance %g, %d row%s, flow shift %g\n", plan.steps, plan.guidance,
               plan.cfg_rows, plan.cfg_rows == 1 ? "" : "s", plan.flow_shift);
  std::fprintf(out, "  memory: weights of the backbone %.3g GiB, cache %.3g GiB; TFLOP: first step %.3g, later %.3g\n",
               static_cast<double>(plan.weight_bytes) / gib, static_cast<double>(plan.kv_bytes) / gib,
               plan.first_step_flop / 1e12, plan.later_step_flop / 1e12);
  for (const hunyuan_reso::Diagnostic& finding : plan.diagnostics) {
    const bool excused = finding.severity == hunyuan_reso::Severity::error && !is_error(finding, plan, vocabulary);
    const std::string severity(excused ? "note" : hunyuan_reso::name(finding.severity));
    const std::string text(excused ? "the base size has a token of this checkpoint's own"
                                   : hunyuan_reso::message(finding.code));
    std::fprintf(out, "  %s: %s: %.10g, limit %.10g\n", severity.c_str(), text.c_str(), finding.value, finding.limit);
  }
}

void require_feasible(const GenerationPlan& plan, const Vocabulary& vocabulary) {
  for (const hunyuan_reso::Diagnostic& finding : plan.diagnostics) {
    if (!is_error(finding, plan, vocabulary)) continue;
    char numbers[80];
    std::snprintf(numbers, sizeof numbers, ": %.10g, limit %.10g; ", finding.value, finding.limit);
    throw Error("the plan is not feasible: " + std::string(hunyuan_reso::message(finding.code)) + numbers +
                std::string(hunyuan_reso::advice(finding.code)));
  }
}

hunyuan_reso::TokenBatch image_batch(const Request& request, const TextResult& found, const GenerationPlan& plan,
                                     const ModelProfile& profile, const Vocabulary& vocabulary,
                                     const TextEncoder& encoder) {
  hunyuan_reso::ImageRequest text = conversation(request, found);
  text.has_image = true;
  text.image = hunyuan_reso::ImageBlock::of(plan.image);
  text.image.base_size = vocabulary.base_size_of_tokens(text.image.base_size);
  const auto options = hunyuan_reso::ChatOptions::of(profile, hunyuan_reso::ChatMode::gen_image);
  return require(hunyuan_reso::encode_chat_batch({make_messages(text)}, profile, options, encode_with(encoder),
                                                 plan.cfg_rows - 1, profile.max_length),
                 "the image stage's sequence");
}

hunyuan_reso::TokenBatch text_batch(const Request& request, const GenerationPlan& plan, const ModelProfile& profile,
                                    const Vocabulary& vocabulary, const TextEncoder& encoder) {
  auto options = hunyuan_reso::ChatOptions::of(profile, hunyuan_reso::ChatMode::gen_text);
  options.bot_task = plan.text_stage.prompt_task;
  options.base_size = vocabulary.base_size_of_tokens(plan.image.base_size);
  return require(hunyuan_reso::encode_chat_batch({make_messages(conversation(request, {}))}, profile, options,
                                                 encode_with(encoder), 0, profile.max_length),
                 "the text stage's prompt");
}

}  // namespace hunyuan_generate
