// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PLAN_TEXT_HPP
#define HUNYUAN_RESO_PLAN_TEXT_HPP

#include "chat_template.hpp"
#include "plan.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// The same plan with the text counted by an encoder (see build_sequence) in place of the request's token counts: the
/// prompt, the system prompt, the template's own texts, and a chain of thought where there is one already.
/// An error of the encoder's sections is returned as it is.
template <class Encode>
[[nodiscard]] Result<GenerationPlan> plan_generation(GenerationRequest request, const ImageRequest& text,
                                                     const ModelProfile& profile, Encode&& encode) {
  struct Counts {
    std::int32_t text = 0;
    std::int32_t after_image = 0;
  };
  const auto count = [&](ImageRequest counted) -> Result<Counts> {
    counted.conditioning_images.clear();
    counted.has_image = true;
    counted.image.token_length = 1;
    counted.image.add_image_shape_token = false;
    const Result<std::vector<Section>> sections =
        render_chat(make_messages(counted), profile, ChatOptions::of(profile, ChatMode::gen_image));
    if (!sections) return {sections.error(), sections.position()};
    const Result<TokenSequence> sequence = build_sequence(*sections, profile, encode);
    if (!sequence) return {sequence.error(), sequence.position()};
    const auto image = static_cast<std::int32_t>(image_block_length(SectionKind::gen_image, counted.image));
    return Counts{sequence->length - 1 - image, sequence->length - 1 - sequence->eoi_positions.back()};
  };
  const Result<Counts> all = count(text);
  if (!all) return {all.error(), all.position()};
  const Result<Counts> fixed = count({});
  if (!fixed) return {fixed.error(), fixed.position()};
  request.template_tokens = fixed->text;
  request.prompt_tokens = all->text - fixed->text;
  request.tokens_after_image = all->after_image;
  if (text.has_chain_of_thought) request.chain_of_thought_tokens = 0;  // counted with the prompt
  return plan_generation(request, profile);
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PLAN_TEXT_HPP
