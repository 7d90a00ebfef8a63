// SPDX-License-Identifier: MIT
// The commands plan and sequence, compared with the library.
#include <doctest/doctest.h>

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
  const auto expected = plan_generation(request, profiles::instruct);
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
  CHECK(plan["flop"]["first_step"] == expected->first_step_flop);
  CHECK(plan["text_stage"]["prompt_task"] == "think_recaption");
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
  CHECK(contains(too_long.out, "error: the sequence (tokens) is longer than the rotary position table"));
  CHECK(contains(too_long.err, "limit 22800"));
  CHECK(lines_of(too_long.err).size() == 1);
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
}

TEST_CASE("a plan refuses arguments one by one") {
  const Run size = run_tool("plan 12x");
  CHECK(size.status == 1);
  CHECK(contains(size.err, "'12x': byte 4: expected a number"));
  CHECK(run_tool("plan 1:1 --conditioning 12").status == 1);
  CHECK(contains(run_tool("plan 1:1 --conditioning 4:3").err, "expected HEIGHTxWIDTH in pixels"));
  CHECK(run_tool("plan 1:1 --batch 0").status == 1);
  CHECK(run_tool("plan 1:1 --prompt-tokens -1").status == 1);
  CHECK(run_tool("plan 1:1 --precision fp8").status == 2);
  CHECK(run_tool("plan").status == 2);
}

TEST_CASE("a sequence is shown as runs and slices") {
  const Run run = run_tool("sequence - --format json", R"({"prompt": "a cat", "gen": "16:9", "cfg_factor": 2})");
  CHECK(run.status == 0);
  const json batch = parse_json(run.out);
  CHECK(batch["length"] == 3634);
  REQUIRE(batch["rows"].size() == 2);
  const json& row = batch["rows"][0];
  CHECK(row["tokens"][0] == json::array({127958, 1}));
  CHECK(row["image_runs"][0]["slice"] == json::array({30, 3630}));
  CHECK(row["image_runs"][0]["token_height"] == 45);
  CHECK(row["gen_timestep_positions"] == json::array({29}));
  CHECK(row["refeed_slices"] == json::array({json::array({29, 3630})}));
  CHECK(batch["rows"][1]["tokens"][7] == json::array({128010, 5}));  // "a cat" as <cfg>
  const Run text = run_tool("sequence -", R"({"prompt": "a cat", "gen": "16:9"})");
  CHECK(contains(text.out, "    30: <img> x 3600\n"));
}

TEST_CASE("a sequence takes messages and conditioning images") {
  const std::string request = R"({"template": "pretrain", "images": {"photo": {"kind": "cond_joint_image",
    "vae": {"token_height": 3, "token_width": 4, "image_token_length": 12, "base_size": 1024, "ratio_index": 16},
    "vit": {"token_height": 2, "token_width": 3, "image_token_length": 8}}},
    "messages": [{"role": "user", "type": "cond_joint_image", "content": "photo"},
                 {"role": "user", "type": "text", "content": "edit"}], "mode": "gen_text", "bot_task": "think"})";
  const json batch = parse_json(run_tool("sequence - --format json", request).out);
  const json& row = batch["rows"][0];
  CHECK(row["length"] == 1 + 26 + 4 + 1);
  CHECK(row["joint_slices"] == json::array({json::array({5, 26})}));
  CHECK(row["image_runs"][1]["kind"] == "vit");
  CHECK(row["refeed_slices"] == nullptr);
}

TEST_CASE("a sequence names the key that it refuses") {
  const auto refused = [](const std::string& request, const std::string& reason) {
    const Run run = run_tool("sequence -", request);
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK_MESSAGE(contains(run.err, reason), run.err);
  };
  refused("", "no JSON: byte 1");
  refused("[]", "expected an object");
  refused(R"({"prompt": "a", "gn": "1:1"})", "unknown key 'gn'");
  refused(R"({"gen": "1:1"})", "expected 'prompt' or 'messages'");
  refused(R"({"prompt": 7})", "prompt: expected a text");
  refused(R"({"prompt": ["a", "b"], "gen": ["1:1"]})", "gen: expected 2 entries");
  refused(R"({"prompt": "a", "gen": "16:x"})", "byte 4: expected a number");
  refused(R"({"prompt": "a", "cond": [["x"]]})", "no image 'x'");
  refused(R"({"prompt": "a", "max_length": -3})", "max_length: expected a whole number");
  refused(R"({"prompt": "a", "gen": "1:1", "max_length": 100})", "tokens, limit 100");
  refused(R"({"prompt": "a", "cfg_factor": 0})", "cfg_factor: expected a number from 1 to 16");
  refused(R"({"messages": [{"role": "bob", "content": "x"}]})", "messages[0].role: expected the role system");
  refused(R"({"messages": [{"role": "user", "type": "movie", "content": "x"}]})", "messages[0].type: expected text");
  refused(R"({"prompt": "a", "mode": "gen_text", "bot_task": "img_ratio", "image_base_size": 960})", "no size token");
}
