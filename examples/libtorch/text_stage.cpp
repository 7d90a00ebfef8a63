// SPDX-License-Identifier: MIT
#include "text_stage.hpp"

#include "adapter.hpp"
#include "text_decoder.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::RatioRule;
using hunyuan_reso::TokenId;

at::Tensor one_id(std::int64_t id, at::Device device) {
  return at::full({1, 1}, id, at::TensorOptions().dtype(at::kLong).device(device));
}

// The chain of thought without what the rules forced behind it: up to the last closing tag, or closed where the model
// did not come to its end.
std::string chain_of(const hunyuan_reso::TextStage& stage, std::vector<TokenId> ids, const TextEncoder& encoder) {
  namespace tokens = hunyuan_reso::tokens;
  const bool recaption = stage.prompt_task == hunyuan_reso::BotTask::recaption;
  TokenId open = recaption ? tokens::recaption : tokens::think;
  std::size_t end = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == tokens::end_recaption || ids[i] == tokens::end_think) {
      end = i + 1;
      open = hunyuan_reso::invalid_token_id;
    } else if (ids[i] == tokens::recaption || ids[i] == tokens::think) {
      open = ids[i];
    }
  }
  if (open == hunyuan_reso::invalid_token_id) {
    ids.resize(end);
  } else {
    ids.push_back(open == tokens::recaption ? tokens::end_recaption : tokens::end_think);
  }
  return (recaption ? "<recaption>" : "<think>") + encoder.decode(ids);
}

}  // namespace

std::int64_t sample(const at::Tensor& logits, const Sampling& sampling, const at::Generator& generator) {
  if (sampling.temperature <= 0) return logits.argmax().item<std::int64_t>();
  const std::int64_t count = std::min(std::max<std::int64_t>(1, sampling.top_k), logits.numel());
  const auto best = at::topk(logits / sampling.temperature, count);
  at::Tensor weights = at::softmax(std::get<0>(best), -1);
  const at::Tensor before = weights.cumsum(0) - weights;  // the mass of all better tokens
  weights = weights * before.lt(sampling.top_p);
  weights[0].clamp_min_(1e-30);  // the best token is always possible
  const at::Tensor choice = at::multinomial(weights, 1, /*replacement=*/false, generator);
  return std::get<1>(best).index_select(0, choice).item<std::int64_t>();
}

TextResult run_text_stage(const Model& model, const hunyuan_reso::TokenBatch& prompt,
                          const hunyuan_reso::GenerationPlan& plan, const hunyuan_reso::ModelProfile& profile,
                          const Vocabulary& vocabulary, const TextEncoder& encoder, const Sampling& sampling,
                          const at::Generator& generator, const ComputeOptions& options,
                          const std::function<void(std::int64_t tokens)>& report) {
  const hunyuan_reso::TextStage& stage = plan.text_stage;
  const hunyuan_reso::TokenSequence& row = prompt.rows.front();
  const at::Device device = model.backbone.device();
  const std::int64_t left = std::int64_t{profile.position_table} - row.length;
  const std::int64_t room =
      stage.ratio_rule == RatioRule::one_pass ? 0 : std::min<std::int64_t>(left, profile.max_new_tokens);
  if (left < 0) throw Error("the text stage's prompt is longer than the position table");

  const RotaryTable rope =
      rotary_table(position_tensor(row, room), model.config.head_dim, model.config.rope_theta, device);
  TextDecoder decoder(model, rope, options);
  const at::Tensor mask = mask_tensor(attention_layout(row), {0, row.length}, row.length).to(device);
  at::Tensor logits =
      published_logits(decoder.prefill(id_tensor(prompt, vocabulary).to(device), mask, {}), vocabulary, profile);
  TextResult result;
  if (stage.ratio_rule == RatioRule::one_pass) {
    const at::Tensor scores = compact_ratio_logits(logits, stage.ratio_slices);
    result.ratio_index = hunyuan_reso::argmax_logit(scores.data_ptr<float>(), static_cast<std::size_t>(scores.numel()));
    return result;
  }

  hunyuan_reso::TextStageRow rules(stage);
  TokenId last = row.runs.back().id;
  std::vector<TokenId> ids;
  while (static_cast<std::int64_t>(ids.size()) < room) {
    rules.process(last, logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel()));
    last = static_cast<TokenId>(sample(logits, sampling, generator));
    ids.push_back(last);
    if (report) report(static_cast<std::int64_t>(ids.size()));
    if (rules.stops_at(last) || last == hunyuan_reso::tokens::eos) break;
    if (static_cast<std::int64_t>(ids.size()) == room) break;
    logits = published_logits(decoder.decode(one_id(vocabulary.to_model(last), device)), vocabulary, profile);
  }
  const auto ratio = hunyuan_reso::ratio_index_of(profile, last);
  if (stage.ratio_rule == RatioRule::masked) {
    if (!ratio) {
      throw Error("the text stage ended after " + std::to_string(ids.size()) +
                  " tokens without a ratio; give --size, or allow more with --max-new-tokens");
    }
    result.ratio_index = *ratio;
  }
  result.chain_of_thought = chain_of(stage, std::move(ids), encoder);
  return result;
}

}  // namespace hunyuan_generate
