// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_GENERATION_HPP
#define HUNYUAN_RESO_GENERATION_HPP

#include "chat.hpp"
#include "plan.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

// From one request to the plan with counted texts and to every sequence that its stages feed. `encode` takes a
// std::string_view and returns a range of token ids (see build_sequence).

/// The messages of a request: system text, conditioning images, prompt, and, where they are there, the chain of thought
/// and the image to generate. `image` may be nullptr.
template <class = void>
[[nodiscard]] std::vector<Message> make_messages(const GenerationRequest& request, const GenerationPlan& plan,
                                                 std::string_view chain_of_thought = {},
                                                 const ImageInfo* image = nullptr) {
  std::vector<Message> messages;
  if (!request.system.empty()) messages.push_back(Message::of_text(Role::system, std::string(request.system)));
  for (std::size_t i = 0; i < plan.conditioning_image_count; ++i) {
    messages.push_back(Message::of_image(Role::user, plan.conditioning_images[i]));
  }
  messages.push_back(Message::of_text(Role::user, std::string(request.prompt)));
  if (!chain_of_thought.empty()) {
    messages.push_back(Message::of_text(Role::assistant, std::string(chain_of_thought)));
  }
  if (image != nullptr) messages.push_back(Message::of_image(Role::assistant, *image));
  return messages;
}

namespace detail {

[[nodiscard]] constexpr ChatOptions chat_options(const ModelProfile& profile, const GenerationRequest& request,
                                                 ChatMode mode) noexcept {
  ChatOptions options = ChatOptions::of(profile, mode);
  options.drop_think = request.drop_think.value_or(profile.drop_think);
  return options;
}

/// The row that a text pass goes on from, for a task.
template <class Encode>
[[nodiscard]] Result<TokenSequence> prompt_row(const Model& model, const GenerationRequest& request,
                                               const GenerationPlan& plan, BotTask task,
                                               std::string_view chain_of_thought, Encode& encode) {
  ChatOptions options = chat_options(model.profile, request, ChatMode::gen_text);
  options.bot_task = task;
  const std::vector<Message> messages = make_messages(request, plan, chain_of_thought);
  const Result<std::vector<Section>> sections = render_chat(model, messages, options);
  if (!sections) return {sections.error(), sections.position()};
  return build_sequence(model.profile, *sections, encode);
}

/// Tokens of a request's texts around an image, section by section.
template <class Encode>
[[nodiscard]] Result<TextCounts> counted_text(const Model& model, const GenerationRequest& request,
                                              const GenerationPlan& plan, Encode& encode) {
  const std::vector<Message> messages = make_messages(request, plan, {}, &plan.image);
  const ChatOptions options = chat_options(model.profile, request, ChatMode::gen_image);
  // The unconditional row has the same lengths, and marks the user's text.
  const Result<std::vector<Section>> sections = render_chat(model, messages, options, true);
  if (!sections) return {sections.error(), sections.position()};
  TextCounts counts;
  counts.is_counted = true;
  counts.chain_of_thought = request.chain_of_thought_tokens;
  counts.before_user = 1;
  std::int64_t last_text = 0;
  bool is_before_user = true;
  bool is_after_image = false;
  for (const Section& section : *sections) {
    if (section.is_image) {
      if (section.image.kind != ImageKind::generated) continue;
      counts.answer = model.profile.template_texts.has_answer() ? last_text : 0;
      is_after_image = true;
      continue;
    }
    const Result<TokenSequence> text = build_sequence(model.profile, {section}, encode, {false});
    if (!text && text.error() != Errc::empty_sequence) return {text.error(), text.position()};
    last_text = text ? text->length : 0;
    is_before_user = is_before_user && !section.unconditional;
    counts.all += last_text;
    if (is_before_user) counts.before_user += last_text;
    if (is_after_image) counts.after_image += last_text;
  }
  return counts;
}

}  // namespace detail

/// plan_generation with the texts counted by an encoder: the prompt, the system text and the template's own texts. Only
/// the chain of thought, which is not there yet, stays what the request says. Errors: those of plan_generation,
/// render_chat and build_sequence.
template <class Encode>
[[nodiscard]] Result<GenerationPlan> plan_generation(const Model& model, const GenerationRequest& request,
                                                     Encode&& encode) {
  const detail::TextCounts estimated = detail::estimated_text(model.profile, request);
  const Result<GenerationPlan> first = detail::Planner(model, request, estimated).plan_without_texts();
  if (!first) return first;
  GenerationPlan placed = *first;
  placed.image.add_image_shape_token = false;  // a row without a known token is the plan's finding, not an error here
  const Result<detail::TextCounts> counts = detail::counted_text(model, request, placed, encode);
  if (!counts) return {counts.error(), counts.position()};
  return detail::Planner(model, request, *counts).plan();
}

/// The row that the text stage goes on from; it ends in the opening of plan.text_stage.prompt_task. For a plan whose
/// text stage generates text.
template <class Encode>
[[nodiscard]] Result<TokenSequence> text_stage_row(const Model& model, const GenerationRequest& request,
                                                   const GenerationPlan& plan, Encode&& encode) {
  return detail::prompt_row(model, request, plan, plan.text_stage.prompt_task, {}, encode);
}

/// The row of the pass that predicts the ratio, for RatioRule::one_pass and free_pass; it ends in <img_size_B>.
template <class Encode>
[[nodiscard]] Result<TokenSequence> ratio_row(const Model& model, const GenerationRequest& request,
                                              const GenerationPlan& plan, std::string_view chain_of_thought,
                                              Encode&& encode) {
  return detail::prompt_row(model, request, plan, BotTask::img_ratio, chain_of_thought, encode);
}

/// The rows of the image stage: plan.batch conditional rows, then as many unconditional ones if the plan has guidance
/// rows. `image`: plan.image for an explicit size, image_info_of_row for a predicted one. `chain_of_thought`: the text
/// of the text stage with its tags, or empty.
template <class Encode>
[[nodiscard]] Result<TokenBatch> image_rows(const Model& model, const GenerationRequest& request,
                                            const GenerationPlan& plan, const ImageInfo& image,
                                            std::string_view chain_of_thought, Encode&& encode) {
  const std::vector<std::vector<Message>> conversations(static_cast<std::size_t>(plan.batch),
                                                        make_messages(request, plan, chain_of_thought, &image));
  const ChatOptions options = detail::chat_options(model.profile, request, ChatMode::gen_image);
  return encode_chat_batch(model, conversations, options, encode, plan.cfg_rows - 1);
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_GENERATION_HPP
