// SPDX-License-Identifier: MIT
// Chains of thought out of generated ids, against what the releases made of the same ids.
#include <hunyuan_reso/text_stage.hpp>

#include <vector>

#include "support/expect.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

/// Ids that a small random checkpoint of each release generated, and how many of them upstream's chain of thought keeps
/// (what follows is cut). Recorded from the releases' own programs at base size 256.
struct RecordedChain {
  const char* name = "";
  const ModelProfile* profile = nullptr;
  BotTask task = BotTask::image;
  bool ratio_is_auto = false;
  std::vector<TokenId> ids{};
  std::int32_t kept = 0;
};

const std::vector<RecordedChain>& recorded_chains() {
  static const std::vector<RecordedChain> chains{
      {"think_recaption",
       &profiles::instruct,
       BotTask::think_recaption,
       true,
       {654, 1360, 1614, 1287, 128024, 128018, 846, 1674, 1152, 651, 1167, 1006, 128019, 128025, 128000, 128034,
        128075},
       13},
      {"edit_two",
       &profiles::instruct,
       BotTask::think_recaption,
       true,
       {654, 1360, 1614, 1287, 128024, 128018, 846, 1674, 1152, 651, 1167, 1006, 128019, 128025, 128000, 128034,
        128072},
       13},
      {"recaption_fixed",
       &profiles::instruct,
       BotTask::recaption,
       false,
       {846, 1674, 1152, 651, 1167, 1006, 128019},
       7},
      {"think_fixed", &profiles::instruct, BotTask::think, false, {654, 1360, 1614, 1287, 128024}, 5},
      {"distil think_recaption",
       &profiles::instruct_distil,
       BotTask::think_recaption,
       true,
       {782, 869, 857, 1349, 128024, 128018, 973, 379, 1084, 1471, 1585, 459, 128019, 128025, 128000, 128034, 128075},
       13},
      {"edit_default",
       &profiles::instruct_distil,
       BotTask::recaption,
       true,
       {973, 1089, 1507, 1352, 1734, 938, 128019, 128025, 128000, 128034, 128050},
       7},
      {"base recaption", &profiles::base, BotTask::recaption, true, {1024, 1308, 1255, 1525, 1395, 1630, 128019}, 7},
      {"base think", &profiles::base, BotTask::think, false, {1615, 1585, 275, 848, 128024, 1595, 263, 127957}, 7},
  };
  return chains;
}

TextStage stage_of(const RecordedChain& recorded) {
  const auto stage = plan_text_stage(*Model::create(*recorded.profile, 256), recorded.task, recorded.ratio_is_auto);
  REQUIRE(stage);
  return *stage;
}

TEST_CASE("recorded generations: forced tokens, the stop, the chain of thought") {
  for (const RecordedChain& recorded : recorded_chains()) {
    CAPTURE(recorded.name);
    const TextStage stage = stage_of(recorded);
    for (std::size_t i = 0; i < recorded.ids.size(); ++i) {
      CHECK(stage.stops_at(recorded.ids[i]) == (i + 1 == recorded.ids.size()));
      const auto forced = forced_token(stage, recorded.ids.data(), i);
      if (forced) CHECK(*forced == recorded.ids[i]);
      const bool is_forced = recorded.ids[i] == tokens::recaption || recorded.ids[i] == tokens::answer ||
                             recorded.ids[i] == tokens::boi || recorded.ids[i] == 128034;
      CHECK(forced.has_value() == is_forced);
    }
    const auto chain = read_chain_of_thought(*recorded.profile, stage, recorded.ids.data(), recorded.ids.size());
    REQUIRE(chain);
    CHECK(chain->opening == (recorded.task == BotTask::recaption ? tokens::recaption : tokens::think));
    CHECK(chain->ids == Slice{0, recorded.kept});
    CHECK(chain->finished);
  }
}

TEST_CASE("a chain of thought that was cut short") {
  for (const RecordedChain& recorded : recorded_chains()) {
    CAPTURE(recorded.name);
    const TextStage stage = stage_of(recorded);
    for (std::size_t count = 0; count < recorded.ids.size(); ++count) {
      const auto chain = read_chain_of_thought(*recorded.profile, stage, recorded.ids.data(), count);
      REQUIRE(chain);
      const auto kept = static_cast<std::int32_t>(count);
      CHECK(chain->ids == Slice{0, kept < recorded.kept ? kept : recorded.kept});
      // The base release lets a text go on behind </think>, which closes it all the same.
      const bool base_think = recorded.task == BotTask::think && recorded.profile == &profiles::base;
      CHECK(chain->finished == (base_think ? kept >= 5 : kept >= recorded.kept));
    }
  }
}

TEST_CASE("the recaption alone, where thinking is dropped") {
  // instruct, drop_think: upstream keeps what follows <recaption>, through </recaption>.
  const std::vector<TokenId> ids{654, 1360, 1614, 1287,   128024, 128018, 846,    1674,  1152,
                                 651, 1167, 1006, 128019, 128025, 128000, 128034, 128075};
  const TextStage stage = *plan_text_stage(model_for<profiles::instruct>, BotTask::think_recaption, true);
  const auto chain = read_chain_of_thought(profiles::instruct, stage, ids.data(), ids.size(), true);
  REQUIRE(chain);
  CHECK(chain->opening == tokens::recaption);
  CHECK(chain->ids == Slice{6, 13});
  CHECK(chain->finished);
  const auto unfinished = read_chain_of_thought(profiles::instruct, stage, ids.data(), 9, true);
  REQUIRE(unfinished);
  CHECK(unfinished->ids == Slice{6, 9});
  CHECK(!unfinished->finished);
  for (std::size_t count = 0; count < 6; ++count) {
    CHECK(read_chain_of_thought(profiles::instruct, stage, ids.data(), count, true).error() ==
          Errc::no_chain_of_thought);
  }
  const TextStage recaption = *plan_text_stage(model_for<profiles::instruct>, BotTask::recaption, false);
  CHECK(read_chain_of_thought(profiles::instruct, recaption, ids.data() + 6, 7, true)->ids == Slice{0, 7});
}

constexpr bool odd_chains() {
  const ModelProfile& profile = profiles::instruct;
  const TextStage both = *plan_text_stage(model_for<profiles::instruct>, BotTask::think_recaption, true);
  // A ratio token, or the size token, before the text was closed: what comes before is all there is.
  const TokenId early_ratio[] = {11, 128050};
  EXPECT(read_chain_of_thought(profile, both, early_ratio, 2)->ids == Slice{0, 1});
  EXPECT(!read_chain_of_thought(profile, both, early_ratio, 2)->finished);
  const TokenId early_size[] = {11, 12, 128037, 128063};
  EXPECT(read_chain_of_thought(profile, both, early_size, 4)->ids == Slice{0, 2});
  // eos does not stop this stage, so the text goes on behind it.
  const TokenId with_eos[] = {11, 127957, 12, 128024, 128018, 21, 128019, 128025};
  EXPECT(read_chain_of_thought(profile, both, with_eos, 8)->ids == Slice{0, 7});
  EXPECT(read_chain_of_thought(profile, both, with_eos, 8)->finished);
  // Nothing behind the token that stops counts.
  const TextStage recaption = *plan_text_stage(model_for<profiles::instruct>, BotTask::recaption, false);
  const TokenId behind[] = {11, 128019, 12, 128019};
  EXPECT(read_chain_of_thought(profile, recaption, behind, 4)->ids == Slice{0, 2});
  // </answer> stops the base release, and is no part of the chain.
  const TextStage base_think = *plan_text_stage(model_for<profiles::base>, BotTask::think, false);
  const TokenId answered[] = {11, 128024, 12, 128026};
  EXPECT(read_chain_of_thought(profiles::base, base_think, answered, 4)->ids == Slice{0, 3});
  EXPECT(read_chain_of_thought(profiles::base, base_think, answered, 4)->finished);
  EXPECT(!read_chain_of_thought(profiles::base, base_think, answered, 1)->finished);
  const BotTask without[] = {BotTask::automatic, BotTask::image, BotTask::img_ratio};
  for (const BotTask task : without) {
    const TextStage stage = *plan_text_stage(model_for<profiles::instruct>, task, true);
    EXPECT(read_chain_of_thought(profile, stage, answered, 4).error() == Errc::no_chain_of_thought);
  }
  return true;
}
BOTH_TIMES(odd_chains)

/// Recorded answers of the ratio passes: instruct answers with an index, base with a token.
constexpr bool recorded_ratios() {
  EXPECT(*ratio_index_of(profiles::instruct, 128075) == 31);
  EXPECT(*generated_ratio_index(profiles::base, 128065) == 21 && *generated_ratio_index(profiles::base, 128068) == 24);
  const TokenId ids[] = {846, 128019, 128025, 128000, 128034, 128050};
  EXPECT(*last_ratio_index(profiles::instruct_distil, ids, 6) == 6);
  EXPECT(last_ratio_index(profiles::instruct_distil, ids, 5).error() == Errc::no_ratio_token);
  return true;
}
BOTH_TIMES(recorded_ratios)

}  // namespace
}  // namespace hunyuan_reso_test
