// SPDX-License-Identifier: MIT
// Stage transitions against a plain model, stepped and in one call.
#include <hunyuan_reso/text_stage.hpp>

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

/// Upstream's processor for one row, in containers. 0 stands for "nothing is forced": no test forces token 0.
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
    return pending_.empty() ? 0 : pending_.front();
  }
  const std::deque<TokenId>& pending() const { return pending_; }
  bool has_fired(TokenId token) const { return completed_.count(token) == 1; }

 private:
  std::map<TokenId, std::vector<TokenId>> map_{};
  std::deque<TokenId> pending_{};
  std::set<TokenId> completed_{};
};

std::vector<StageTransition> random_transitions(Random& random, std::size_t most) {
  std::vector<StageTransition> transitions(random.place_below(most + 1));
  for (StageTransition& transition : transitions) {
    transition.stop_token = static_cast<TokenId>(1 + random.below(5));  // often twice the same
    for (std::uint64_t i = random.below(9); i != 0; --i) {
      CHECK(transition.force(static_cast<TokenId>(1 + random.below(6))) == Errc::none);
    }
  }
  return transitions;
}

TEST_CASE("random transitions, samplers that obey and that deviate") {
  using Machine = BasicStageMachine<12>;
  Random random(61);
  for (int round = 0; round < 3000; ++round) {
    const std::vector<StageTransition> transitions = random_transitions(random, 12);
    const auto created = Machine::create(transitions.data(), transitions.size());
    REQUIRE(created);
    Machine machine = *created;
    PlainMachine expected(transitions);
    const bool obeys = random.below(2) == 0;
    auto last = static_cast<TokenId>(1 + random.below(6));
    std::size_t wrong = 0;
    for (int step = 0; step < 40; ++step) {
      const Result<TokenId> forced = machine.step(last);
      if (forced.value_or(0) != expected.step(last)) ++wrong;
      if (!forced && forced.error() != Errc::no_forced_token) ++wrong;
      if (machine.pending_count() != expected.pending().size()) ++wrong;
      for (std::size_t i = 0; i < expected.pending().size(); ++i) {
        if (machine.pending(i).value_or(0) != expected.pending()[i]) ++wrong;
      }
      if (machine.pending(expected.pending().size()).error() != Errc::no_forced_token) ++wrong;
      for (TokenId token = -1; token < 8; ++token) {
        if (machine.has_fired(token) != expected.has_fired(token)) ++wrong;
      }
      last = obeys && forced ? *forced : static_cast<TokenId>(1 + random.below(6));
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("the forced token of a history is the stepped machine's") {
  Random random(63);
  for (int round = 0; round < 5000; ++round) {
    const std::vector<StageTransition> transitions = random_transitions(random, TextStageRule::max_transitions);
    TextStage stage;
    for (const StageTransition& transition : transitions) stage.transitions[stage.transition_count++] = transition;
    PlainMachine expected(transitions);
    std::vector<TokenId> history;
    CHECK(forced_token(stage, history.data(), 0).error() == Errc::no_forced_token);
    for (int step = 0; step < 25; ++step) {
      const TokenId wanted = history.empty() ? 0 : expected.step(history.back());
      const auto forced = forced_token(stage, history.data(), history.size());
      CHECK(forced.value_or(0) == wanted);
      const bool obeys = random.below(3) != 0 && wanted != 0;
      history.push_back(obeys ? wanted : static_cast<TokenId>(1 + random.below(6)));
    }
  }
}

constexpr bool each_fires_once() {
  StageTransition transitions[2];
  transitions[0].stop_token = 7;
  EXPECT(transitions[0].force(8) == Errc::none && transitions[0].force(9) == Errc::none);
  transitions[1].stop_token = 9;
  EXPECT(transitions[1].force(7) == Errc::none);
  StageMachine machine = *StageMachine::create(transitions, 2);
  EXPECT(machine.step(1).error() == Errc::no_forced_token);
  EXPECT(*machine.step(7) == 8);
  EXPECT(machine.pending_count() == 2 && *machine.pending(1) == 9);
  EXPECT(*machine.step(1) == 8);  // asked again
  EXPECT(*machine.step(8) == 9);
  EXPECT(*machine.step(9) == 7);                             // the second transition follows on the first
  EXPECT(machine.step(7).error() == Errc::no_forced_token);  // the first has fired
  EXPECT(machine.has_fired(7) && machine.has_fired(9) && !machine.has_fired(8));
  EXPECT(!StageMachine().step(7));
  return true;
}
BOTH_TIMES(each_fires_once)

constexpr bool capacities() {
  StageTransition transitions[TextStageRule::max_transitions + 1];
  EXPECT(StageMachine::create(transitions, TextStageRule::max_transitions).has_value());
  EXPECT(StageMachine::create(transitions, TextStageRule::max_transitions + 1).error() == Errc::too_many_forced_tokens);
  for (std::size_t i = 0; i < StageTransition::max_forced; ++i) EXPECT(transitions[1].force(1) == Errc::none);
  EXPECT(StageMachine::create(transitions, 2).has_value());
  EXPECT(transitions[1].force(2) == Errc::too_many_forced_tokens);
  EXPECT(transitions[1].forced_count == StageTransition::max_forced && transitions[1].forced[7] == 1);
  transitions[1].forced_count = StageTransition::max_forced + 1;  // by hand
  EXPECT(StageMachine::create(transitions, 2).error() == Errc::too_many_forced_tokens);
  EXPECT(StageMachine::create(transitions, 2).position() == 1);
  TextStage stage;
  for (std::size_t i = 0; i < TextStage::max_stop_tokens; ++i) {
    EXPECT(stage.add_stop(static_cast<TokenId>(i)) == Errc::none);
  }
  EXPECT(stage.add_stop(70) == Errc::buffer_too_small && !stage.stops_at(70) && stage.stops_at(67));
  stage.transition_count = TextStageRule::max_transitions + 1;  // by hand
  EXPECT(TextStageRow::create(stage).error() == Errc::too_many_forced_tokens);
  EXPECT(forced_token(stage, transitions[1].forced, 1).error() == Errc::too_many_forced_tokens);
  return true;
}
BOTH_TIMES(capacities)

}  // namespace
}  // namespace hunyuan_reso_test
