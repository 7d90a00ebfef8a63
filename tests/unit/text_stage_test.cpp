// SPDX-License-Identifier: MIT
// The text stage of every task of every profile, and a whole stage against a model that wants something else.
#include <hunyuan_reso/text_stage.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

/// A transition that a test expects.
struct Expected {
  TokenId after = 0;
  TokenId forced[3] = {-1, -1, -1};
};

constexpr bool has_transitions(const TextStage& stage, const Expected* expected, std::size_t count) {
  EXPECT(stage.transition_count == count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT(stage.transitions[i].stop_token == expected[i].after);
    std::size_t forced = 0;
    while (forced < 3 && expected[i].forced[forced] >= 0) ++forced;
    EXPECT(stage.transitions[i].forced_count == forced);
    for (std::size_t k = 0; k < forced; ++k) EXPECT(stage.transitions[i].forced[k] == expected[i].forced[k]);
  }
  return true;
}

/// Exactly these stop tokens, in any order.
constexpr bool stops_only_at(const TextStage& stage, const TokenId* ids, std::size_t count) {
  EXPECT(stage.stop_token_count == count);
  for (std::size_t i = 0; i < count; ++i) EXPECT(stage.stops_at(ids[i]));
  return true;
}

/// Exactly the ratio tokens that have an id.
constexpr bool stops_at_ratios(const ModelProfile& profile, const TextStage& stage) {
  std::size_t known = 0;
  for (std::size_t i = 0; i < profile.ratio_tokens.count; ++i) {
    if (profile.ratio_tokens.ids[i] == RatioTokens::unknown) continue;
    ++known;
    EXPECT(stage.stops_at(profile.ratio_tokens.ids[i]));
  }
  EXPECT(stage.stop_token_count == known);
  return true;
}

constexpr bool predicts(const ModelProfile& profile, const TextStage& stage, RatioRule rule, TokenId size_token) {
  EXPECT(stage.ratio_rule == rule && stage.is_needed());
  EXPECT(stage.size_token && *stage.size_token == size_token);
  EXPECT(stage.ratio_slices.token_count() == ratio_slices(profile).token_count());
  return true;
}

/// With an explicit size the ratio token is pinned from it: no rule asks the model.
constexpr bool predicts_nothing(const TextStage& stage) {
  EXPECT(stage.ratio_rule == RatioRule::none && stage.ratio_slices.count == 0 && !stage.size_token);
  return true;
}

/// The Instruct family: one generation, in which tokens are forced. `size`: the id of <img_size_B>.
constexpr bool instruct_stages(const Model& model, TokenId size) {
  const ModelProfile& profile = model.profile;
  const auto plan = [&model](BotTask task, bool is_auto) { return *plan_text_stage(model, task, is_auto); };
  const TokenId eos[] = {127957};
  const TokenId end_recaption[] = {128019};
  const TokenId either_end[] = {128024, 128019};
  const Expected think_to_recaption{128024, {128018, -1, -1}};
  const Expected think_to_image{128024, {128025, 128000, size}};
  const Expected recaption_to_image{128019, {128025, 128000, size}};

  const bool given_and_auto[] = {false, true};
  for (const bool is_auto : given_and_auto) {
    const TextStage text = plan(BotTask::automatic, is_auto);
    EXPECT(text.generates_text && text.prompt_task == BotTask::automatic && stops_only_at(text, eos, 1));
    EXPECT(predicts_nothing(text) && has_transitions(text, nullptr, 0));
  }
  const BotTask alone[] = {BotTask::image, BotTask::img_ratio};
  for (const BotTask task : alone) {
    const TextStage given = plan(task, false);
    EXPECT(!given.is_needed() && given.prompt_task == BotTask::image && predicts_nothing(given));
    EXPECT(stops_only_at(given, eos, 1) && has_transitions(given, nullptr, 0));
    const TextStage ratio = plan(task, true);
    EXPECT(!ratio.generates_text && ratio.prompt_task == BotTask::img_ratio && has_transitions(ratio, nullptr, 0));
    EXPECT(predicts(profile, ratio, RatioRule::one_pass, size) && stops_at_ratios(profile, ratio));
  }

  const TextStage think = plan(BotTask::think, false);
  EXPECT(think.generates_text && think.prompt_task == BotTask::think && predicts_nothing(think));
  EXPECT(has_transitions(think, nullptr, 0) && stops_only_at(think, either_end, 2));
  const TextStage think_auto = plan(BotTask::think, true);
  EXPECT(think_auto.generates_text && think_auto.prompt_task == BotTask::think);
  EXPECT(predicts(profile, think_auto, RatioRule::masked, size) && stops_at_ratios(profile, think_auto));
  EXPECT(has_transitions(think_auto, &think_to_image, 1));

  const TextStage recaption = plan(BotTask::recaption, false);
  EXPECT(recaption.generates_text && recaption.prompt_task == BotTask::recaption && predicts_nothing(recaption));
  EXPECT(has_transitions(recaption, nullptr, 0) && stops_only_at(recaption, end_recaption, 1));
  const TextStage recaption_auto = plan(BotTask::recaption, true);
  EXPECT(recaption_auto.generates_text && recaption_auto.prompt_task == BotTask::recaption);
  EXPECT(predicts(profile, recaption_auto, RatioRule::masked, size) && stops_at_ratios(profile, recaption_auto));
  EXPECT(has_transitions(recaption_auto, &recaption_to_image, 1));

  const TextStage both = plan(BotTask::think_recaption, false);
  EXPECT(both.generates_text && both.prompt_task == BotTask::think && predicts_nothing(both));
  EXPECT(has_transitions(both, &think_to_recaption, 1) && stops_only_at(both, end_recaption, 1));
  const TextStage both_auto = plan(BotTask::think_recaption, true);
  const Expected both_transitions[] = {think_to_recaption, recaption_to_image};
  EXPECT(both_auto.generates_text && both_auto.prompt_task == BotTask::think);
  EXPECT(predicts(profile, both_auto, RatioRule::masked, size) && stops_at_ratios(profile, both_auto));
  EXPECT(has_transitions(both_auto, both_transitions, 2));
  EXPECT(profile.text_stage.ratio_fallback.error() == Errc::not_a_ratio_token);
  return true;
}

/// The base release: nothing is forced; text and ratio are generations of their own.
constexpr bool base_stages(const Model& model, TokenId size) {
  const ModelProfile& profile = model.profile;
  const auto plan = [&model](BotTask task, bool is_auto) { return *plan_text_stage(model, task, is_auto); };
  const TokenId eos[] = {127957};
  const TokenId eos_or_boi[] = {127957, 128000};
  const TokenId ends[] = {128019, 128026, 127957};

  const TextStage text = plan(BotTask::automatic, false);
  EXPECT(text.generates_text && text.prompt_task == BotTask::automatic && predicts_nothing(text));
  EXPECT(stops_only_at(text, eos_or_boi, 2) && has_transitions(text, nullptr, 0));
  const TextStage text_auto = plan(BotTask::automatic, true);
  EXPECT(text_auto.generates_text && text_auto.ratio_rule == RatioRule::in_text &&
         has_transitions(text_auto, nullptr, 0));
  EXPECT(text_auto.stop_token_count == 34 && text_auto.stops_at(127957) && !text_auto.stops_at(128000));
  for (TokenId id = 128044; id <= 128076; ++id) EXPECT(text_auto.stops_at(id));

  const BotTask alone[] = {BotTask::image, BotTask::img_ratio};
  for (const BotTask task : alone) {
    const TextStage given = plan(task, false);
    EXPECT(!given.is_needed() && given.prompt_task == BotTask::image && predicts_nothing(given));
    EXPECT(stops_only_at(given, eos, 1) && has_transitions(given, nullptr, 0));
    const TextStage ratio = plan(task, true);
    EXPECT(!ratio.generates_text && ratio.prompt_task == BotTask::img_ratio && has_transitions(ratio, nullptr, 0));
    EXPECT(predicts(profile, ratio, RatioRule::free_pass, size) && stops_at_ratios(profile, ratio));
  }
  const BotTask thinking[] = {BotTask::think, BotTask::recaption};
  for (const BotTask task : thinking) {
    const TextStage given = plan(task, false);
    EXPECT(given.generates_text && given.prompt_task == task && predicts_nothing(given));
    EXPECT(stops_only_at(given, ends, 3) && has_transitions(given, nullptr, 0));
    const TextStage ratio = plan(task, true);
    EXPECT(ratio.generates_text && ratio.prompt_task == task && predicts(profile, ratio, RatioRule::free_pass, size));
    EXPECT(stops_only_at(ratio, ends, 3) && has_transitions(ratio, nullptr, 0));
  }
  EXPECT(plan_text_stage(model, BotTask::think_recaption, false).error() == Errc::task_not_supported);
  EXPECT(plan_text_stage(model, BotTask::think_recaption, true).error() == Errc::task_not_supported);
  // A token that is no ratio stands for 1:1.
  EXPECT(*generated_ratio_index(profile, 128044) == 0 && *generated_ratio_index(profile, 128076) == 32);
  EXPECT(*generated_ratio_index(profile, 128043) == 16 && *generated_ratio_index(profile, 130103) == 16);
  return true;
}

constexpr bool stages_of_the_published_models() {
  EXPECT(base_stages(model_for<profiles::base>, 128037));
  EXPECT(base_stages(model_for<profiles::base, 512>, 128035));
  EXPECT(instruct_stages(model_for<profiles::instruct>, 128037));
  EXPECT(instruct_stages(model_for<profiles::instruct, 2048>, 128039));
  EXPECT(instruct_stages(model_for<profiles::instruct_distil>, 128037));
  EXPECT(instruct_stages(model_for<profiles::panorama>, 128037));
  return true;
}
BOTH_TIMES(stages_of_the_published_models)

TEST_CASE("every task of every profile at every base size of its ladder") {
  const BotTask tasks[] = {BotTask::automatic, BotTask::image,           BotTask::think,
                           BotTask::recaption, BotTask::think_recaption, BotTask::img_ratio};
  for (const ModelProfile* profile : profiles::all) {
    for (std::size_t i = 0; i < profile->size_tokens.count; ++i) {
      const auto model = Model::create(*profile, profile->size_tokens.base_sizes[i]);
      REQUIRE(model);
      const bool is_base = profile->text_stage.ratio_fallback.has_value();
      CHECK((is_base ? base_stages : instruct_stages)(*model, profile->size_tokens.ids[i]));
    }
    // 960 has no size token: only predictions miss it.
    const auto model = Model::create(*profile, 960);
    REQUIRE(model);
    for (const BotTask task : tasks) {
      const auto given = plan_text_stage(*model, task, false);
      const auto automatic = plan_text_stage(*model, task, true);
      if (given.error() == Errc::task_not_supported) continue;
      CHECK(given);
      if (task == BotTask::automatic) {
        CHECK(automatic);
      } else {
        CHECK(automatic.error() == Errc::unknown_base_size);
      }
    }
    CHECK(plan_text_stage(*model, static_cast<BotTask>(77), false).error() == Errc::task_not_supported);
  }
}

/// The newer release runs the base checkpoint by its own rules, under a template without answer tags.
constexpr bool instruct_rules_without_answer_tags() {
  Model model = model_for<profiles::base>;
  model.profile.text_stage = instruct_text_stage();
  const TextStage stage = *plan_text_stage(model, BotTask::think_recaption, true);
  const Expected transitions[] = {{128024, {128018, -1, -1}}, {128019, {128000, 128037, -1}}};
  EXPECT(has_transitions(stage, transitions, 2) && stage.stop_token_count == 33);
  return true;
}
BOTH_TIMES(instruct_rules_without_answer_tags)

/// A checkpoint is data: other ids, ratio tokens with and without ids, rules of its own.
constexpr bool stages_of_another_checkpoint() {
  Model model = model_for<profiles::instruct>;
  ModelProfile& profile = model.profile;
  profile.special.end_recaption = 7;
  profile.special.boi = 8;
  profile.special.answer = 9;
  profile.size_tokens.ids[3] = 10;
  profile.ratio_tokens.ids[5] = RatioTokens::unknown;
  const TextStage stage = *plan_text_stage(model, BotTask::recaption, true);
  const Expected transition{7, {9, 8, 10}};
  EXPECT(has_transitions(stage, &transition, 1) && *stage.size_token == 10);
  EXPECT(stops_at_ratios(profile, stage) && stage.stop_token_count == 36 && !stage.stops_at(RatioTokens::unknown));

  profile.text_stage = TextStageRules{};
  EXPECT(plan_text_stage(model, BotTask::recaption, true).error() == Errc::task_not_supported);
  profile.text_stage.append(TextStageRule{BotTask::image, false, BotTask::image, true}
                                .after(StageToken::eos, {{StageToken::any_ratio}, 1})
                                .stop(StageToken::answer));
  EXPECT(plan_text_stage(model, BotTask::image, false).error() == Errc::ratio_token_not_single);
  TextStageRule& rule = profile.text_stage.rules[0];
  rule.transitions[0] = {StageToken::any_ratio, {{StageToken::eos}, 1}};
  EXPECT(plan_text_stage(model, BotTask::image, false).error() == Errc::ratio_token_not_single);
  rule.transitions[0] = {StageToken::size, {{StageToken::end_think}, 1}};
  const TextStage after_size = *plan_text_stage(model, BotTask::image, false);
  EXPECT(after_size.transitions[0].stop_token == 10 && after_size.stop_token_count == 1 && after_size.stops_at(9));
  profile.size_tokens = {};
  EXPECT(plan_text_stage(model, BotTask::image, false).error() == Errc::unknown_base_size);
  profile.template_texts.answer = "";
  rule.transition_count = 0;
  EXPECT(plan_text_stage(model, BotTask::image, false)->stop_token_count == 0);

  model = model_for<profiles::instruct>;
  for (std::size_t i = 0; i < model.profile.ratio_tokens.count; ++i) {
    model.profile.ratio_tokens.ids[i] = RatioTokens::unknown;
  }
  EXPECT(plan_text_stage(model, BotTask::image, true).error() == Errc::ratio_token_id_unknown);
  EXPECT(plan_text_stage(model, BotTask::image, false).has_value());
  return true;
}
BOTH_TIMES(stages_of_another_checkpoint)

/// The two ways in which a pass over the prompt finds the ratio.
TEST_CASE("the ratio of a pass") {
  std::vector<float> logits(133120, 0.0F);
  logits[128065] = 2.0F;
  logits[130104] = 1.0F;
  for (const ModelProfile* profile : profiles::all) {
    CHECK(*predict_ratio(*profile, RatioRule::one_pass, logits.data(), logits.size()) == 21);
    CHECK(*predict_ratio(*profile, RatioRule::free_pass, logits.data(), logits.size()) == 21);
  }
  logits[5] = 3.0F;  // no ratio token is the best of all
  for (const ModelProfile* profile : profiles::all) {
    CHECK(*predict_ratio(*profile, RatioRule::one_pass, logits.data(), logits.size()) == 21);
    const auto free = predict_ratio(*profile, RatioRule::free_pass, logits.data(), logits.size());
    CHECK(free.has_value() == profile->text_stage.ratio_fallback.has_value());
    CHECK(free.error() == profile->text_stage.ratio_fallback.error());
    CHECK(free.value_or(16) == 16);
  }
  CHECK(predict_ratio(profiles::base, RatioRule::free_pass, logits.data(), 0).error() == Errc::no_value);
}

TextStage instruct_stage(BotTask task, bool ratio_is_auto) {
  return *plan_text_stage(model_for<profiles::instruct>, task, ratio_is_auto);
}

/// A model that wants `wanted` most of all, then one other token; every rule must hold against it.
std::vector<TokenId> generate(const TextStage& stage, const std::vector<TokenId>& wanted, std::size_t limit) {
  auto created = TextStageRow::create(stage);
  REQUIRE(created);
  TextStageRow row = *created;
  std::vector<TokenId> generated;
  TokenId last = tokens::think;
  std::vector<float> logits(133120);
  for (std::size_t k = 0; k < limit; ++k) {
    std::fill(logits.begin(), logits.end(), 0.0F);
    logits[static_cast<std::size_t>(wanted[k % wanted.size()])] = std::numeric_limits<float>::infinity();
    logits[130105] = 1.0F;
    const auto forced = row.process(last, logits.data(), logits.size(), k % 2 == 0);
    const auto again = forced_token(stage, generated.data(), generated.size());
    CHECK(forced.error() == again.error());
    CHECK(forced.value_or(0) == again.value_or(0));
    last = static_cast<TokenId>(*argmax_logit(logits.data(), logits.size()));
    generated.push_back(last);
    if (row.stops_at(last)) break;
  }
  CHECK(row.machine().has_fired(tokens::end_recaption) == (stage.ratio_rule == RatioRule::masked));
  return generated;
}

TEST_CASE("a whole text stage") {
  CHECK(generate(instruct_stage(BotTask::think_recaption, true), {5, tokens::end_think, 6, tokens::end_recaption},
                 20) == std::vector<TokenId>{5, tokens::end_think, tokens::recaption, tokens::end_recaption,
                                             tokens::answer, tokens::boi, 128037, 130105});
  CHECK(generate(instruct_stage(BotTask::think_recaption, false), {5, tokens::end_think, 6, tokens::end_recaption},
                 20) == std::vector<TokenId>{5, tokens::end_think, tokens::recaption, tokens::end_recaption});
}

TEST_CASE("the ratio rule follows the size token only") {
  std::vector<float> logits(133120, 2.0F);
  TextStageRow row = *TextStageRow::create(instruct_stage(BotTask::recaption, true));
  CHECK(row.process(128036, logits.data(), logits.size()).error() == Errc::no_forced_token);
  CHECK(logits[0] == 2.0F);
  CHECK(row.process(128037, logits.data(), logits.size()).error() == Errc::no_forced_token);
  CHECK(logits[0] == lowest_logit);
  CHECK(logits[128044] == 2.0F);
  CHECK(logits[130107] == lowest_logit);
  CHECK(TextStageRow().process(128037, logits.data(), logits.size()).error() == Errc::no_forced_token);
  CHECK(row.process(tokens::end_recaption, logits.data(), 100).error() == Errc::token_id_out_of_range);
}

}  // namespace
}  // namespace hunyuan_reso_test
