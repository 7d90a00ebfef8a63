// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_STAGE_HPP
#define HUNYUAN_RESO_TEXT_STAGE_HPP

#include "logits.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// "After this token, force those": one rule of the text stage (sequence.md, section 5).
struct StageTransition {
  static constexpr std::size_t max_forced = 8;

  TokenId stop_token = invalid_token_id;
  TokenId forced[max_forced]{};
  std::size_t forced_count = 0;  ///< more than `max_forced` after too many calls: StageMachine then refuses it

  constexpr void force(TokenId token) noexcept {
    if (forced_count < max_forced) forced[forced_count] = token;
    if (forced_count <= max_forced) ++forced_count;
  }
};

/// The state of one row: which tokens are still to be forced, which transitions have fired. Each fires once.
class StageMachine {
 public:
  static constexpr std::size_t max_transitions = 8;

  constexpr StageMachine() noexcept = default;
  /// Of transitions with the same stop token the last one counts. Errc::buffer_too_small for more than 8 of them, or
  /// where one forces more than 8 tokens (position(): which one).
  [[nodiscard]] static constexpr Result<StageMachine> create(const StageTransition* transitions,
                                                             std::size_t count) noexcept {
    if (count > max_transitions) return Errc::buffer_too_small;
    StageMachine machine;
    for (std::size_t i = 0; i < count; ++i) {
      if (transitions[i].forced_count > StageTransition::max_forced) return {Errc::buffer_too_small, i};
      machine.transitions_[i] = transitions[i];
    }
    machine.count_ = count;
    return machine;
  }

  /// Takes the row's last token (the prompt's at first) and returns the token to force next, or invalid_token_id. A
  /// sampler that deviates is asked for the same token again.
  constexpr TokenId step(TokenId last) noexcept {
    if (pending_count() != 0 && last == pending(0)) ++done_;
    if (pending_count() == 0) start(last);
    return pending_count() == 0 ? invalid_token_id : pending(0);
  }

  /// Tokens still to be forced, the next one first.
  [[nodiscard]] constexpr std::size_t pending_count() const noexcept {
    return active_ < count_ ? transitions_[active_].forced_count - done_ : 0;
  }
  [[nodiscard]] constexpr TokenId pending(std::size_t i) const noexcept {
    return i < pending_count() ? transitions_[active_].forced[done_ + i] : invalid_token_id;
  }
  /// Whether the transition of this stop token has fired.
  [[nodiscard]] constexpr bool has_fired(TokenId stop_token) const noexcept {
    const std::size_t i = find(stop_token);
    return i < count_ && fired_[i];
  }

 private:
  [[nodiscard]] constexpr std::size_t find(TokenId stop_token) const noexcept {
    for (std::size_t i = count_; i-- > 0;) {
      if (transitions_[i].stop_token == stop_token) return i;
    }
    return count_;
  }

  constexpr void start(TokenId last) noexcept {
    active_ = count_;
    done_ = 0;
    const std::size_t i = find(last);
    if (i == count_ || fired_[i]) return;
    fired_[i] = true;
    active_ = i;
  }

  StageTransition transitions_[max_transitions]{};
  bool fired_[max_transitions]{};
  std::size_t count_ = 0;
  std::size_t active_ = max_transitions;
  std::size_t done_ = 0;
};

/// How the text stage finds the ratio.
enum class RatioRule : std::uint8_t {
  none,      ///< the size is explicit: its ratio token is pinned, the model is not asked
  one_pass,  ///< one forward pass over a prompt that ends in <img_size_B>; the argmax of the compact logits
  masked,    ///< after <img_size_B> in the generated text only ratio tokens are possible
};

/// What the text stage of a request needs (sequence.md, section 5).
struct TextStage {
  static constexpr std::size_t max_stop_tokens = ResolutionGroup::capacity();

  bool needed = false;                   ///< false: the image stage comes at once
  BotTask prompt_task = BotTask::image;  ///< the task whose assistant prefix ends the prompt
  RatioRule ratio_rule = RatioRule::none;
  TokenId size_token = invalid_token_id;  ///< the token that the masked rule follows
  RatioSlices ratio_slices{};
  StageTransition transitions[2]{};
  std::size_t transition_count = 0;
  TokenId stop_tokens[max_stop_tokens]{};
  std::size_t stop_token_count = 0;  ///< more than `max_stop_tokens` after too many calls of add_stop

  [[nodiscard]] constexpr bool stops_at(TokenId token) const noexcept {
    for (std::size_t i = 0; i < stop_token_count && i < max_stop_tokens; ++i) {
      if (stop_tokens[i] == token) return true;
    }
    return false;
  }
  constexpr void add_stop(TokenId token) noexcept {
    if (stop_token_count < max_stop_tokens) stop_tokens[stop_token_count] = token;
    if (stop_token_count <= max_stop_tokens) ++stop_token_count;
  }
};

/// The text stage of a task. `ratio_is_auto`: the size is `auto`, so the model predicts the ratio; with an explicit
/// size it never does. Errc::unknown_base_size where the prediction would need a size token that does not exist,
/// Errc::buffer_too_small for a profile with more ratio tokens than a group has rows (64), all of which would stop.
[[nodiscard]] constexpr Result<TextStage> plan_text_stage(const ModelProfile& profile, BotTask task, bool ratio_is_auto,
                                                          std::int32_t base_size = 1024) noexcept {
  TextStage stage;
  const bool thinks = task == BotTask::think || task == BotTask::think_recaption;
  const bool recaptions = task == BotTask::recaption || task == BotTask::think_recaption;
  if (ratio_is_auto && task != BotTask::automatic) {
    stage.size_token = size_token_id_or_invalid(base_size);
    if (stage.size_token == invalid_token_id) return Errc::unknown_base_size;
    stage.ratio_slices = ratio_slices(profile);
  }
  stage.prompt_task = task;
  if (task == BotTask::automatic) {
    stage.needed = true;
    stage.add_stop(tokens::eos);
    return stage;
  }
  if (!thinks && !recaptions) {
    stage.needed = ratio_is_auto;
    stage.prompt_task = ratio_is_auto ? BotTask::img_ratio : BotTask::image;
    stage.ratio_rule = ratio_is_auto ? RatioRule::one_pass : RatioRule::none;
    return stage;
  }
  stage.needed = true;
  if (task == BotTask::think_recaption) {
    stage.transitions[stage.transition_count].stop_token = tokens::end_think;
    stage.transitions[stage.transition_count++].force(tokens::recaption);
  }
  if (!ratio_is_auto) {
    if (task == BotTask::think) stage.add_stop(tokens::end_think);
    stage.add_stop(tokens::end_recaption);
    return stage;
  }
  stage.ratio_rule = RatioRule::masked;
  StageTransition& to_ratio = stage.transitions[stage.transition_count++];
  to_ratio.stop_token = recaptions ? tokens::end_recaption : tokens::end_think;
  if (profile.chat_template == ChatTemplate::instruct) to_ratio.force(tokens::answer);
  to_ratio.force(tokens::boi);
  to_ratio.force(stage.size_token);
  for (std::size_t i = 0; i < stage.ratio_slices.count; ++i) {
    const VocabularySlice& slice = stage.ratio_slices.slices[i];
    for (TokenId token = slice.start; token < slice.stop; ++token) stage.add_stop(token);
  }
  if (stage.stop_token_count > TextStage::max_stop_tokens) return Errc::buffer_too_small;
  return stage;
}

/// One row of the text stage, from what plan_text_stage returned: call process before each sampling step.
class TextStageRow {
 public:
  explicit constexpr TextStageRow(const TextStage& stage) noexcept
      : stage_(stage), machine_(*StageMachine::create(stage.transitions, stage.transition_count)) {}

  /// Applies the rules to the logits of the row's next token, given its last one: first the masked ratio rule, then the
  /// transitions, as upstream. `force_greedy`: see mask_logits. Returns the forced token or invalid_token_id.
  TokenId process(TokenId last, float* logits, std::size_t vocabulary_size, bool force_greedy = false) noexcept {
    if (stage_.ratio_rule == RatioRule::masked && last == stage_.size_token) {
      mask_logits(logits, vocabulary_size, stage_.ratio_slices.slices, stage_.ratio_slices.count, force_greedy);
    }
    const TokenId forced = machine_.step(last);
    if (forced != invalid_token_id) force_token(logits, vocabulary_size, forced);
    return forced;
  }

  [[nodiscard]] constexpr bool stops_at(TokenId token) const noexcept { return stage_.stops_at(token); }
  [[nodiscard]] constexpr const StageMachine& machine() const noexcept { return machine_; }

 private:
  TextStage stage_;
  StageMachine machine_;
};

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_STAGE_HPP
