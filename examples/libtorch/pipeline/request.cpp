// SPDX-License-Identifier: MIT
#include "pipeline/request.hpp"

#include <algorithm>  // max
#include <cmath>      // isfinite

#include "adapter/adapter.hpp"
#include "pipeline/devices.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

std::string stripped(const std::string& text) {
  const char* const space = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(space);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(space) + 1 - first);
}

hr::Resolution size_of(const at::Tensor& picture) {
  if (picture.dim() != 3 || picture.size(2) != 3 || picture.scalar_type() != at::kByte) {
    throw Error("a conditioning picture is not uint8 [height, width, 3]");
  }
  return {static_cast<std::int32_t>(picture.size(0)), static_cast<std::int32_t>(picture.size(1))};
}

// The profile with the defaults that the request overrides.
hr::ModelProfile profile_for(const Folder& folder, const Request& request) {
  hr::ModelProfile profile = folder.profile;
  if (request.sequence_template) profile.template_texts = template_of(*request.sequence_template, "the request");
  if (request.max_new_tokens) profile.max_new_tokens = *request.max_new_tokens;
  if (request.flow_shift) profile.flow_shift = *request.flow_shift;
  if (request.rope_scaling) profile.rope_scaling = *request.rope_scaling;
  if (!(profile.flow_shift > 0) || !std::isfinite(profile.flow_shift))
    throw Error("the flow shift must be a positive number");
  if (profile.max_new_tokens < 1) throw Error("the number of new tokens must be positive");
  return profile;
}

// The first release's code uses the system text as it is given; the later one's strips it.
std::string system_text(const hr::ModelProfile& profile, const std::string& text) {
  return profile.bare_assistant_text ? text : stripped(text);
}

}  // namespace

PlannedRequest::PlannedRequest(const Folder& folder, const TextEncoder& encoder, const Request& request)
    : request_(&request), encoder_(&encoder), size_(request.size) {
  const hr::ModelProfile profile = profile_for(folder, request);
  const std::int32_t base_size = request.base_size.value_or(profile.trained_base_size);
  model_ = require(hr::Model::create(profile, base_size), "base size " + std::to_string(base_size));
  system_ = system_text(profile, request.system);
  prompt_ = request.prompt;
  if (!request.messages.empty()) {
    prompt_.clear();
    for (const ChatItem& item : request.messages) {
      prompt_ += item.text;
      if (item.picture.defined()) pictures_.push_back(item.picture);
    }
  } else {
    pictures_ = request.images;
  }
  wanted_.grid_mode = request.grid_mode;
  if (request.task) wanted_.bot_task = *request.task;
  if (request.text_only) wanted_.bot_task = hr::BotTask::automatic;
  wanted_.drop_think = drops_think();
  if (request.guidance) wanted_.guidance = *request.guidance;
  if (request.steps) wanted_.steps = *request.steps;
  wanted_.precision = request.precision;
  wanted_.align_output = request.align_output;
  for (const at::Tensor& picture : pictures_) {
    require(wanted_.add_conditioning_image(size_of(picture)), "conditioning pictures");
  }
  const bool is_thinking = wanted_.bot_task.value_or(profile.bot_task) == hr::BotTask::think ||
                           wanted_.bot_task.value_or(profile.bot_task) == hr::BotTask::recaption;
  if (is_thinking && profile.bare_assistant_text && *profile.template_texts.answer == '\0') {
    throw Error("this release writes a chain of thought under the instruct template only; add --template instruct");
  }
  make_plan();
}

void PlannedRequest::make_plan() {
  wanted_.prompt = prompt_;
  wanted_.system = system_;
  if (request_->target) {
    wanted_.prompt_tokens = 0;
    enlargement_ = plan_target({});
    const hr::Resolution bucket = enlargement_->generation.image.image_size();
    size_ = std::to_string(bucket.height) + "x" + std::to_string(bucket.width);
  }
  wanted_.image_size = size_;
  plan_ = require(hr::plan_generation(model_, wanted_, encode()), "the request cannot be planned");
  count_conversation();
  if (!request_->target) return;
  // The enlargement is planned without an encoder: it gets the texts' tokens as a number.
  wanted_.prompt_tokens =
      std::max(0, wanted_.prompt_tokens + plan_.text_tokens - plan_target({}).generation.text_tokens);
  enlargement_ = plan_target({});
}

void PlannedRequest::count_conversation() {
  if (request_->messages.empty()) return;
  // The library counts the texts of one prompt; those of a whole conversation are counted here.
  const std::int64_t blocks = plan_.image_block_tokens + plan_.conditioning_tokens + 1;
  const std::int64_t texts = image_rows({}, 1).length - blocks - model_.profile.template_texts.token_estimate;
  wanted_.prompt_tokens = static_cast<std::int32_t>(std::max<std::int64_t>(0, texts));
  plan_ = require(hr::plan_generation(model_, wanted_), "the request cannot be planned");
}

hr::EnlargementPlan PlannedRequest::plan_target(const Rates& rates) const {
  const Target& target = *request_->target;
  hr::EnlargementOptions options = hr::EnlargementOptions::of(model_.profile);
  if (target.tile) options.tile = {*target.tile, *target.tile};
  options.overlap = target.overlap.value_or(options.overlap);
  options.strength = target.strength.value_or(options.strength);
  options.enlarges_latents = target.enlarges_latents;
  options.tiles_at_once = target.tiles_at_once;
  options.flop_per_second = rates.flop_per_second;
  options.decoded_pixels_per_second = rates.decoded_pixels_per_second;
  options.encoded_pixels_per_second = rates.encoded_pixels_per_second;
  return require(hr::plan_enlargement(model_, wanted_, target.size, options), "the enlargement cannot be planned");
}

double PlannedRequest::enlargement_seconds(const Rates& rates) const {
  return enlargement_ ? plan_target(rates).seconds : 0.0;
}

std::int64_t PlannedRequest::calls() const noexcept { return enlargement_ ? enlargement_->model_calls : plan_.steps; }

void PlannedRequest::found(std::optional<std::size_t> ratio_index, std::size_t thought_tokens) {
  if (ratio_index) size_ = "<img_ratio_" + std::to_string(*ratio_index) + ">";
  const bool is_used = request_->messages.empty();  // see messages()
  wanted_.chain_of_thought_tokens = is_used ? static_cast<std::int32_t>(thought_tokens) : 0;
  make_plan();
}

std::vector<hr::Message> PlannedRequest::messages(const std::string& chain_of_thought,
                                                  const hr::ImageInfo* image) const {
  if (request_->messages.empty()) return hr::make_messages(wanted_, plan_, chain_of_thought, image);
  // Of a conversation that is given whole the published code uses neither system text nor chain of thought, and its
  // pictures are the assistant's.
  std::vector<hr::Message> result;
  std::size_t picture = 0;
  for (const ChatItem& item : request_->messages) {
    result.push_back(item.picture.defined()
                         ? hr::Message::of_image(hr::Role::assistant, plan_.conditioning_images[picture++])
                         : hr::Message::of_text(item.role, item.text));
  }
  if (image != nullptr) result.push_back(hr::Message::of_image(hr::Role::assistant, *image));
  return result;
}

hr::ChatOptions PlannedRequest::chat_options(hr::ChatMode mode) const {
  hr::ChatOptions options = hr::ChatOptions::of(model_.profile, mode);
  options.drop_think = drops_think();
  return options;
}

hr::TokenSequence PlannedRequest::text_row(hr::BotTask task, const std::string& chain_of_thought) const {
  hr::ChatOptions options = chat_options(hr::ChatMode::gen_text);
  options.bot_task = task;
  const auto sections = require(hr::render_chat(model_, messages(chain_of_thought, nullptr), options), "the prompt");
  hr::SequenceOptions limits;
  limits.max_length = model_.profile.max_length;
  return require(hr::build_sequence(model_.profile, sections, encode(), limits), "the prompt");
}

hr::TokenBatch PlannedRequest::image_rows(const std::string& chain_of_thought, std::int32_t pictures) const {
  return rows_of(plan_.image, chain_of_thought, pictures);
}

hr::TokenBatch PlannedRequest::tile_rows(const std::string& chain_of_thought, std::int32_t tiles) const {
  if (!enlargement_ || !enlargement_->is_refined) throw Error("the request has no tiles");
  return rows_of(enlargement_->tile_image, chain_of_thought, tiles);
}

hr::TokenBatch PlannedRequest::rows_of(const hr::ImageInfo& image, const std::string& chain_of_thought,
                                       std::int32_t pictures) const {
  const std::vector<std::vector<hr::Message>> rows(static_cast<std::size_t>(pictures),
                                                   messages(chain_of_thought, &image));
  return require(hr::encode_chat_batch(model_, rows, chat_options(hr::ChatMode::gen_image), encode(),
                                       plan_.cfg_rows - 1, model_.profile.max_length),
                 "the image stage's sequence");
}

std::string PlannedRequest::prompt_text() const {
  hr::ChatOptions options =
      chat_options(plan_.text_stage.generates_text ? hr::ChatMode::gen_text : hr::ChatMode::gen_image);
  options.bot_task = plan_.text_stage.prompt_task;
  const bool draws = options.mode == hr::ChatMode::gen_image && !plan_.ratio_is_predicted;
  const auto sections =
      require(hr::render_chat(model_, messages({}, draws ? &plan_.image : nullptr), options), "the prompt");
  return require(hr::prompt_text(model_.profile, sections, hr::ImageText::one_token_a_run), "the prompt");
}

void print_plan(std::FILE* out, const PlannedRequest& request) {
  const hr::GenerationPlan& plan = request.plan();
  const hr::ModelProfile& profile = request.profile();
  const hr::ImageInfo& image = plan.image;
  const int height = image.token_height * profile.token_pixels_high(),
            width = image.token_width * profile.token_pixels_wide();
  std::fprintf(out, "plan (%s): %dx%d pixels (height x width), base size %d, ratio index %zu%s\n", profile.name, height,
               width, image.base_size, image.ratio_index, plan.ratio_is_predicted ? ", to be predicted" : "");
  std::fprintf(out, "  tokens: image %lld (%dx%d), sequence %s%d, fed by later steps %d\n",
               static_cast<long long>(image.image_token_length), image.token_height, image.token_width,
               plan.sequence_length_is_upper_bound ? "at most " : "", plan.sequence_length, plan.later_step_tokens);
  std::fprintf(out, "  loop: %d steps, guidance %g, %d row%s, flow shift %g\n", plan.steps, plan.guidance,
               plan.cfg_rows, plan.cfg_rows == 1 ? "" : "s", plan.flow_shift);
  std::fprintf(out, "  memory: weights of the backbone %.3g GiB, cache %.3g GiB; TFLOP: first step %.3g, later %.3g\n",
               in_gib(plan.weight_bytes), in_gib(plan.kv_bytes), plan.first_step_flop / 1e12,
               plan.later_step_flop / 1e12);
  for (const hr::Diagnostic& finding : plan.diagnostics) {
    std::fprintf(out, "  %s: %s: %.10g, limit %.10g\n", hr::name(finding.severity), hr::message(finding.code),
                 finding.value, finding.limit);
  }
}

void print_enlargement(std::FILE* out, const PlannedRequest& request) {
  if (request.enlargement() == nullptr) return;
  const hr::EnlargementPlan& plan = *request.enlargement();
  std::fprintf(out, "enlargement: %.4g times, canvas %dx%d, cut to %dx%d%s\n", plan.scale, plan.canvas.height,
               plan.canvas.width, plan.target.height, plan.target.width,
               plan.is_refined ? "" : "; the bucket covers it, nothing is refined");
  if (plan.wrap_columns > 0) {
    std::fprintf(out, "  %d columns go on round the right edge and are blended into the left one\n", plan.wrap_columns);
  }
  if (!plan.is_refined) return;
  const hr::Resolution tile = plan.tiles.tile_size(), overlap = plan.tiles.overlap_reached();
  std::fprintf(out, "  %d tiles of %dx%d (%d rows, %d columns, overlaps %d and %d), %d at once\n", plan.tiles.size(),
               tile.height, tile.width, plan.tiles.rows(), plan.tiles.columns(), overlap.height, overlap.width,
               plan.tiles_at_once);
  std::fprintf(out, "  steps %d to %d of %d for each tile: %lld calls of the model in all, %.4g PFLOP\n",
               plan.first_step, plan.tile.steps - 1, plan.tile.steps, static_cast<long long>(plan.model_calls),
               plan.total_flop / 1e15);
  std::fprintf(out, "  image coder: %.4g MP decoded, %.4g MP encoded, overlaps included\n",
               static_cast<double>(plan.decoded_pixels) / 1e6, static_cast<double>(plan.encoded_pixels) / 1e6);
  std::fprintf(out, "  untrained: nobody has judged such pictures with a published checkpoint here\n");
}

void require_feasible(const hr::GenerationPlan& plan) {
  for (const hr::Diagnostic& finding : plan.diagnostics) {
    if (finding.severity != hr::Severity::error) continue;
    char numbers[80];
    std::snprintf(numbers, sizeof numbers, ": %.10g, limit %.10g; ", finding.value, finding.limit);
    throw Error("the plan is not feasible: " + std::string(hr::message(finding.code)) + numbers +
                hr::advice(finding.code));
  }
}

void require_feasible(const PlannedRequest& request) {
  require_feasible(request.plan());
  const hr::EnlargementPlan* const enlargement = request.enlargement();
  if (enlargement != nullptr && !enlargement->feasible()) require_feasible(enlargement->tile);
}

}  // namespace hunyuan_generate
