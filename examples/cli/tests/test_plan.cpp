// SPDX-License-Identifier: MIT
// The command plan, compared with the library.
#include <doctest/doctest.h>

#include <algorithm>
#include <hunyuan_reso/plan.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

/// The code of every diagnostic, in order.
std::vector<std::string> codes(const json& plan) {
  std::vector<std::string> result;
  for (const json& item : plan["diagnostics"]) result.push_back(item["code"]);
  return result;
}

}  // namespace

TEST_CASE("a plan says what the library says") {
  GenerationRequest request;
  request.image_size = "1080x1920";
  request.prompt_tokens = 120;
  const auto expected = plan_generation(model_for<profiles::instruct>, request);
  REQUIRE(expected);
  const Run run = run_tool("plan 1080x1920 --prompt-tokens 120 --format json");
  CHECK(run.status == 0);
  CHECK(run.err.empty());
  const json plan = parse_json(run.out);
  CHECK(plan["feasible"] == true);
  CHECK(plan["image"]["height"] == 720);
  CHECK(plan["image"]["width"] == 1280);
  CHECK(plan["image"]["ratio_token_id"] == 130106);
  CHECK(plan["image"]["size_token_id"] == 128037);
  CHECK(plan["tokens"]["sequence_length"] == expected->sequence_length);
  CHECK(plan["tokens"]["later_step_tokens"] == 3601);
  CHECK(plan["rows"]["cfg_rows"] == 2);
  CHECK(plan["latent_shape"] == json::array({1, 32, 45, 80}));
  CHECK(plan["bytes"]["kv_cache"] == expected->kv_bytes);
  CHECK(plan["bytes"]["weights"] == expected->weight_bytes);
  CHECK(plan["bytes"]["vae"] == expected->vae_bytes);
  CHECK(plan["tokens"]["reusable_conditional_prefix"] == expected->reusable_conditional_prefix);
  CHECK(plan["tokens"]["reusable_unconditional_prefix"] == expected->reusable_unconditional_prefix);
  CHECK(plan["positions"]["image_offset"] == expected->image_position_offset);
  CHECK(plan["positions"]["trained_image_offset"] == expected->trained_image_position_offset);
  CHECK(plan["flop"]["first_step"] == expected->first_step_flop);
  CHECK(plan["text_stage"]["prompt_task"] == "think");
  CHECK(codes(plan) == std::vector<std::string>{"area_changed"});
}

TEST_CASE("a plan warns, and refuses what cannot run") {
  const json raised = parse_json(run_tool("plan 4:3 --base-size 2048 --chain-of-thought-tokens 0 --format json").out);
  CHECK(codes(raised) == std::vector<std::string>{"base_size_above_trained", "absolute_extra_off_scale"});
  CHECK(raised["diagnostics"][1]["value"] == 786432);
  CHECK(raised["diagnostics"][1]["limit"] == 4194304);
  CHECK(raised["diagnostics"][1]["severity"] == "warning");

  const Run too_long = run_tool("plan 3:2 --base-size 3072");
  CHECK(too_long.status == 1);
  CHECK(contains(too_long.err, "the sequence (tokens) is longer than the rotary position table"));
  CHECK(split(too_long.err, '\n')[0].find("limit 22800 (published)") != std::string::npos);
  CHECK(lines_of(too_long.err).size() == 2);  // the limit, once, and what to do
  CHECK(contains(too_long.out, "refused   position_table_exceeded"));
  CHECK_FALSE(contains(too_long.out, "rotary position table"));
  const Run unknown = run_tool("plan 960x1952 --profile panorama");
  CHECK(unknown.status == 1);
  CHECK(contains(unknown.err, "ratio token of this row has no known id"));
  CHECK(run_tool("plan 960x1952 --profile panorama --ratio-token 37=130200").status == 0);
}

TEST_CASE("a plan knows auto, tasks, guidance and conditioning images") {
  const json predicted = parse_json(run_tool("plan auto --format json").out);
  CHECK(predicted["image"]["ratio_is_predicted"] == true);
  CHECK(predicted["image"]["ratio_token_id"] == nullptr);
  CHECK(predicted["text_stage"]["ratio_rule"] == "masked");
  CHECK(predicted["text_stage"]["stop_tokens"].size() == 37);
  CHECK(predicted["text_stage"]["transitions"][1]["force"] == json::array({128025, 128000, 128037}));
  const json one_row = parse_json(run_tool("plan 1:1 --guidance 1 --task image --format json").out);
  CHECK(one_row["rows"]["cfg_rows"] == 1);
  CHECK(one_row["text_stage"]["needed"] == false);
  const json edit = parse_json(run_tool("plan 1:1 --task image --conditioning 3000x4000 --conditioning 3000x4000 "
                                        "--conditioning 3000x4000 --format json")
                                   .out);
  CHECK(edit["tokens"]["conditioning"] == 3 * (3072 + 1024 + 1 + 5));
  REQUIRE(edit["conditioning_images"].size() == 3);
  const json& image = edit["conditioning_images"][0];
  CHECK(image["height"] == 768);
  CHECK(image["width"] == 1024);
  CHECK(image["ratio_index"] == 35);
  CHECK(image["vit_token_length"] == 1024);
  const ImageInfo expected = *build_cond_image_info(model_for<profiles::instruct>, {3000, 4000});
  CHECK(image["vit_token_height"] == expected.vit_token_height);
  CHECK(image["vit_token_width"] == expected.vit_token_width);
}

TEST_CASE("a plan refuses arguments one by one") {
  const Run size = run_tool("plan 12x");
  CHECK(size.status == 1);
  CHECK(contains(size.err, "'12x': byte 4: "));
  CHECK(run_tool("plan 1:1 --conditioning 12").status == 1);
  CHECK(contains(run_tool("plan 1:1 --conditioning 4:3").err, "expected the pixels of an image, HEIGHTxWIDTH"));
  CHECK(contains(run_tool("plan 1:1 --task think_recaption --profile base").err,
                 "--task think_recaption with profile base: the profile's text stage does not have this task"));
  CHECK(run_tool("plan 1:1 --precision fp4").status == 2);
  CHECK(run_tool("plan 1:1 --task draw").status == 2);
  CHECK(run_tool("plan").status == 2);
}

TEST_CASE("a plan knows every precision and the eager mask") {
  std::int64_t last = -1;
  for (const char* precision : {"nf4", "fp8", "int8", "bf16", "fp32"}) {
    const json plan = parse_json(run_tool(std::string("plan 1:1 --format json --precision ") + precision).out);
    CHECK(plan["precision"] == precision);
    const auto bytes = plan["bytes"]["weights"].get<std::int64_t>();
    CHECK(bytes != last);
    last = bytes;
  }
  const std::string large = "plan 1:1 --base-size 2048 --task image --format json";
  CHECK_FALSE(contains(run_tool(large).out, "eager_moe_mask"));
  const std::vector<std::string> found = codes(parse_json(run_tool(large + " --eager-moe-mask").out));
  CHECK(std::count(found.begin(), found.end(), "eager_moe_mask") == 1);
}

TEST_CASE("a plan of every profile is the library's") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    for (const char* size : {"auto", "1:1", "1080x1920", "<img_ratio_3>"}) {
      GenerationRequest request;
      request.image_size = size;
      request.prompt_tokens = 100;
      const Result<GenerationPlan> expected = plan_generation(*model, request);
      const Run run = run_tool(std::string("plan '") + size + "' --format json --profile " + profile->name);
      REQUIRE(expected);
      CHECK(run.status == (expected->feasible() ? 0 : 1));
      const json plan = parse_json(run.out);
      CHECK(plan["tokens"]["sequence_length"] == expected->sequence_length);
      CHECK(plan["text_stage"]["stop_tokens"].size() == expected->text_stage.stop_token_count);
      CHECK(plan["diagnostics"].size() == expected->diagnostics.size());
      CHECK(plan["rows"]["cfg_rows"] == expected->cfg_rows);
    }
  }
}
