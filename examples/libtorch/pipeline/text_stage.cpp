// SPDX-License-Identifier: MIT
#include "pipeline/text_stage.hpp"

#include <algorithm>  // min

#include "adapter/adapter.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;
using hr::RatioRule;
using hr::TokenId;

at::Tensor tensor_of(const std::vector<TokenId>& ids) {
  return at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()), at::kLong);
}

// One text stage, pass by pass.
class Stage {
 public:
  Stage(const Model& model, const PlannedRequest& request, const TextEncoder& encoder, const Conditioning& conditioning,
        const at::Generator& generator, const ComputeOptions& options, const TextReport& report, const Probe& probe)
      : model_(model),
        request_(request),
        profile_(request.profile()),
        stage_(request.plan().text_stage),
        encoder_(encoder),
        conditioning_(conditioning),
        generator_(generator),
        second_generator_(generator.clone()),
        options_(options),
        report_(report),
        probe_(probe) {}

  TextResult run() {
    if (stage_.generates_text) write();
    const bool asks = stage_.ratio_rule == RatioRule::one_pass || stage_.ratio_rule == RatioRule::free_pass;
    if (asks && !request_.request().text_only) predict_ratio();
    return std::move(result_);
  }

 private:
  // Feeds a prompt; the logits of its last position.
  at::Tensor feed(const hr::TokenSequence& row, std::int64_t room) {
    name_ = name_.empty() ? "text." : "text2.";
    const at::Device device = model_.backbone.device();
    const RotaryTable rope =
        rotary_table(profile_, position_tensor(profile_, row, room), device, rotary_rescale(profile_, row));
    decoder_ = std::make_unique<TextDecoder>(model_, rope, options_);
    if (probe_) probe_(name_ + "prompt_ids", id_tensor(row));
    return logits_row(
        decoder_->prefill(id_tensor(row).to(device), segments_from(profile_, row, 0, device), conditioning_(row)));
  }

  // Neither image nor size nor ratio tokens in an answer that is text.
  void keep_text(at::Tensor& logits) const {
    auto* values = logits.data_ptr<float>();
    const auto block = [&](TokenId id) {
      if (id >= 0 && id < logits.numel()) values[id] = hr::lowest_logit;
    };
    for (const TokenId id : {profile_.special.boi, profile_.special.eoi, profile_.special.img}) block(id);
    for (std::size_t i = 0; i < profile_.size_tokens.count; ++i) block(profile_.size_tokens.ids[i]);
    for (std::size_t i = 0; i < profile_.ratio_tokens.count; ++i) block(profile_.ratio_tokens.ids[i]);
  }

  void write() {
    const hr::TokenSequence row = request_.text_row(stage_.prompt_task);
    const std::int64_t left = std::int64_t{profile_.position_table} - row.length;
    const std::int64_t room = std::min<std::int64_t>(left, profile_.max_new_tokens);
    if (room < 1) throw Error("the text stage's prompt fills the position table");
    at::Tensor logits = feed(row, room);
    hr::TextStageRow rules = require(hr::TextStageRow::create(stage_), "text stage");
    std::vector<TokenId> fed = ids_of(row), ids;
    TokenId last = fed.back();
    const TextStream text = encoder_.stream();
    for (;;) {
      const auto forced = rules.process(last, logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel()));
      if (!forced && forced.error() != hr::Errc::no_forced_token) (void)require(forced, "text stage");
      if (request_.request().text_only) keep_text(logits);
      if (!at::isfinite(logits).any().item<bool>()) throw Error("the text stage's logits are not finite");
      last = static_cast<TokenId>(model_.parallel().agreed(sample(logits, request_.request().sampling, generator_)));
      ids.push_back(last);
      if (report_) report_(static_cast<std::int64_t>(ids.size()), text.feed(last));
      if (rules.stops_at(last) || last == profile_.special.eos) break;
      if (static_cast<std::int64_t>(ids.size()) == room) break;
      fed.push_back(last);
      logits =
          logits_row(decoder_->decode(at::full({1, 1}, std::int64_t{last}, at::kLong).to(model_.backbone.device())));
    }
    if (report_) report_(static_cast<std::int64_t>(ids.size()), text.finish());
    if (probe_) probe_(name_ + "generated_ids", tensor_of(ids));
    take(ids);
    result_.fed = std::move(fed);
    result_.decoder = std::move(decoder_);
  }

  // What the written text means.
  void take(const std::vector<TokenId>& ids) {
    if (request_.request().text_only) {
      const bool ended = ids.back() == profile_.special.eos;
      result_.answer = encoder_.decode({ids.begin(), ids.end() - (ended ? 1 : 0)});
      result_.finished = ended;
      return;
    }
    const auto chain = hr::read_chain_of_thought(profile_, stage_, ids.data(), ids.size(), request_.drops_think());
    if (chain) {
      std::vector<TokenId> thought{chain->opening};
      thought.insert(thought.end(), ids.begin() + chain->ids.start, ids.begin() + chain->ids.stop);
      result_.chain_of_thought = encoder_.decode(thought);
      result_.finished = chain->finished;
      result_.thought_tokens = thought.size();
    }
    const bool in_text = stage_.ratio_rule == RatioRule::masked || stage_.ratio_rule == RatioRule::in_text;
    if (!in_text) return;
    const auto ratio = hr::last_ratio_index(profile_, ids.data(), ids.size());
    if (!ratio) {
      throw Error("the text stage ended after " + std::to_string(ids.size()) +
                  " tokens without a ratio; give --size, or allow more with --max-new-tokens");
    }
    result_.ratio_index = *ratio;
  }

  void predict_ratio() {
    const hr::TokenSequence row = request_.text_row(hr::BotTask::img_ratio, result_.chain_of_thought);
    const at::Tensor logits = feed(row, 1);
    const auto* values = logits.data_ptr<float>();
    const auto count = static_cast<std::size_t>(logits.numel());
    if (probe_) probe_(name_ + "ratio_scores", ratio_scores(profile_, logits));
    std::int64_t generated = 0;
    if (stage_.ratio_rule == RatioRule::one_pass) {
      generated = static_cast<std::int64_t>(require(hr::predict_ratio(profile_, values, count), "ratio"));
      generated = model_.parallel().agreed(generated);
      result_.ratio_index = static_cast<std::size_t>(generated);
    } else {
      // A generation of its own over the whole vocabulary: drawn like text, each from the request's seed.
      generated = model_.parallel().agreed(sample(logits, request_.request().sampling, second_generator_));
      result_.ratio_index = require(hr::generated_ratio_index(profile_, static_cast<TokenId>(generated)), "ratio");
    }
    if (probe_) probe_(name_ + "generated_ids", at::tensor({generated}, at::kLong));
    decoder_.reset();
  }

  const Model& model_;
  const PlannedRequest& request_;
  const hr::ModelProfile& profile_;
  const hr::TextStage& stage_;
  const TextEncoder& encoder_;
  const Conditioning& conditioning_;
  const at::Generator& generator_;
  at::Generator second_generator_;
  ComputeOptions options_;
  const TextReport& report_;
  const Probe& probe_;
  std::string name_;
  std::unique_ptr<TextDecoder> decoder_;
  TextResult result_;
};

}  // namespace

std::int64_t sample(const at::Tensor& logits, const Sampling& sampling, const at::Generator& generator) {
  if (!sampling.draws || sampling.temperature <= 0) return logits.argmax().item<std::int64_t>();
  const std::int64_t all = logits.numel();
  const std::int64_t count = sampling.top_k > 0 ? std::min(sampling.top_k, all) : all;
  const auto best = at::topk(logits / sampling.temperature, count);
  at::Tensor weights = at::softmax(std::get<0>(best), -1);
  // A token stays when those above it do not reach top_p by themselves; the first always does.
  const at::Tensor above = weights.cumsum(-1) - weights;
  weights = weights.masked_fill(above.ge(sampling.top_p).logical_and(at::arange(count).gt(0)), 0);
  const at::Tensor choice = at::multinomial(weights, 1, /*replacement=*/false, generator);
  return std::get<1>(best).index_select(0, choice).item<std::int64_t>();
}

TextResult run_text_stage(const Model& model, const PlannedRequest& request, const TextEncoder& encoder,
                          const Conditioning& conditioning, const at::Generator& generator,
                          const ComputeOptions& options, const TextReport& report, const Probe& probe) {
  return Stage(model, request, encoder, conditioning, generator, options, report, probe).run();
}

}  // namespace hunyuan_generate
