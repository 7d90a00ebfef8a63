// SPDX-License-Identifier: MIT
// Stage transitions against a plain model, and what each task's text stage needs (sequence.md, section 5).
#include <hunyuan_reso/text_stage.hpp>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

/// Upstream's processor for one row, in containers.
class PlainMachine {
 public:
  explicit PlainMachine(const std::vector<StageTransition>& transitions) {
    for (const StageTransition& transition : transitions) {
      map_[transition.stop_token] = {transition.forced, transition.forced + transition.forced_count};
    }
  }
  TokenId step(TokenId last) {
    if (!pending_.empty() && pending_.front() == last) pending_.pop_front();
    if (pending_.empty() && map_.count(last) == 1 && completed_.insert(last).second) {
      pending_.assign(map_[last].begin(), map_[last].end());
    }
    return pending_.empty() ? invalid_token_id : pending_.front();
  }
  const std::deque<TokenId>& pending() const { return pending_; }
  bool has_fired(TokenId token) const { return completed_.count(token) == 1; }

 private:
  std::map<TokenId, std::vector<TokenId>> map_{};
  std::deque<TokenId> pending_{};
  std::set<TokenId> completed_{};
};

std::vector<StageTransition> random_transitions(Random& random) {
  std::vector<StageTransition> transitions(random.place_below(StageMachine::max_transitions + 1));
  for (StageTransition& transition : transitions) {
    transition.stop_token = static_cast<TokenId>(random.below(5));  // often twice the same
    for (std::uint64_t i = random.below(4); i != 0; --i) transition.force(static_cast<TokenId>(random.below(6)));
  }
  return transitions;
}

TEST_CASE("random transitions, samplers that obey and that deviate") {
  Random random(61);
  for (int round = 0; round < 3000; ++round) {
    const std::vector<StageTransition> transitions = random_transitions(random);
    StageMachine machine = *StageMachine::create(transitions.data(), transitions.size());
    PlainMachine expected(transitions);
    const bool obeys = random.below(2) == 0;
    auto last = static_cast<TokenId>(random.below(6));
    std::size_t wrong = 0;
    for (int step = 0; step < 25; ++step) {
      const TokenId forced = machine.step(last);
      if (forced != expected.step(last)) ++wrong;
      if (machine.pending_count() != expected.pending().size()) ++wrong;
      for (std::size_t i = 0; i < expected.pending().size(); ++i) {
        if (machine.pending(i) != expected.pending()[i]) ++wrong;
      }
      if (machine.pending(expected.pending().size()) != invalid_token_id) ++wrong;
      for (TokenId token = -1; token < 7; ++token) {
        if (machine.has_fired(token) != expected.has_fired(token)) ++wrong;
      }
      last = obeys && forced != invalid_token_id ? forced : static_cast<TokenId>(random.below(6));
    }
    CHECK(wrong == 0);
  }
}

constexpr bool each_fires_once() {
  StageTransition transitions[2];
  transitions[0].stop_token = 7;
  transitions[0].force(8);
  transitions[0].force(9);
  transitions[1].stop_token = 9;
  transitions[1].force(7);
  StageMachine machine = *StageMachine::create(transitions, 2);
  EXPECT(machine.step(1) == invalid_token_id);
  EXPECT(machine.step(7) == 8);
  EXPECT(machine.pending_count() == 2 && machine.pending(1) == 9);
  EXPECT(machine.step(1) == 8);  // asked again
  EXPECT(machine.step(8) == 9);
  EXPECT(machine.step(9) == 7);                 // the second transition follows on the first
  EXPECT(machine.step(7) == invalid_token_id);  // the first has fired
  EXPECT(machine.has_fired(7) && machine.has_fired(9) && !machine.has_fired(8));
  EXPECT(StageMachine().step(7) == invalid_token_id);
  return true;
}
BOTH_TIMES(each_fires_once)

constexpr bool capacities() {
  StageTransition transitions[StageMachine::max_transitions + 1];
  EXPECT(StageMachine::create(transitions, StageMachine::max_transitions).has_value());
  EXPECT(StageMachine::create(transitions, StageMachine::max_transitions + 1).error() == Errc::buffer_too_small);
  for (std::size_t i = 0; i < StageTransition::max_forced; ++i) transitions[1].force(1);
  EXPECT(StageMachine::create(transitions, 3).has_value());
  for (std::size_t i = 0; i < 3; ++i) transitions[1].force(1);
  EXPECT(transitions[1].forced_count == StageTransition::max_forced + 1);
  EXPECT(StageMachine::create(transitions, 3).error() == Errc::buffer_too_small);
  EXPECT(StageMachine::create(transitions, 3).position() == 1);

  TextStage stage;
  for (TokenId token = 0; token < 70; ++token) stage.add_stop(token);
  EXPECT(stage.stop_token_count == TextStage::max_stop_tokens + 1);
  EXPECT(stage.stops_at(63) && !stage.stops_at(64) && !stage.stops_at(70));
  ModelProfile profile = profiles::instruct;
  profile.ratio_tokens[2] = {37, 27, 131000};
  EXPECT(plan_text_stage(profile, BotTask::recaption, true)->stop_token_count == 64);
  profile.ratio_tokens[2].count = 28;
  EXPECT(plan_text_stage(profile, BotTask::recaption, true).error() == Errc::buffer_too_small);
  EXPECT(plan_text_stage(profile, BotTask::recaption, false).has_value());
  return true;
}
BOTH_TIMES(capacities)

constexpr bool has_transition(const TextStage& stage, std::size_t i, TokenId stop, TokenId a, TokenId b = -1,
                              TokenId c = -1) {
  const TokenId expected[] = {a, b, c};
  const StageTransition& transition = stage.transitions[i];
  EXPECT(i < stage.transition_count && transition.stop_token == stop);
  EXPECT(transition.forced_count == (c >= 0 ? 3 : b >= 0 ? 2 : 1));
  for (std::size_t k = 0; k < transition.forced_count; ++k) EXPECT(transition.forced[k] == expected[k]);
  return true;
}

constexpr bool explicit_sizes() {
  const ModelProfile& profile = profiles::instruct;
  constexpr TextStage image = *plan_text_stage(profiles::instruct, BotTask::image, false);
  static_assert(!image.needed && image.ratio_rule == RatioRule::none && image.transition_count == 0);
  const TextStage think = *plan_text_stage(profile, BotTask::think, false);
  EXPECT(think.needed && think.transition_count == 0 && think.stop_token_count == 2);
  EXPECT(think.stops_at(tokens::end_think) && think.stops_at(tokens::end_recaption) && !think.stops_at(tokens::eos));
  const TextStage recaption = *plan_text_stage(profile, BotTask::recaption, false);
  EXPECT(recaption.transition_count == 0 && recaption.stop_token_count == 1);
  EXPECT(recaption.stops_at(tokens::end_recaption));
  const TextStage both = *plan_text_stage(profile, BotTask::think_recaption, false);
  EXPECT(both.transition_count == 1 && has_transition(both, 0, tokens::end_think, tokens::recaption));
  EXPECT(both.stop_token_count == 1 && both.stops_at(tokens::end_recaption));
  // The ratio token is pinned from the size: no rule of any of them asks the model for it.
  for (const TextStage& stage : {think, recaption, both}) {
    EXPECT(stage.ratio_rule == RatioRule::none && stage.ratio_slices.count == 0);
    EXPECT(stage.size_token == invalid_token_id && !stage.stops_at(128060));
  }
  EXPECT(plan_text_stage(profile, BotTask::think, false, 960).has_value());  // no size token is needed
  return true;
}
BOTH_TIMES(explicit_sizes)

constexpr bool automatic_sizes() {
  const ModelProfile& profile = profiles::instruct;
  const TextStage one_pass = *plan_text_stage(profile, BotTask::image, true, 512);
  EXPECT(one_pass.needed && one_pass.ratio_rule == RatioRule::one_pass && one_pass.prompt_task == BotTask::img_ratio);
  EXPECT(one_pass.ratio_slices.token_count() == 37 && one_pass.size_token == 128035);
  const TextStage both = *plan_text_stage(profile, BotTask::think_recaption, true);
  EXPECT(both.ratio_rule == RatioRule::masked && both.transition_count == 2);
  EXPECT(has_transition(both, 0, tokens::end_think, tokens::recaption));
  EXPECT(has_transition(both, 1, tokens::end_recaption, tokens::answer, tokens::boi, 128037));
  EXPECT(both.stop_token_count == 37 && both.stops_at(128044) && both.stops_at(130106) && !both.stops_at(128077));
  const TextStage think = *plan_text_stage(profile, BotTask::think, true);
  EXPECT(think.transition_count == 1);
  EXPECT(has_transition(think, 0, tokens::end_think, tokens::answer, tokens::boi, 128037));
  const TextStage pretrain = *plan_text_stage(profiles::base, BotTask::recaption, true, 2048);
  EXPECT(has_transition(pretrain, 0, tokens::end_recaption, tokens::boi, 128039));
  EXPECT(pretrain.stop_token_count == 33);
  for (const BotTask task : {BotTask::image, BotTask::think, BotTask::recaption, BotTask::think_recaption}) {
    EXPECT(plan_text_stage(profile, task, true, 960).error() == Errc::unknown_base_size);
  }
  const TextStage text = *plan_text_stage(profile, BotTask::automatic, true);
  EXPECT(text.needed && text.stop_token_count == 1 && text.stops_at(tokens::eos));
  return true;
}
BOTH_TIMES(automatic_sizes)

/// A model that wants `wanted` most of all, then one other token; every rule must hold against it.
std::vector<TokenId> generate(const TextStage& stage, const std::vector<TokenId>& wanted, std::size_t limit) {
  TextStageRow row(stage);
  std::vector<TokenId> generated;
  TokenId last = tokens::think;
  std::vector<float> logits(133120);
  for (std::size_t k = 0; k < limit; ++k) {
    std::fill(logits.begin(), logits.end(), 0.0F);
    logits[static_cast<std::size_t>(wanted[k % wanted.size()])] = std::numeric_limits<float>::infinity();
    logits[130105] = 1.0F;
    row.process(last, logits.data(), logits.size(), k % 2 == 0);
    last = static_cast<TokenId>(argmax_logit(logits.data(), logits.size()));
    generated.push_back(last);
    if (row.stops_at(last)) break;
  }
  CHECK(row.machine().has_fired(tokens::end_recaption) == (stage.ratio_rule == RatioRule::masked));
  return generated;
}

TEST_CASE("a whole text stage") {
  const TextStage automatic = *plan_text_stage(profiles::instruct, BotTask::think_recaption, true);
  CHECK(generate(automatic, {5, tokens::end_think, 6, tokens::end_recaption}, 20) ==
        std::vector<TokenId>{5, tokens::end_think, tokens::recaption, tokens::end_recaption, tokens::answer,
                             tokens::boi, 128037, 130105});
  const TextStage fixed = *plan_text_stage(profiles::instruct, BotTask::think_recaption, false);
  CHECK(generate(fixed, {5, tokens::end_think, 6, tokens::end_recaption}, 20) ==
        std::vector<TokenId>{5, tokens::end_think, tokens::recaption, tokens::end_recaption});
}

TEST_CASE("the ratio rule follows the size token only") {
  const TextStage stage = *plan_text_stage(profiles::instruct, BotTask::recaption, true);
  std::vector<float> logits(133120, 2.0F);
  TextStageRow row(stage);
  CHECK(row.process(128036, logits.data(), logits.size()) == invalid_token_id);
  CHECK(logits[0] == 2.0F);
  CHECK(row.process(128037, logits.data(), logits.size()) == invalid_token_id);
  CHECK(logits[0] == lowest_logit);
  CHECK(logits[128044] == 2.0F);
  CHECK(logits[130107] == lowest_logit);
}

}  // namespace
}  // namespace hunyuan_reso_test
