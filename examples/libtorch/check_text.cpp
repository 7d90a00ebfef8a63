// SPDX-License-Identifier: MIT
#include "error.hpp"
#include "recording.hpp"
#include "text_decoder.hpp"

namespace hunyuan_generate {
namespace {

void compare_ratio(CheckContext& context, const std::string& prefix, const at::Tensor& logits) {
  Comparison& comparison = context.comparison;
  const bool recorded = comparison.has(prefix + "ratio_scores") || comparison.has(prefix + "ratio_index") ||
                        comparison.has(prefix + "ratio_token");
  if (!recorded) return;
  const at::Tensor scores = ratio_scores(logits, context.ratio_slices);
  const at::Tensor index = scores.argmax(-1);
  comparison.compare(prefix + "ratio_scores", scores, Tolerance::plain);
  comparison.compare(prefix + "ratio_index", index, Tolerance::exact);
  std::vector<at::Tensor> ids;
  for (const auto& [start, stop] : context.ratio_slices) ids.push_back(at::arange(start, stop, index.options()));
  comparison.compare(prefix + "ratio_token", at::cat(ids).index_select(0, index), Tolerance::exact);
}

// Tokens decoded in a case: as many as recorded, else as many as there are logits.
std::int64_t token_count(const Comparison& comparison, const std::string& prefix) {
  if (comparison.has(prefix + "new_tokens"))
    return comparison.recorded().entries().at(prefix + "new_tokens").shape.back();
  std::int64_t count = 1;
  while (comparison.has(prefix + "logits" + std::to_string(count))) ++count;
  return count;
}

}  // namespace

void check_text_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const std::int64_t count = token_count(comparison, prefix);
  const TextPrompt prompt = text_prompt(context, prefix, count);
  const Probe case_probe = comparison.probe(prefix, Tolerance::plain);
  const Probe prefill_probe = comparison.probe(prefix + "prefill.", Tolerance::plain);
  const Probe probe = [&](const std::string& name, const at::Tensor& value) {
    if (name == "position_ids") case_probe(name, value);
    prefill_probe(name, value);
  };
  TextDecoder decoder(context.model, prompt.rope, context.options);
  at::Tensor logits = decoder.prefill(prompt.ids, prompt.mask,
                                      conditioning_vectors(context.model, prompt.conditioning, case_probe), probe);
  compare_ratio(context, prefix, logits);

  std::vector<at::Tensor> tokens;
  for (std::int64_t i = 0;; ++i) {
    comparison.compare(prefix + "logits" + std::to_string(i), logits, Tolerance::plain);
    tokens.push_back(logits.argmax(-1, /*keepdim=*/true));
    if (i + 1 >= count) break;
    logits = decoder.decode(tokens.back(),
                            comparison.probe(prefix + "decode" + std::to_string(i + 1) + ".", Tolerance::plain));
  }
  comparison.compare(prefix + "new_tokens", at::cat(tokens, 1), Tolerance::exact);
}

}  // namespace hunyuan_generate
