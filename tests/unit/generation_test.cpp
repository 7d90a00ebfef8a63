// SPDX-License-Identifier: MIT
// One request gives the plan and the sequences of every stage: what the plan says is what the sequences are.
#include <hunyuan_reso/generation.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hunyuan_reso;

/// One id a byte, special tokens by their ids.
std::vector<TokenId> bytes_of(const ModelProfile& profile, std::string_view text) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const Result<SpecialTokenMatch> match = next_special_token(profile, text);
    const std::size_t plain = match ? match->begin : text.size();
    for (std::size_t i = 0; i < plain; ++i) ids.push_back(1000 + static_cast<unsigned char>(text[i]));
    if (match) ids.push_back(match->id);
    text.remove_prefix(match ? match->end : text.size());
  }
  return ids;
}

std::vector<TokenId> ids_of(const TokenSequence& row) {
  std::vector<TokenId> ids(static_cast<std::size_t>(row.length));
  REQUIRE(row.expand(ids.data(), ids.size()) == Errc::none);
  return ids;
}

GenerationRequest request_of(std::string_view prompt, std::string_view system, std::size_t images) {
  GenerationRequest request;
  request.prompt = prompt;
  request.system = system;
  for (std::size_t i = 0; i < images; ++i)
    REQUIRE(request.add_conditioning_image({600 + 100 * static_cast<int>(i), 800}) == Errc::none);
  return request;
}

TEST_CASE("the counted plan is the sequence, for every profile, row, task and number of images") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    REQUIRE(model);
    const auto encode = [&](std::string_view text) { return bytes_of(*profile, text); };
    for (std::size_t images = 0; images < 4; ++images) {
      for (std::size_t row = 0; row < model->group.size(); ++row) {
        if (!ratio_token_id(*profile, row)) continue;
        for (const std::string_view system : {"", "You draw."}) {
          CAPTURE(profile->name);
          CAPTURE(row);
          GenerationRequest request = request_of("a cat", system, images);
          const ImageSizeText size = format_image_size(ImageSize::of_ratio_index(row), *profile);
          request.image_size = size.view();
          request.chain_of_thought_tokens = 0;
          const auto plan = plan_generation(*model, request, encode);
          REQUIRE(plan);
          CHECK(plan->text_is_counted);
          const auto batch = image_rows(*model, request, *plan, plan->image, "", encode);
          REQUIRE(batch);
          CHECK(batch->length == plan->sequence_length);
          CHECK(batch->rows.size() == static_cast<std::size_t>(plan->cfg_rows));
          for (const TokenSequence& sequence : batch->rows) {
            const ImageRun& last = sequence.image_runs.back();
            CHECK(last.slice.start == plan->image_start);
            CHECK(last.slice.length() == plan->image.image_token_length);
            std::int32_t fed_again = 0;
            const auto slices = refeed_slices(*profile, sequence);
            REQUIRE(slices);
            for (const Slice& slice : *slices) fed_again += slice.length();
            CHECK(fed_again == plan->later_step_tokens);
          }
        }
      }
    }
  }
}

TEST_CASE("the prefixes that the plan calls reusable are the same in both stages") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    const auto encode = [&](std::string_view text) { return bytes_of(*profile, text); };
    for (const std::string_view system : {"", "You draw."}) {
      for (std::size_t images = 0; images < 3; ++images) {
        CAPTURE(profile->name);
        const std::string thought = "plan it";
        GenerationRequest request = request_of("a cat", system, images);
        request.image_size = "1:1";
        request.bot_task = BotTask::think;
        request.chain_of_thought_tokens = static_cast<std::int32_t>(thought.size()) + 2;
        const auto plan = plan_generation(*model, request, encode);
        REQUIRE(plan);
        const auto prompt = text_stage_row(*model, request, *plan, encode);
        REQUIRE(prompt);
        std::vector<TokenId> text = ids_of(*prompt);  // ends in <think>; the model goes on from there
        CHECK(text.back() == profile->special.think);
        for (const TokenId id : bytes_of(*profile, thought + "</think>")) text.push_back(id);
        const auto batch = image_rows(*model, request, *plan, plan->image, "<think>" + thought + "</think>", encode);
        REQUIRE(batch);
        CHECK(batch->length == plan->sequence_length);
        const auto conditional = static_cast<std::size_t>(plan->reusable_conditional_prefix);
        const std::vector<TokenId> first = ids_of(batch->rows[0]);
        CHECK(text.size() == conditional);
        CHECK(std::vector<TokenId>(first.begin(), first.begin() + plan->reusable_conditional_prefix) == text);
        if (plan->cfg_rows == 1) continue;
        const std::vector<TokenId> second = ids_of(batch->rows[1]);
        const auto unconditional = static_cast<std::size_t>(plan->reusable_unconditional_prefix);
        CHECK(second[unconditional] == profile->special.cfg);
        for (std::size_t i = 0; i < unconditional; ++i) CHECK(second[i] == text[i]);
      }
    }
  }
}

TEST_CASE("an estimated plan never promises a longer prefix than the counted one has") {
  const Model& model = model_for<profiles::instruct>;
  const auto encode = [](std::string_view text) { return bytes_of(profiles::instruct, text); };
  GenerationRequest request = request_of("a cat", "You draw.", 2);
  request.image_size = "1:1";
  request.prompt_tokens = 5;
  request.system_tokens = 9;
  request.chain_of_thought_tokens = 20;
  const auto estimated = plan_generation(model, request);
  const auto counted = plan_generation(model, request, encode);
  REQUIRE(estimated);
  REQUIRE(counted);
  CHECK_FALSE(estimated->text_is_counted);
  CHECK(estimated->reusable_unconditional_prefix <= counted->reusable_unconditional_prefix);
  CHECK(counted->reusable_unconditional_prefix > 0);
}

TEST_CASE("the ratio row ends in the size token, with the chain of thought in it where there is one") {
  const Model& model = model_for<profiles::base>;
  const auto encode = [](std::string_view text) { return bytes_of(profiles::base, text); };
  GenerationRequest request = request_of("a cat", "", 0);
  const auto plan = plan_generation(model, request, encode);
  REQUIRE(plan);
  CHECK(plan->text_stage.ratio_rule == RatioRule::free_pass);
  const auto row = ratio_row(model, request, *plan, "", encode);
  REQUIRE(row);
  const std::vector<TokenId> ids = ids_of(*row);
  CHECK(ids.back() == *size_token_id(profiles::base, 1024));
  CHECK(ids[ids.size() - 2] == profiles::base.special.boi);
  const auto longer = ratio_row(model, request, *plan, "<recaption>red</recaption>", encode);
  REQUIRE(longer);
  CHECK(longer->length == row->length + 5);
}

TEST_CASE("rows of a batch repeat, conditional ones first") {
  const Model& model = model_for<profiles::instruct>;
  const auto encode = [](std::string_view text) { return bytes_of(profiles::instruct, text); };
  GenerationRequest request = request_of("a cat", "", 0);
  request.image_size = "16:9";
  request.batch = 3;
  request.bot_task = BotTask::image;
  const auto plan = plan_generation(model, request, encode);
  REQUIRE(plan);
  const auto batch = image_rows(model, request, *plan, plan->image, "", encode);
  REQUIRE(batch);
  REQUIRE(batch->rows.size() == 6);
  CHECK(ids_of(batch->rows[0]) == ids_of(batch->rows[2]));
  CHECK(ids_of(batch->rows[3]) == ids_of(batch->rows[5]));
  CHECK(ids_of(batch->rows[0]) != ids_of(batch->rows[3]));
}

TEST_CASE("a thought is dropped where the request or the profile says so") {
  const Model& model = model_for<profiles::instruct>;
  const auto encode = [](std::string_view text) { return bytes_of(profiles::instruct, text); };
  const std::string thought = "<think>hm</think><recaption>red</recaption>";
  GenerationRequest request = request_of("a cat", "", 0);
  request.image_size = "1:1";
  const auto plan = plan_generation(model, request, encode);
  REQUIRE(plan);
  const auto kept = image_rows(model, request, *plan, plan->image, thought, encode);
  request.drop_think = true;
  const auto dropped = image_rows(model, request, *plan, plan->image, thought, encode);
  REQUIRE(kept);
  REQUIRE(dropped);
  CHECK(dropped->length == kept->length - 4);  // <think> h m </think>
}

TEST_CASE("refused requests say why") {
  const Model& model = model_for<profiles::instruct>;
  const auto encode = [](std::string_view text) { return bytes_of(profiles::instruct, text); };
  GenerationRequest request = request_of("a cat", "", 0);
  request.image_size = "1024*768";
  CHECK(plan_generation(model, request, encode).error() == Errc::expected_separator);
  CHECK(plan_generation(model, request, encode).position() == 4);
  CHECK(request.add_conditioning_image({0, 5}) == Errc::side_not_positive);
  for (int i = 0; i < 16; ++i) CHECK(request.add_conditioning_image({64, 64}) == Errc::none);
  CHECK(request.add_conditioning_image({64, 64}) == Errc::too_many_conditioning_images);
}

}  // namespace
