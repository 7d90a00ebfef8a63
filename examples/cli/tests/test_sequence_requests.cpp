// SPDX-License-Identifier: MIT
// What the command sequence takes, and what it refuses, by the key at fault.
#include <doctest/doctest.h>

#include <hunyuan_reso/image_info.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

/// The rows of a request that must be taken.
json rows_of(const std::string& request, const std::string& arguments = "") {
  const Run run = run_tool("sequence - --format json " + arguments, request);
  CHECK_MESSAGE(run.status == 0, run.err);
  return run.status == 0 ? parse_json(run.out)["rows"] : json::array();
}

void refused(const std::string& request, const std::string& reason, const std::string& arguments = "") {
  CAPTURE(request);
  const Run run = run_tool("sequence - " + arguments, request);
  CHECK(run.status == 1);
  CHECK(run.out.empty());
  CHECK_MESSAGE(contains(run.err, reason), run.err);
}

/// A generated image of bucket 36 with one key changed.
std::string gen_with(const std::string& key, const json& value) {
  json image = {{"token_height", 45}, {"token_width", 80}, {"base_size", 1024}, {"ratio_index", 36}};
  image[key] = value;
  return json{{"prompt", "a"}, {"gen", image}}.dump();
}

/// A conditioning image with one key of its ViT grid changed.
std::string vit_with(const std::string& key, const json& value) {
  json vit = {{"token_height", 28}, {"token_width", 36}, {"image_token_length", 1024}};
  vit[key] = value;
  const json vae = {{"token_height", 64}, {"token_width", 64}, {"base_size", 1024}, {"ratio_index", 16}};
  return json{{"prompt", "a"}, {"cond", json::array({{{"kind", "cond_joint_image"}, {"vae", vae}, {"vit", vit}}})}}
      .dump();
}

}  // namespace

TEST_CASE("a sequence takes sizes of conditioning images and works out bucket and ViT grid") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    for (const Resolution original : {Resolution{3024, 4032}, {1080, 1920}, {333, 1000}, {4000, 500}}) {
      const Result<ImageInfo> expected = build_cond_image_info(*model, original);
      REQUIRE(expected);
      const std::string text = std::to_string(original.height) + "x" + std::to_string(original.width);
      const json request = {{"prompt", "a"},
                            {"cond", {text, {{"height", original.height}, {"width", original.width}}}}};
      const json rows = rows_of(request.dump(), std::string("--profile ") + profile->name);
      REQUIRE(rows.size() == 1);
      const json& runs = rows[0]["image_runs"];
      REQUIRE(runs.size() == 4);
      for (std::size_t i = 0; i < 4; i += 2) {
        CHECK(runs[i]["token_height"] == expected->token_height);
        CHECK(runs[i]["token_width"] == expected->token_width);
        CHECK(runs[i + 1]["token_height"] == expected->vit_token_height);
        CHECK(runs[i + 1]["token_width"] == expected->vit_token_width);
        const json& slice = runs[i + 1]["slice"];
        CHECK(slice[1].get<int>() - slice[0].get<int>() == 1024);
      }
    }
  }
  const json turned = rows_of(R"({"prompt": "a", "cond": [{"height": 3024, "width": 4032, "orientation": 6}]})");
  const json upright = rows_of(R"({"prompt": "a", "cond": ["4032x3024"]})");
  CHECK((turned == upright));
}

TEST_CASE("a sequence takes what people have for batches") {
  const json both = rows_of(R"({"prompt": ["a", "bc"], "gen": "16:9"})");
  CHECK(both.size() == 2);
  CHECK(both == rows_of(R"({"prompt": ["a", "bc"], "gen": ["16:9", "16:9"]})"));
  CHECK(rows_of(R"({"prompt": "a", "cond": []})") == rows_of(R"({"prompt": "a"})"));
  CHECK(rows_of(R"({"prompt": "a", "cond": null, "gen": null})") == rows_of(R"({"prompt": "a"})"));
  CHECK(rows_of(R"({"prompt": ["a", "b"], "cond": []})").size() == 2);
  CHECK(rows_of(R"({"prompt": ["a", "b"], "cond": ["9x16"]})") ==
        rows_of(R"({"prompt": ["a", "b"], "cond": [["9x16"], ["9x16"]]})"));
  CHECK(rows_of(R"({"prompt": ["a", "b"], "cond": [null, ["9x16"]]})")[0]["image_runs"].empty());
  CHECK(rows_of(R"({"prompt": ["a", "b"], "system": "s"})") ==
        rows_of(R"({"prompt": ["a", "b"], "system": ["s", "s"]})"));
  CHECK(rows_of(R"({"prompt": "a", "gen": {"height": 1080, "width": 1920}})") ==
        rows_of(R"({"prompt": "a", "gen": "1080x1920"})"));
  CHECK(rows_of(R"({"images": {"p": {"height": 9, "width": 16}}, "prompt": "a", "cond": ["p"]})") ==
        rows_of(R"({"prompt": "a", "cond": ["9x16"]})"));
}

TEST_CASE("base size, profile and grid mode are those of every command") {
  const std::string request = R"({"prompt": "a", "gen": "1:1"})";
  const json at_512 = rows_of(request, "--base-size 512");
  CHECK(at_512[0]["image_runs"][0]["token_height"] == 32);
  CHECK(at_512[0]["tokens"][11][0] == rows_of(request)[0]["tokens"][11][0]);
  CHECK(rows_of(R"({"prompt": "a", "gen": "1:1", "image_base_size": 512})") == at_512);
  CHECK(rows_of(R"({"prompt": "a", "gen": "1:1", "image_base_size": 512})", "--base-size 512") == at_512);
  refused(R"({"prompt": "a", "gen": "1:1", "image_base_size": 512})", "image_base_size: 512, but --base-size is 768",
          "--base-size 768");
  refused(R"({"prompt": "a", "gen": "1:1", "image_base_size": 2048, "max_length": 4000})", "tokens, limit 4000");
  CHECK(rows_of(R"({"prompt": "a", "gen": "1:1", "image_base_size": 2048})")[0]["image_runs"][0]["token_height"] ==
        128);
  CHECK(rows_of(R"({"prompt": "a", "gen": "896x1072"})",
                "--grid-mode follow_request")[0]["image_runs"][0]["token_height"] == 56);
  const json distil = rows_of(request, "--profile instruct-distil");
  CHECK(distil[0]["guidance_positions"].size() == 1);
  CHECK(distil[0]["timestep_r_positions"].size() == 1);
  for (const char* arguments : {"--base-size 100", "--base-size 0x200", "--profile other", "--order up"}) {
    CHECK(run_tool(std::string("sequence - ") + arguments, request).status != 0);
  }
}

TEST_CASE("every output says profile, order and limits") {
  for (const ModelProfile* profile : profiles::all) {
    const std::string arguments = std::string("--profile ") + profile->name;
    const std::string request = R"({"prompt": "a", "gen": "1:1"})";
    const json document = parse_json(run_tool("sequence - --format json " + arguments, request).out);
    CHECK(document["profile"] == profile->name);
    CHECK(document["order"] == "hw");
    CHECK(document["limits"]["max_length"] == profile->max_length);
    CHECK(document["limits"]["position_table"] == profile->position_table);
    const std::string text = run_tool("sequence - " + arguments, request).out;
    CHECK(contains(text, std::string(profile->name) + ", base size 1024"));
    CHECK(contains(text, "limits " + std::to_string(profile->max_length) + " tokens"));
    CHECK(contains(text, "height x width"));
  }
}

TEST_CASE("a sequence names the key that it refuses") {
  refused("", "no JSON: byte 1");
  refused("{\"prompt\": \"a\"", "no JSON: byte 15");
  refused("[]", "request: expected an object, but got a list");
  refused("7", "request: expected an object, but got 7");
  refused(R"({"prompt": "a", "gn": "1:1"})", "unknown key 'gn'; the keys are prompt, system");
  refused(R"({"gen": "1:1"})", "expected 'prompt' or 'messages'");
  refused(R"({"prompt": null})", "expected 'prompt' or 'messages'");
  refused(R"({"prompt": 7})", "request.prompt: expected a text, but got 7");
  refused(R"({"prompt": []})", "request.prompt: expected at least one prompt");
  refused(R"({"prompt": ["a", null]})", "request.prompt[1]: expected a text");
  refused(R"({"prompt": ["a", "b"], "gen": ["1:1"]})", "request.gen: expected 2 entries");
  refused(R"({"prompt": ["a", "b"], "system": ["s", "t", "u"]})", "request.system: expected 2 entries");
  refused(R"({"prompt": ["a", "b"], "cond": [["9x16"]]})", "request.cond: expected 2 entries");
  refused(R"({"prompt": "a", "system": {}})", "request.system: expected a text, but got an object");
  refused(R"({"prompt": "a", "gen": "16:x"})", "request.gen: '16:x': byte 4: ");
  refused(R"({"prompt": "a", "gen": 5})", "request.gen: expected a size, an image object or a name, but got 5");
  refused(R"({"prompt": "a", "gen": true})", "request.gen: expected a size");
  refused(R"({"prompt": "a", "gen": "auto"})", "request.gen: the image size is auto");
  refused(R"({"prompt": "a", "cond": [["x"]]})", "request.cond[0][0]: no image 'x'");
  refused(R"({"prompt": "a", "cond": ["4:3"]})", "request.cond[0]: expected the original pixels");
  refused(R"({"prompt": "a", "cond": "9x16"})", "request.cond: expected a list of images");
  refused(R"({"prompt": "a", "cond": [[], 5]})", "request.cond: expected 1 entries");
  refused(R"({"prompt": "a", "cond": [{"height": 0, "width": 5}]})", "request.cond[0].height: expected a whole number");
  refused(R"({"prompt": "a", "cond": [{"height": 5}]})", "request.cond[0]: expected both height and width");
  refused(R"({"prompt": "a", "cond": [{"height": 5, "width": 5, "orientation": 9}]})", "orientation: expected a whole");
  refused(R"({"prompt": "a", "cond": [{"height": 5, "width": 5, "vae": {}}]})", "unknown key 'vae'");
  refused(R"({"prompt": "a", "max_length": -3})", "request.max_length: expected a whole number from 1 to 22800");
  refused(R"({"prompt": "a", "max_length": 22801})", "request.max_length: expected a whole number from 1 to 22800");
  refused(R"({"prompt": "a", "max_length": 5.5})", "request.max_length: expected a whole number");
  refused(R"({"prompt": "a", "max_length": "100"})", "request.max_length: expected a whole number");
  refused(R"({"prompt": "a", "max_length": 1e400})", "no JSON that can be read");
  refused(R"({"prompt": "a", "gen": "1:1", "max_length": 100})", "tokens, limit 100 (request.max_length)");
  refused(R"({"prompt": "a", "cfg_factor": 0})", "request.cfg_factor: expected a whole number from 1 to 16");
  refused(R"({"prompt": "a", "drop_think": 1})", "request.drop_think: expected true or false, but got 1");
  refused(R"({"prompt": "a", "mode": "image"})", "request.mode: expected gen_image or gen_text, but got 'image'");
  refused(R"({"prompt": "a", "bot_task": "draw"})", "request.bot_task: expected auto, image");
  refused(R"({"prompt": "a", "template": "chatml"})", "request.template: expected instruct or pretrain");
  refused(R"({"prompt": "a", "prompt": "b"})", "the key 'prompt' is twice");
  refused(R"({"prompt": "a", "image_base_size": 1000})", "request.image_base_size 1000: the base size must be a");
  refused(R"({"prompt": "a", "image_base_size": 0})", "request.image_base_size: expected a whole number from 1");
  refused(R"({"prompt": "a", "mode": "gen_text", "bot_task": "img_ratio", "image_base_size": 960})", "no size token");
}

TEST_CASE("a sequence checks messages") {
  refused(R"({"messages": []})", "request.messages: expected a list of messages");
  refused(R"({"messages": 5})", "request.messages: expected a list of messages, but got 5");
  refused(R"({"messages": [[]]})", "request.messages[0]: expected at least one message");
  refused(R"({"messages": [[{"role": "user", "content": "a"}], []]})", "request.messages[1]: expected at least one");
  refused(R"({"messages": [[{"role": "user", "content": "a"}], {}]})", "request.messages[1]: expected a list");
  refused(R"({"messages": [{}]})", "request.messages[0]: expected 'role'");
  refused(R"({"messages": ["a"]})", "request.messages[0]: expected an object");
  refused(R"({"messages": [{"role": "bob", "content": "x"}]})", "request.messages[0].role: expected system, user");
  refused(R"({"messages": [{"role": "user"}]})", "request.messages[0]: expected 'content'");
  refused(R"({"messages": [{"role": "user", "content": 5}]})", "request.messages[0].content: expected a text");
  refused(R"({"messages": [{"role": "user", "text": "x"}]})", "request.messages[0]: unknown key 'text'");
  refused(R"({"messages": [{"role": "user", "type": "movie", "content": "x"}]})",
          "request.messages[0].type: expected text");
  refused(R"({"messages": [{"role": "user", "content": "x"}], "prompt": "a"})", "goes with 'prompt'");
  refused(R"({"messages": [{"role": "system", "type": "gen_image", "content": "1:1"}]})",
          "request.messages[0]: a system message holds text only");
  refused(R"({"messages": [{"role": "user", "type": "gen_image", "content": {"kind": "cond_vae_image"}}]})",
          "kind: expected gen_image here, but got cond_vae_image");
}

TEST_CASE("a sequence checks images, those that nothing uses included") {
  refused(R"({"prompt": "a", "images": 5})", "request.images: expected an object from names to images, but got 5");
  refused(R"({"prompt": "a", "images": []})", "request.images: expected an object from names");
  refused(R"({"prompt": "a", "images": {"x": 5}})", "request.images.x: expected an object");
  refused(R"({"prompt": "a", "images": {"x": {"kind": "gen_image", "token_hight": 4}}})",
          "request.images.x: unknown key 'token_hight'; the keys are token_height");
  refused(gen_with("token_hight", 45), "request.gen: unknown key 'token_hight'");
  refused(gen_with("image_token_length", 99), "request.gen.image_token_length: 99 tokens for a grid of 45 x 80 = 3600");
  refused(gen_with("image_token_length", 3601), "3601 tokens for a grid");
  refused(gen_with("token_height", -45), "request.gen.token_height: expected a whole number from 0");
  refused(gen_with("token_height", 45.5), "request.gen.token_height: expected a whole number");
  refused(gen_with("token_height", "45"), "request.gen.token_height: expected a whole number");
  refused(gen_with("token_height", 0), "request.gen.token_height: expected a number of at least 1");
  refused(gen_with("base_size", 1000), "request.gen.base_size: no size token");
  refused(gen_with("base_size", nullptr), "request.gen: expected base_size");
  refused(gen_with("ratio_index", 37), "request.gen.ratio_index: the profile has no row");
  refused(gen_with("ratio_index", nullptr), "request.gen: expected ratio_index");
  refused(gen_with("add_guidance_token", 1), "request.gen.add_guidance_token: expected true or false");
  refused(gen_with("kind", "cond_vae_image"), "request.gen.kind: expected gen_image here");
  refused(gen_with("kind", "picture"), "request.gen.kind: expected gen_image, cond_vae_image");
  refused(gen_with("vae", json::object()), "request.gen: unknown key 'vae'");
  refused(vit_with("token_height", 380), "request.cond[0].vit.image_token_length: 1024 slots for a grid of 380 x 36");
  refused(vit_with("image_token_length", 1007), "request.cond[0].vit.image_token_length: 1007 slots");
  refused(vit_with("image_token_length", 1025), "request.cond[0].vit.image_token_length: 1025 slots");
  refused(vit_with("slots", 5), "request.cond[0].vit: unknown key 'slots'");
  refused(R"({"prompt": "a", "cond": [{"kind": "cond_vit_image", "vit": {"token_height": 380, "token_width": 26}}]})",
          "request.cond[0].kind: expected cond_joint_image here");
  refused(R"({"messages": [{"role": "user", "type": "cond_vit_image",
              "content": {"vit": {"token_height": 380, "token_width": 26}}}]})",
          "380 x 26 = 9880 tokens, but instruct has 1024 slots");
  refused(R"({"prompt": "a", "cond": [{"vae": {"token_height": 4, "token_width": 4}}]})", "expected base_size");
  refused(R"({"prompt": "a", "cond": [{}]})", "request.cond[0]: expected 'vae'");
  const Run odd = run_tool("sequence -", gen_with("token_height", 46));
  CHECK(odd.status == 0);
  CHECK(contains(odd.err, "note: the grid 46 x 80 (height x width) is not that of bucket 36"));
}

TEST_CASE("a sequence over the limits is refused with both numbers") {
  refused(R"({"prompt": "a", "gen": "1:1", "image_base_size": 4096})", "tokens, limit 22800 (max_length of instruct)");
  refused(R"({"prompt": "a", "gen": "1:1", "image_base_size": 2048})", "limit 12800 (max_length of base)",
          "--profile base");
  refused(json{{"prompt", std::string(30000, 'a')}}.dump(), "tokens, limit 22800");
}

TEST_CASE("deep nesting is refused, not a crash") {
  for (const std::size_t depth : {65U, 100U, 5000U, 110000U, 1000000U}) {
    const std::string open(depth, '[');
    refused(open, "the nesting is too deep: expected at most 64 levels");
    refused("{\"prompt\": " + open + std::string(depth, ']') + "}", "the nesting is too deep");
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
    refused(objects, "the nesting is too deep");
    CHECK(contains(run_tool("token --verify -", open).err, "the nesting is too deep"));
  }
}
