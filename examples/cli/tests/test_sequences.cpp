// SPDX-License-Identifier: MIT
// What the command sequence prints, and finished sequences that are read back from their ids.
#include <doctest/doctest.h>

#include <fstream>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

/// The ids of a row of the tool's JSON.
std::vector<int> ids_of(const json& row) {
  std::vector<int> ids;
  for (const json& run : row["tokens"]) ids.insert(ids.end(), run[1].get<std::size_t>(), run[0].get<int>());
  return ids;
}

std::string lines(const std::vector<int>& ids) {
  std::string text;
  for (const int id : ids) text += std::to_string(id) + "\n";
  return text;
}

const char* const edit_request = R"({"prompt": "a cat", "cond": ["3024x4032"], "gen": "16:9"})";

}  // namespace

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

TEST_CASE("an unconditional row shares its beginning with the conditional one") {
  const json rows =
      parse_json(run_tool("sequence - --format json", R"({"prompt": "a", "gen": "1:1", "cfg_factor": 3})").out)["rows"];
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["unconditional"] == false);
  CHECK(rows[1]["unconditional"] == true);
  CHECK(rows[1]["prefix_shared_with_conditional"] == 7);  // <|startoftext|> and "User: "
  CHECK(rows[0]["prefix_shared_with_conditional"] == rows[0]["length"]);
}

TEST_CASE("the prompt as text") {
  const Run run = run_tool("sequence - --text", R"({"prompt": "a cat", "gen": "16:9"})");
  CHECK(run.status == 0);
  CHECK(run.out ==
        "User: a cat\n\nAssistant: <answer><boi><img_size_1024><img_ratio_36><timestep><img><eoi></answer>\n\n\n");
  const Run all = run_tool("sequence - --text-all", R"({"prompt": "a cat", "gen": "16:9"})");
  CHECK(split(all.out, '>').size() == split(run.out, '>').size() + 3599);
  const json both = parse_json(run_tool("sequence - --text --format json", R"({"prompt": ["a", "b"]})").out);
  CHECK(both["rows"].size() == 2);
  CHECK(both["rows"][0]["joining_changes_ids"] == false);
  CHECK(both["profile"] == "instruct");
  CHECK(run_tool("sequence --ids - --text", "1\n").status == 2);
}

TEST_CASE("what the tool writes is read back the same") {
  for (const char* profile : {"base", "instruct", "instruct-distil"}) {
    for (const char* request :
         {edit_request, R"({"prompt": "a", "gen": "1:1"})", R"({"prompt": "a"})",
          R"({"messages": [{"role": "user", "type": "cond_vit_image", "content": "9x16"},
                           {"role": "user", "content": "b"}], "mode": "gen_text", "bot_task": "img_ratio"})",
          R"({"prompt": "a", "cot": "<think>b</think><recaption>c</recaption>", "gen": "<img_ratio_3>"})"}) {
      CAPTURE(profile);
      CAPTURE(request);
      const std::string arguments = std::string(" --format json --profile ") + profile;
      const json written = parse_json(run_tool("sequence -" + arguments, request).out)["rows"][0];
      const Run run = run_tool("sequence --ids -" + arguments, lines(ids_of(written)));
      CHECK_MESSAGE(run.status == 0, run.err);
      const json document = parse_json(run.out);
      CHECK(document["profile"] == profile);
      const json read = document["rows"][0];
      for (const auto& item : read.items()) {
        if (item.key() == "image_runs") continue;
        CAPTURE(item.key());
        CHECK(item.value() == written[item.key()]);
      }
      REQUIRE(read["image_runs"].size() == written["image_runs"].size());
      for (std::size_t i = 0; i < read["image_runs"].size(); ++i) {
        CHECK(read["image_runs"][i]["slice"] == written["image_runs"][i]["slice"]);
        CHECK(read["image_runs"][i]["kind"] == written["image_runs"][i]["kind"]);
      }
    }
  }
}

TEST_CASE("ids may stand in any list") {
  const json row = parse_json(run_tool("sequence - --format json", edit_request).out)["rows"][0];
  const std::vector<int> ids = ids_of(row);
  const Run plain = run_tool("sequence --ids -", lines(ids));
  CHECK(plain.status == 0);
  CHECK(contains(plain.out, "read back"));
  CHECK(contains(plain.out, "#"));
  CHECK(run_tool("sequence --ids -", json(ids).dump()).out == plain.out);
  CHECK(run_tool("sequence --ids -", json(ids).dump(2)).out == plain.out);
  CHECK(run_tool("sequence --ids -", "# a comment\n\n" + lines(ids) + "\n").out == plain.out);
  write_text(scratch() / "ids.txt", lines(ids));
  CHECK(run_tool("sequence --ids ids.txt").out == plain.out);
}

TEST_CASE("a malformed sequence is told at its id") {
  const json row = parse_json(run_tool("sequence - --format json", edit_request).out)["rows"][0];
  const std::vector<int> good = ids_of(row);
  const auto refused = [](const std::vector<int>& ids, std::size_t at) {
    CAPTURE(at);
    const Run run = run_tool("sequence --ids -", lines(ids));
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK_MESSAGE(contains(run.err, "standard input: index " + std::to_string(at)), run.err);
    CHECK(contains(run.err, "\n  > " + std::to_string(at) + ": "));
  };
  for (const std::size_t at : {11U, 12U, 500U, 3082U, 3083U, 3084U, 4107U}) {  // inside the first block
    std::vector<int> ids = good;
    ids[at] = 5;
    refused(ids, at);
  }
  const auto boi = row["boi_positions"][0].get<std::size_t>();
  std::vector<int> ids = good;
  ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(boi + 1));  // the size token
  CHECK(run_tool("sequence --ids -", lines(ids)).status == 1);
  ids = good;
  ids.resize(boi + 100);  // ends inside an image
  refused(ids, ids.size());
  for (const char* input : {"", "\n\n", "# nothing\n", "abc\n", "1\n0x10\n", "1\n-5\n", "1 133120\n", "1.5", "1e3",
                            "99999999999999999999", "\xD9\xA3"}) {
    CAPTURE(input);
    for (const char* command : {"sequence --ids -", "token -"}) {
      const Run run = run_tool(command, input);
      CHECK(run.status == 1);
      CHECK(run.out.empty());
      CHECK(contains(run.err, "standard input: "));
    }
  }
  CHECK(contains(run_tool("token -", "128000\n\n0x10\n").err, "line 3: expected a token id in decimal digits"));
  CHECK(run_tool("sequence").status == 2);
  CHECK(run_tool("sequence - --ids -", "1").status == 2);
  CHECK(contains(run_tool("sequence --ids /nonexistent").err, "cannot read '/nonexistent'"));
}

TEST_CASE("a sequence that is read back is checked against the limit") {
  const Run run = run_tool("sequence --ids -", lines(std::vector<int>(22801, 1000)));
  CHECK(run.status == 1);
  CHECK(contains(run.err, "22801 tokens, limit 22800 (max_length of instruct)"));
  CHECK(run_tool("sequence --ids -", lines(std::vector<int>(22800, 1000))).status == 0);
  CHECK(run_tool("sequence --ids - --profile base", lines(std::vector<int>(12801, 1000))).status == 1);
}

TEST_CASE("ids on standard input are decoded one by one") {
  const json row = parse_json(run_tool("sequence - --format json", edit_request).out)["rows"][0];
  const std::vector<int> ids = ids_of(row);
  const std::vector<std::string> csv = lines_of(run_tool("token - --format csv", lines(ids)).out);
  REQUIRE(csv.size() == ids.size() + 1);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(split(csv[i + 1], ',')[0] == std::to_string(ids[i]));
  const json tokens = parse_json(run_tool("token - --format json", "128000\n1000\n130106\n").out)["tokens"];
  CHECK(tokens[0]["text"] == "<boi>");
  CHECK(tokens[1]["kind"] == "text");
  CHECK(tokens[1]["text"] == nullptr);
  CHECK(tokens[2]["ratio_index"] == 36);
  CHECK(run_tool("token - 5", "1").status == 2);
  CHECK(run_tool("token - --ratio", "1").status == 2);
}
