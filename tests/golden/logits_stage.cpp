// SPDX-License-Identifier: MIT
// Stage transitions, and the whole text stage with a scripted model.
#include <algorithm>

#include "common.hpp"
#include "logits_input.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::BotTask;
using hunyuan_reso::ChatTemplate;
using hunyuan_reso::invalid_token_id;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::StageMachine;
using hunyuan_reso::StageTransition;
using hunyuan_reso::TextStage;
using hunyuan_reso::TextStageRow;
using hunyuan_reso::TokenId;

namespace {

/// False where one is longer than a StageTransition holds.
bool read_transitions(const Json& list, std::vector<StageTransition>& transitions) {
  for (const Json& entry : list.elements()) {
    StageTransition transition;
    transition.stop_token = int32(entry[std::size_t{0}]);
    if (entry[1].size() > StageTransition::max_forced) return false;
    for (const TokenId token : token_list(entry[1])) transition.force(token);
    transitions.push_back(transition);
  }
  return transitions.size() <= StageMachine::max_transitions;
}

void compare_state(const StageMachine& machine, const std::vector<StageTransition>& transitions, const Json& pending,
                   const Json& completed, const std::string& where, Report& report) {
  const std::vector<TokenId> expected = token_list(pending);
  bool same = machine.pending_count() == expected.size();
  for (std::size_t i = 0; i < expected.size(); ++i) same = same && machine.pending(i) == expected[i];
  if (!same) report.fail(where + ": pending tokens, expected " + pending.dump());
  const std::vector<TokenId> fired = token_list(completed);
  for (const StageTransition& transition : transitions) {
    const bool is_listed = std::count(fired.begin(), fired.end(), transition.stop_token) != 0;
    if (machine.has_fired(transition.stop_token) != is_listed)
      report.fail(where + ": completed, expected " + completed.dump());
  }
}

/// The forced row: one 0, else the lowest finite number.
bool is_forced_row(const std::vector<float>& logits, TokenId token) {
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const bool is_it = static_cast<TokenId>(id) == token;
    if (!same_bits(logits[id], is_it ? 0.0F : hunyuan_reso::lowest_logit)) return false;
  }
  return true;
}

bool find_task(const std::string& name, BotTask& task) {
  const std::pair<const char*, BotTask> names[] = {
      {"auto", BotTask::automatic},      {"image", BotTask::image},
      {"think", BotTask::think},         {"recaption", BotTask::recaption},
      {"img_ratio", BotTask::img_ratio}, {"think_recaption", BotTask::think_recaption}};
  for (const auto& [text, value] : names) {
    if (name == text) task = value;
  }
  return std::any_of(std::begin(names), std::end(names), [&name](const auto& entry) { return name == entry.first; });
}

bool find_stage(const Json& entry, TextStage& stage, Report& report) {
  BotTask task{};
  if (!find_task(entry["bot_task"].text(), task)) {
    report.fail("the bot task " + entry["bot_task"].dump() + " has no enumerator");
    return false;
  }
  ModelProfile profile = hunyuan_reso::profiles::instruct;
  const bool pretrain = entry["template"].text() == "pretrain";
  profile.chat_template = pretrain ? ChatTemplate::pretrain : ChatTemplate::instruct;
  const auto planned = plan_text_stage(profile, task, entry["need_ratio"].boolean(), int32(entry["base_size"]));
  if (planned.error() == hunyuan_reso::Errc::unknown_base_size) {
    report.deliberate("base size " + entry["base_size"].dump() + ", which has no token, is refused");
    return false;
  }
  if (!planned) {
    report.fail("plan_text_stage refuses");
    return false;
  }
  stage = *planned;
  return true;
}

void compare_plan(const Json& entry, const TextStage& stage, Report& report) {
  std::vector<StageTransition> transitions;
  if (!read_transitions(entry["transitions"], transitions)) return report.fail("more transitions than a stage holds");
  report.equal(static_cast<std::int64_t>(stage.transition_count), static_cast<std::int64_t>(transitions.size()),
               "transitions");
  for (std::size_t i = 0; i < transitions.size() && i < stage.transition_count; ++i) {
    const StageTransition& actual = stage.transitions[i];
    const bool same = actual.stop_token == transitions[i].stop_token &&
                      actual.forced_count == transitions[i].forced_count &&
                      std::equal(actual.forced, actual.forced + actual.forced_count, transitions[i].forced);
    if (!same) report.fail("transition " + std::to_string(i) + ", expected " + entry["transitions"][i].dump());
  }
  std::vector<TokenId> expected = token_list(entry["final_stop_tokens"]);
  std::vector<TokenId> actual(stage.stop_tokens, stage.stop_tokens + stage.stop_token_count);
  std::sort(expected.begin(), expected.end());
  std::sort(actual.begin(), actual.end());
  report.is_true(actual == expected, "final_stop_tokens");
}

}  // namespace

void check_stage(const Json& entry, const LogitsGenerator& generator, Report& report) {
  only_known_keys(entry, {"name", "transitions", "batch", "seed", "steps"}, "the entry");
  const std::string name = entry["name"].text();
  std::vector<StageTransition> transitions;
  if (!read_transitions(entry["transitions"], transitions)) {
    return report.not_applicable("stage " + name + ": more tokens or transitions than the machine's capacity of 8");
  }
  report.begin_case("stage " + name);
  const auto machine = StageMachine::create(transitions.data(), transitions.size());
  const auto batch = static_cast<std::size_t>(int32(entry["batch"]));
  std::vector<StageMachine> rows(batch, *machine);
  std::size_t k = 0;
  for (const Json& step : entry["steps"].elements()) {
    const std::vector<float> raw = generator.matrix(static_cast<std::uint64_t>(entry["seed"].integer()) + k, 1);
    for (std::size_t row = 0; row < batch; ++row) {
      const std::string where = "step " + std::to_string(k) + ", row " + std::to_string(row);
      const TokenId forced = rows[row].step(int32(step["last"][row]));
      const Json expected = step["forced"][row];
      if (forced != (expected.is_null() ? invalid_token_id : int32(expected))) {
        report.fail(where + ": forced " + std::to_string(forced) + ", expected " + expected.dump());
      }
      compare_state(rows[row], transitions, step["pending"][row], step["completed"][row], where, report);
      std::vector<float> logits = raw;
      if (forced != invalid_token_id) {
        hunyuan_reso::force_token(logits.data(), logits.size(), forced);
        report.is_true(is_forced_row(logits, forced), "forced row");
      }
    }
    ++k;
  }
}

void check_transitions(const Json& entry, Report& report) {
  const std::string name = entry.has("name") ? entry["name"].text() : entry.dump();
  for (const char* key : {"bot_task", "template", "need_ratio", "base_size", "transitions", "final_stop_tokens"}) {
    if (!entry.has(key)) return report.not_applicable("transitions " + name + ": lacks the key " + key);
  }
  report.begin_case("transitions " + name);
  TextStage stage;
  if (find_stage(entry, stage, report)) compare_plan(entry, stage, report);
}

void check_combined(const Json& entry, const LogitsGenerator& generator, Report& report) {
  only_known_keys(entry,
                  {"name", "bot_task", "template", "need_ratio", "base_size", "script", "ratio_boost", "seed",
                   "transitions", "final_stop_tokens", "start_ids", "generated", "stopped"},
                  "the entry");
  report.begin_case("combined " + entry["name"].text());
  TextStage stage;
  if (!find_stage(entry, stage, report)) return;
  compare_plan(entry, stage, report);
  const std::vector<TokenId> script = token_list(entry["script"]);
  const std::vector<TokenId> expected = token_list(entry["generated"]);
  const std::vector<TokenId> start = token_list(entry["start_ids"]);
  const auto seed = static_cast<std::uint64_t>(entry["seed"].integer());
  TextStageRow row(stage);
  TokenId last = start.back();
  std::size_t scripted = 0;
  bool stopped = false;
  for (std::size_t k = 0; k < expected.size() && !stopped; ++k) {
    std::vector<float> logits = generator.matrix(seed + k, 1);
    if (scripted < script.size()) logits[static_cast<std::size_t>(script[scripted])] += 60.0F;
    if (last == hunyuan_reso::size_token_id_or_invalid(int32(entry["base_size"])) && !entry["ratio_boost"].is_null()) {
      logits[static_cast<std::size_t>(int32(entry["ratio_boost"]))] += 60.0F;
    }
    row.process(last, logits.data(), logits.size());
    last = static_cast<TokenId>(hunyuan_reso::argmax_logit(logits.data(), logits.size()));
    if (last != expected[k]) {
      return report.fail("token " + std::to_string(k) + " is " + std::to_string(last) + ", expected " +
                         std::to_string(expected[k]));
    }
    if (scripted < script.size() && last == script[scripted]) ++scripted;
    stopped = row.stops_at(last);
    if (stopped) report.equal(static_cast<std::int64_t>(k + 1), static_cast<std::int64_t>(expected.size()), "length");
  }
  report.is_true(stopped == entry["stopped"].boolean(), "stopped");
}

}  // namespace hunyuan_reso_test
