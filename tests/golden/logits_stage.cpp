// SPDX-License-Identifier: MIT
// Stage transitions, and the whole text stage with a scripted model.
#include <algorithm>

#include "common.hpp"
#include "logits_input.hpp"
#include "sequence_input.hpp"

namespace hunyuan_reso_test {

using hunyuan_reso::BotTask;
using hunyuan_reso::Errc;
using hunyuan_reso::Model;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Result;
using hunyuan_reso::StageTransition;
using hunyuan_reso::TextStage;
using hunyuan_reso::TextStageRow;
using hunyuan_reso::TokenId;

namespace {

/// Room for more transitions than any profile holds.
using StageMachine = hunyuan_reso::BasicStageMachine<64>;
constexpr std::size_t machine_capacity = 64;

/// False where one is longer than a StageTransition holds, or the list longer than the machine.
bool read_transitions(const Json& list, std::vector<StageTransition>& transitions) {
  for (const Json& entry : list.elements()) {
    StageTransition transition;
    transition.stop_token = int32(entry[std::size_t{0}]);
    for (const TokenId token : token_list(entry[1])) {
      if (transition.force(token) != Errc::none) return false;
    }
    transitions.push_back(transition);
  }
  return transitions.size() <= machine_capacity;
}

void compare_state(const StageMachine& machine, const std::vector<StageTransition>& transitions, const Json& pending,
                   const Json& completed, const std::string& where, Report& report) {
  const std::vector<TokenId> expected = token_list(pending);
  bool same = machine.pending_count() == expected.size();
  for (std::size_t i = 0; i < expected.size(); ++i) same = same && *machine.pending(i) == expected[i];
  if (!same) report.fail(where + ": pending tokens, expected " + pending.dump());
  const std::vector<TokenId> fired = token_list(completed);
  for (const StageTransition& transition : transitions) {
    const bool is_listed = std::count(fired.begin(), fired.end(), transition.stop_token) != 0;
    if (machine.has_fired(transition.stop_token) != is_listed)
      report.fail(where + ": completed, expected " + completed.dump());
  }
}

/// The same from the whole history in one call, where a stage holds that many transitions.
void compare_history(const std::vector<StageTransition>& transitions, const std::vector<TokenId>& history,
                     const Result<TokenId>& stepped, const std::string& where, Report& report) {
  TextStage stage;
  if (transitions.size() > hunyuan_reso::TextStageRule::max_transitions) return;
  for (const StageTransition& transition : transitions) stage.transitions[stage.transition_count++] = transition;
  const Result<TokenId> forced = forced_token(stage, history.data(), history.size());
  if (forced.error() != stepped.error() || *forced != *stepped) report.fail(where + ": forced_token differs");
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

/// The recorded runs are all of the newer release: its rules, with or without answer tags.
bool find_stage(const Json& entry, TextStage& stage, Report& report) {
  BotTask task{};
  if (!find_task(entry["bot_task"].text(), task)) {
    report.fail("the bot task " + entry["bot_task"].dump() + " has no enumerator");
    return false;
  }
  ModelProfile profile = hunyuan_reso::profiles::instruct;
  if (entry["template"].text() == "pretrain") profile.template_texts = hunyuan_reso::pretrain_texts();
  const Result<Model> model = Model::create(profile, int32(entry["base_size"]));
  const Result<TextStage> planned =
      model ? plan_text_stage(*model, task, entry["need_ratio"].boolean()) : Result<TextStage>(model.error());
  if (!model || planned.error() == Errc::unknown_base_size) {
    report.deliberate("base size " + entry["base_size"].dump() + ", which has no token or no group, is refused");
    return false;
  }
  if (!planned) {
    report.fail(std::string("plan_text_stage refuses: ") + message(planned.error()));
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
    return report.not_applicable("stage " + name + ": more tokens or transitions than the machine's capacity");
  }
  report.begin_case("stage " + name);
  const auto machine = StageMachine::create(transitions.data(), transitions.size());
  const auto batch = static_cast<std::size_t>(int32(entry["batch"]));
  std::vector<StageMachine> rows(batch, *machine);
  std::vector<std::vector<TokenId>> histories(batch);
  std::size_t k = 0;
  for (const Json& step : entry["steps"].elements()) {
    const std::vector<float> raw = generator.matrix(static_cast<std::uint64_t>(entry["seed"].integer()) + k, 1);
    for (std::size_t row = 0; row < batch; ++row) {
      const std::string where = "step " + std::to_string(k) + ", row " + std::to_string(row);
      histories[row].push_back(int32(step["last"][row]));
      const Result<TokenId> forced = rows[row].step(histories[row].back());
      const Json expected = step["forced"][row];
      if (expected.is_null() ? forced.has_value() : (!forced || *forced != int32(expected))) {
        report.fail(where + ": forced " + std::to_string(*forced) + ", expected " + expected.dump());
      }
      compare_history(transitions, histories[row], forced, where, report);
      compare_state(rows[row], transitions, step["pending"][row], step["completed"][row], where, report);
      std::vector<float> logits = raw;
      if (!forced) continue;
      report.is_true(hunyuan_reso::force_token(logits.data(), logits.size(), *forced) == Errc::none, "force_token");
      report.is_true(is_forced_row(logits, *forced), "forced row");
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
  const Result<TextStageRow> created = TextStageRow::create(stage);
  if (!created) return report.fail("TextStageRow::create refuses");
  TextStageRow row = *created;
  TokenId last = start.back();
  std::size_t scripted = 0;
  bool stopped = false;
  for (std::size_t k = 0; k < expected.size() && !stopped; ++k) {
    std::vector<float> logits = generator.matrix(seed + k, 1);
    if (scripted < script.size()) logits[static_cast<std::size_t>(script[scripted])] += 60.0F;
    const auto size_token = size_token_id(hunyuan_reso::profiles::instruct, int32(entry["base_size"]));
    if (size_token && last == *size_token && !entry["ratio_boost"].is_null()) {
      logits[static_cast<std::size_t>(int32(entry["ratio_boost"]))] += 60.0F;
    }
    const Result<TokenId> forced = row.process(last, logits.data(), logits.size());
    const Result<TokenId> again = forced_token(stage, expected.data(), k);
    report.is_true(forced.error() == again.error() && *forced == *again, "forced_token of the generated ids");
    last = static_cast<TokenId>(*hunyuan_reso::argmax_logit(logits.data(), logits.size()));
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
