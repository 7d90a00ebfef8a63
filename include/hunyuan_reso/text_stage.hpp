// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_STAGE_HPP
#define HUNYUAN_RESO_TEXT_STAGE_HPP

#include "image_runs.hpp"
#include "logits.hpp"
#include "model.hpp"
#include "stage_machine.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// What the text stage of a request does, in token ids. Trivially copyable.
struct TextStage {
  static constexpr std::size_t max_stop_tokens = RatioTokens::capacity + StageTokens::capacity;

  bool generates_text = false;           ///< text comes first, up to a stop token
  BotTask prompt_task = BotTask::image;  ///< the task whose opening ends the prompt
  RatioRule ratio_rule = RatioRule::none;
  Result<TokenId> size_token = Errc::not_given;  ///< <img_size_B>, where the model predicts behind it
  RatioSlices ratio_slices{};                    ///< where the model predicts the ratio
  StageTransition transitions[TextStageRule::max_transitions]{};
  std::size_t transition_count = 0;
  TokenId stop_tokens[max_stop_tokens]{};
  std::size_t stop_token_count = 0;

  /// Whether there is anything to do before the image stage.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool is_needed() const noexcept {
    return generates_text || ratio_rule != RatioRule::none;
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool stops_at(TokenId token) const noexcept {
    for (std::size_t i = 0; i < stop_token_count && i < max_stop_tokens; ++i) {
      if (stop_tokens[i] == token) return true;
    }
    return false;
  }
  /// A further stop token; Errc::buffer_too_small appends nothing.
  HUNYUAN_RESO_HD constexpr Errc add_stop(TokenId token) noexcept {
    if (stop_token_count >= max_stop_tokens) return Errc::buffer_too_small;
    stop_tokens[stop_token_count++] = token;
    return Errc::none;
  }
};

namespace detail {

/// Turns the rules of a profile into token ids.
class TextStagePlanner {
 public:
  explicit constexpr TextStagePlanner(const Model& model) noexcept
      : model_(model),
        size_token_(size_token_id(model.profile, model.group.base_size())),
        has_answer_(model.profile.template_texts.has_answer()) {}

  [[nodiscard]] constexpr Result<TextStage> plan(const TextStageRule& rule) const noexcept {
    TextStage stage;
    stage.generates_text = rule.generates_text;
    stage.prompt_task = rule.prompt_task;
    stage.ratio_rule = rule.ratio_rule;
    if (rule.ratio_rule != RatioRule::none) {
      stage.ratio_slices = ratio_slices(model_.profile);
      if (stage.ratio_slices.count == 0) return Errc::ratio_token_id_unknown;
    }
    const bool asks_after_size = rule.ratio_rule != RatioRule::none && rule.ratio_rule != RatioRule::in_text;
    if (asks_after_size && !size_token_) return size_token_.error();
    if (asks_after_size) stage.size_token = size_token_;
    for (std::size_t i = 0; i < rule.transition_count && i < TextStageRule::max_transitions; ++i) {
      const Result<StageTransition> transition = resolve(rule.transitions[i]);
      if (!transition) return {transition.error(), i};
      stage.transitions[stage.transition_count++] = *transition;
    }
    for (std::size_t i = 0; i < rule.stops.count && i < StageTokens::capacity; ++i) {
      const Errc error = add_stop(stage, rule.stops.items[i]);
      if (error != Errc::none) return {error, i};
    }
    return stage;
  }

 private:
  [[nodiscard]] constexpr bool is_left_out(StageToken token) const noexcept {
    return token == StageToken::answer && !has_answer_;
  }

  [[nodiscard]] constexpr Result<TokenId> id_of(StageToken token) const noexcept {
    const SpecialTokens& special = model_.profile.special;
    switch (token) {
      case StageToken::eos:
        return special.eos;
      case StageToken::boi:
        return special.boi;
      case StageToken::end_think:
        return special.end_think;
      case StageToken::recaption:
        return special.recaption;
      case StageToken::end_recaption:
        return special.end_recaption;
      case StageToken::answer:
        return special.answer;
      case StageToken::end_answer:
        return special.end_answer;
      case StageToken::size:
        return size_token_;
      case StageToken::any_ratio:
        break;
    }
    return Errc::ratio_token_not_single;
  }

  [[nodiscard]] constexpr Result<StageTransition> resolve(const StageTransitionRule& rule) const noexcept {
    static_assert(StageTokens::capacity <= StageTransition::max_forced, "every rule of a profile fits");
    StageTransition transition;
    const Result<TokenId> stop_token = id_of(rule.after);
    if (!stop_token) return stop_token.error();
    transition.stop_token = *stop_token;
    for (std::size_t i = 0; i < rule.forced.count && i < StageTokens::capacity; ++i) {
      if (is_left_out(rule.forced.items[i])) continue;
      const Result<TokenId> forced = id_of(rule.forced.items[i]);
      const Errc error = forced ? transition.force(*forced) : forced.error();
      if (error != Errc::none) return error;
    }
    return transition;
  }

  constexpr Errc add_stop(TextStage& stage, StageToken token) const noexcept {
    if (is_left_out(token)) return Errc::none;
    if (token != StageToken::any_ratio) {
      const Result<TokenId> id = id_of(token);
      return id ? stage.add_stop(*id) : id.error();
    }
    for (std::size_t i = 0; i < ratio_token_count(model_.profile); ++i) {
      const Result<TokenId> id = ratio_token_id(model_.profile, i);
      if (!id) continue;
      const Errc error = stage.add_stop(*id);
      if (error != Errc::none) return error;
    }
    return Errc::none;
  }

  const Model& model_;
  Result<TokenId> size_token_;
  bool has_answer_;
};

}  // namespace detail

/// The text stage of a task, by the rules of the model's profile; the size token is that of the group's base size.
/// `ratio_is_auto`: the size is `auto`, so the model predicts the ratio; with an explicit size it never does.
/// Errc::task_not_supported where the profile has no such rule, Errc::unknown_base_size where a prediction needs a size
/// token that does not exist, Errc::ratio_token_id_unknown where no ratio token has an id, Errc::ratio_token_not_single
/// for a rule that forces "any ratio".
[[nodiscard]] constexpr Result<TextStage> plan_text_stage(const Model& model, BotTask task,
                                                          bool ratio_is_auto) noexcept {
  const TextStageRules& stage = model.profile.text_stage;
  for (std::size_t i = 0; i < stage.count && i < TextStageRules::capacity; ++i) {
    const TextStageRule& rule = stage.rules[i];
    if (rule.task == task && rule.ratio_is_auto == ratio_is_auto) return detail::TextStagePlanner(model).plan(rule);
  }
  return Errc::task_not_supported;
}

/// The token that is forced next after these generated ids, in one call; Errc::no_forced_token where the model is free.
/// It is what StageMachine::step returns for the last of them.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TokenId> forced_token(const TextStage& stage, const TokenId* history,
                                                                     std::size_t count) noexcept {
  Result<StageMachine> machine = StageMachine::create(stage.transitions, stage.transition_count);
  if (!machine) return {machine.error(), machine.position()};
  StageMachine row = *machine;
  Result<TokenId> forced = Errc::no_forced_token;
  for (std::size_t i = 0; i < count; ++i) forced = row.step(history[i]);
  return forced;
}

/// One row of the text stage, from what plan_text_stage returned: call process before each sampling step.
class TextStageRow {
 public:
  /// Errors: those of StageMachine::create, for a stage that was changed by hand.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<TextStageRow> create(const TextStage& stage) noexcept {
    const Result<StageMachine> machine = StageMachine::create(stage.transitions, stage.transition_count);
    if (!machine) return {machine.error(), machine.position()};
    TextStageRow row;
    row.stage_ = stage;
    row.machine_ = *machine;
    return row;
  }
  /// A row without rules.
  constexpr TextStageRow() noexcept = default;

  /// Applies the rules to the logits of the row's next token, given its last one: first the masked ratio rule, then the
  /// transitions, as upstream. `force_greedy`: see mask_logits. Returns the forced token, Errc::no_forced_token where
  /// there is none, or Errc::token_id_out_of_range where it lies outside the vocabulary.
  HUNYUAN_RESO_HD constexpr Result<TokenId> process(TokenId last, float* logits, std::size_t vocabulary_size,
                                                    bool force_greedy = false) noexcept {
    if (stage_.ratio_rule == RatioRule::masked && stage_.size_token && last == *stage_.size_token) {
      const Errc error =
          mask_logits(logits, vocabulary_size, stage_.ratio_slices.slices, stage_.ratio_slices.size(), force_greedy);
      if (error != Errc::none) return error;
    }
    const Result<TokenId> forced = machine_.step(last);
    if (!forced) return forced;
    const Errc error = force_token(logits, vocabulary_size, *forced);
    if (error != Errc::none) return error;
    return forced;
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool stops_at(TokenId token) const noexcept { return stage_.stops_at(token); }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const StageMachine& machine() const noexcept { return machine_; }

 private:
  TextStage stage_{};
  StageMachine machine_{};
};

/// The ratio index out of one row of logits behind a prompt that ends in <img_size_B>. RatioRule::free_pass takes the
/// best token of the whole vocabulary, and the profile's fallback where that is no ratio token; any other rule the best
/// ratio token. Errors: those of predict_ratio and generated_ratio_index.
template <class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> predict_ratio(const ModelProfile& profile, RatioRule rule,
                                                                          const Float* logits,
                                                                          std::size_t count) noexcept {
  if (rule != RatioRule::free_pass) return predict_ratio(profile, logits, count);
  const Result<std::size_t> best = argmax_logit(logits, count);
  return best ? generated_ratio_index(profile, static_cast<TokenId>(*best)) : best;
}

/// The chain of thought in generated ids. The prompt ended in its opening tag, so that one is not among them.
struct ChainOfThought {
  TokenId opening = 0;    ///< <think> or <recaption>: stands before the ids
  Slice ids{};            ///< which of the generated ids belong to it, its closing tag included
  bool finished = false;  ///< false: the text ended before it was closed, and `ids` is what there is of it
};

namespace detail {

/// Tells the tags in generated ids that matter to a chain of thought.
class ChainReader {
 public:
  constexpr ChainReader(const ModelProfile& profile, const TextStage& stage) noexcept
      : profile_(profile), stage_(stage) {}

  [[nodiscard]] constexpr bool closes(TokenId id) const noexcept {
    return id == profile_.special.end_think || id == profile_.special.end_recaption;
  }
  /// A closing tag behind which no other chain is opened.
  [[nodiscard]] constexpr bool closes_last(TokenId id) const noexcept {
    if (!closes(id)) return false;
    if (stage_.stops_at(id)) return true;
    const StageTransition* transition = transition_after(id);
    if (transition == nullptr) return false;
    for (std::size_t i = 0; i < transition->forced_count && i < StageTransition::max_forced; ++i) {
      const TokenId forced = transition->forced[i];
      if (forced == profile_.special.think || forced == profile_.special.recaption) return false;
    }
    return true;
  }
  /// The first chain's own closing tag, in a stage that lets the text go on behind it.
  [[nodiscard]] constexpr bool closes_first(TokenId id) const noexcept {
    const bool thinks = stage_.prompt_task == BotTask::think;
    const TokenId own = thinks ? profile_.special.end_think : profile_.special.end_recaption;
    return id == own && !stage_.stops_at(id) && transition_after(id) == nullptr;
  }
  /// A token that is no part of a chain of thought.
  [[nodiscard]] constexpr bool ends_text(TokenId id) const noexcept {
    if (closes(id)) return false;
    return stage_.stops_at(id) || id == profile_.special.answer || id == profile_.special.end_answer ||
           id == profile_.special.boi || base_size_of(profile_, id) || ratio_index_of(profile_, id);
  }

 private:
  [[nodiscard]] constexpr const StageTransition* transition_after(TokenId id) const noexcept {
    for (std::size_t i = 0; i < stage_.transition_count && i < TextStageRule::max_transitions; ++i) {
      if (stage_.transitions[i].stop_token == id) return &stage_.transitions[i];
    }
    return nullptr;
  }

  const ModelProfile& profile_;
  const TextStage& stage_;
};

}  // namespace detail

/// The chain of thought out of the ids that a text stage generated: through its last closing tag; what follows
/// (<answer>, <boi>, the size and ratio tokens, eos) is cut. A text that ended without that tag is unfinished and given
/// whole. `drop_think`: only the recaption is kept. Errc::no_chain_of_thought where the stage's prompt opens none, or
/// nothing is left without the thinking.
[[nodiscard]] constexpr Result<ChainOfThought> read_chain_of_thought(const ModelProfile& profile,
                                                                     const TextStage& stage, const TokenId* ids,
                                                                     std::size_t count,
                                                                     bool drop_think = false) noexcept {
  const bool thinks = stage.prompt_task == BotTask::think;
  if (!stage.generates_text || (!thinks && stage.prompt_task != BotTask::recaption)) return Errc::no_chain_of_thought;
  if (count > static_cast<std::size_t>(max_side)) return Errc::sequence_too_long;
  const detail::ChainReader tags(profile, stage);
  ChainOfThought chain{thinks ? profile.special.think : profile.special.recaption, {}, false};
  std::size_t text_end = count;
  std::size_t closed_end = 0;  // behind the last closing tag
  std::size_t think_end = 0;   // behind the first </think>
  for (std::size_t i = 0; i < count; ++i) {
    if (tags.closes_last(ids[i])) closed_end = i + 1;
    if (think_end == 0 && ids[i] == profile.special.end_think) think_end = i + 1;
    if (text_end == count && tags.ends_text(ids[i])) text_end = i;
    if (text_end == count && tags.closes_first(ids[i])) chain.finished = true;
    if (stage.stops_at(ids[i])) break;
  }
  const std::size_t end = closed_end != 0 ? closed_end : text_end;
  chain.finished = chain.finished || closed_end != 0;
  chain.ids = {0, static_cast<std::int32_t>(end)};
  if (!drop_think || !thinks) return chain;
  if (think_end == 0 || think_end >= end || ids[think_end] != profile.special.recaption) {
    return Errc::no_chain_of_thought;
  }
  chain.opening = profile.special.recaption;
  chain.ids.start = static_cast<std::int32_t>(think_end + 1);
  return chain;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_STAGE_HPP
