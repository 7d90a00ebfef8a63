// SPDX-License-Identifier: MIT
// plan --target, compared with the library.
#include <doctest/doctest.h>

#include <hunyuan_reso/enlarge.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

json planned(const std::string& arguments) {
  const Run run = run_tool("plan " + arguments + " --format json");
  CHECK_MESSAGE(run.status == 0, run.err);
  return parse_json(run.out);
}

GenerationRequest drawing() {
  GenerationRequest request;
  request.prompt_tokens = 100;
  return request;
}

void check_plan(const json& json, const EnlargementPlan& plan) {
  CHECK(json["feasible"] == plan.feasible());
  CHECK(json["target"]["canvas_height"] == plan.canvas.height);
  CHECK(json["target"]["factor"] == plan.scale);
  CHECK(json["model_calls"] == plan.model_calls);
  CHECK(json["flop"] == plan.total_flop);
  CHECK(json["decoded_pixels"] == plan.decoded_pixels);
  CHECK(json["encoded_pixels"] == plan.encoded_pixels);
  CHECK(json["bytes"]["kv_cache"] == plan.kv_bytes);
  CHECK(json["bytes"]["total"] == plan.memory_bytes);
  CHECK(json["generation"]["tokens"]["sequence_length"] == plan.generation.sequence_length);
  CHECK(json["tile"].is_null() == !plan.is_refined);
  CHECK(json["trained"] == !plan.is_refined);
  if (plan.is_refined) {
    CHECK(json["layout"]["tiles"].size() == static_cast<std::size_t>(plan.tiles.size()));
    CHECK(json["refinement"]["first_step"] == plan.first_step);
    CHECK(json["refinement"]["first_sigma"] == plan.first_sigma);
    CHECK(json["refinement"]["steps_per_tile"] == plan.refinement_steps);
    CHECK(json["refinement"]["ratio_index"] == plan.tile_image.ratio_index);
    CHECK(json["tile"]["tokens"]["sequence_length"] == plan.tile.sequence_length);
  }
  if (plan.direct_base_size) {
    CHECK(json["direct"]["base_size"] == *plan.direct_base_size);
    CHECK(json["direct"]["feasible"] == plan.direct.feasible());
    CHECK(json["direct"]["plan"]["flop"]["total"] == plan.direct.total_flop);
  } else {
    CHECK(json["direct"]["plan"].is_null());
  }
}

}  // namespace

TEST_CASE("a plan in tiles is the library's") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    for (const Resolution size : {Resolution{2160, 3840}, {1440, 2560}, {1141, 919}, {512, 512}, {1920, 3840}}) {
      const std::string text = std::to_string(size.height) + "x" + std::to_string(size.width);
      CAPTURE(text);
      CAPTURE(profile->name);
      const Run run = run_tool("plan --target " + text + " --format json --profile " + profile->name);
      const Result<EnlargementPlan> plan = plan_enlargement(*model, drawing(), size);
      REQUIRE(plan);
      CHECK(run.status == (plan->feasible() ? 0 : 1));
      check_plan(parse_json(run.out), *plan);
    }
  }
}

TEST_CASE("options of a plan in tiles") {
  EnlargementOptions options;
  options.tile = {768, 1024};
  options.overlap = 128;
  options.profile = TileProfile::linear;
  options.strength = 0.5;
  options.tiles_at_once = 4;
  options.flop_per_second = 400e12;
  options.decoded_pixels_per_second = 20e6;
  options.encoded_pixels_per_second = 40e6;
  GenerationRequest request = drawing();
  request.steps = 20;
  const auto plan = plan_enlargement(model_for<profiles::instruct>, request, {2160, 3840}, options);
  REQUIRE(plan);
  const json out = planned(
      "--target 2160x3840 --tile 768x1024 --overlap 128 --weights linear --strength 0.5 "
      "--tiles-at-once 4 --tflops 400 --decode-rate 20 --encode-rate 40 --steps 20");
  check_plan(out, *plan);
  CHECK(out["seconds"] == plan->seconds);
  CHECK(out["direct"]["seconds"] == plan->direct_seconds);
  CHECK(out["refinement"]["first_step"] == 10);
  CHECK(out["refinement"]["tiles_at_once"] == plan->tiles_at_once);
  CHECK(out["layout"]["weights_profile"] == "linear");
  CHECK(planned("--target 2160x3840")["seconds"].is_null());
}

TEST_CASE("both ways side by side, and who reported what") {
  const std::string text = run_tool("plan --target 1536x1536 --tflops 100").out;
  CHECK(contains(text, "calls     118 = 50 + 4 tiles x 17 steps"));
  CHECK(contains(text, "s at 100.0 TFLOP/s"));
  CHECK(contains(text, "at once   base size 1536, 1536x1536"));
  CHECK(contains(text, "it fits upstream's limits"));
  CHECK(contains(text, "untrained by the publisher"));
  const json both = planned("--target 1536x1536");
  CHECK(both["direct"]["feasible"] == true);
  CHECK(contains(both["direct"]["report"], "1536x1536 still work"));
  const std::string large = run_tool("plan --target 4320x7680").out;
  CHECK(contains(large, "upstream cannot run it (position_table_exceeded)"));
  CHECK(contains(run_tool("plan --target 512x512").out, "none: the picture is resized"));
}

TEST_CASE("names of targets take the ratio of the image size, else 16:9") {
  CHECK(planned("--target 1440p")["target"]["width"] == 2560);
  CHECK(planned("9:16 --target 1440p")["target"]["height"] == 2560);
  CHECK(planned("auto --target 1440p")["target"]["width"] == 2560);
  CHECK(planned("'<img_ratio_16>' --target 2K")["target"]["width"] == 2048);
  CHECK(planned("--target 4K")["target"]["height"] == 3072);
  CHECK(contains(run_tool("plan 1:1 --target 4K").out, "4K means as many pixels as 4096x4096"));
  const std::string help = run_tool("plan --help").out;
  for (const char* name : {"1K, 2K, 4K, 8K", "8MP", "1440p", "shorter side"}) CHECK(contains(help, name));
}

TEST_CASE("a rescaled rotary base is said with its cost") {
  const json plain = planned("1:1 --base-size 2048 --task image");
  CHECK(plain["positions"]["rope_scaling"] == "none");
  CHECK(plain["positions"]["area_factor"] == 4.0);
  CHECK(plain["positions"]["image_offset"] == 8128);
  CHECK(contains(plain["positions"]["report"], "noise"));
  const json area = planned("1:1 --base-size 2048 --task image --rope-scaling area");
  CHECK(contains(area["positions"]["report"], "works at 2048x2048"));
  CHECK(area["flop"]["total"] == plain["flop"]["total"]);
  const json by_sigma = planned("1:1 --base-size 2048 --task image --rope-scaling area_by_sigma");
  CHECK(by_sigma["positions"]["every_step_feeds_all"] == true);
  CHECK(by_sigma["tokens"]["later_step_tokens"] == by_sigma["tokens"]["sequence_length"]);
  CHECK(by_sigma["flop"]["total"] > area["flop"]["total"]);
  CHECK(
      contains(run_tool("plan 1:1 --base-size 2048 --rope-scaling area_by_sigma").out, "every step feeds all tokens"));
  CHECK_FALSE(contains(run_tool("plan 1:1").out, "rope"));
  CHECK(run_tool("plan 1:1 --rope-scaling side").status == 2);
}

TEST_CASE("what a plan in tiles refuses") {
  const auto ends = [](int status, const std::string& arguments, const std::string& reason) {
    CAPTURE(arguments);
    const Run run = run_tool("plan " + arguments);
    CHECK(run.status == status);
    CHECK(run.out.empty());
    CHECK_MESSAGE(contains(run.err, reason), run.err);
  };
  ends(1, "--target 12x", "--target: '12x': byte 4");
  ends(1, "--target 16:9", "--target: '16:9': expected the pixels of an image");
  ends(1, "--target 3K", "1K, 2K, 4K, 8K, 8MP, 1440p");
  ends(1, "--target 2147483647x16", "--target 2147483647x16: the sides of the target");
  ends(1, "12x --target 4K", "'12x': byte 4");
  ends(1, "--target 4K --strength 0", "--strength: the strength must be above 0 and at most 1");
  ends(1, "--target 512x512 --strength 0", "--strength: the strength must be above 0 and at most 1");
  ends(1, "--target 4K --strength 1.5", "--strength 1.5: expected a number from 0 to 1");
  ends(1, "--target 4K --tile 100", "--tile 100: expected multiples of 16 pixels");
  ends(1, "--target 4K --overlap 2048", "--overlap 2048: expected less than a tile's sides");
  ends(1, "--target 4K --tiles-at-once 0", "--tiles-at-once 0: expected a whole number from 1");
  ends(2, "", "expected an image size, or --target SIZE");
  ends(2, "1:1 --strength 0.5", "--strength needs --target SIZE");
  ends(2, "1:1 --tile 512", "--tile needs --target SIZE");
  ends(2, "--target 4K --align-output", "exclude each other");
  ends(2, "--target 4K --grid-mode follow_request", "no other --grid-mode than snap");
  ends(2, "--target ''", "expected a size");
  ends(2, "--target 4K --tflops fast", "--tflops");
  // A bucket whose ratio token has no known id is refused as in a plain plan.
  const Run unknown = run_tool("plan --target 1920x3840 --profile panorama");
  CHECK(unknown.status == 1);
  CHECK(contains(unknown.err, "ratio token of this row has no known id"));
  CHECK(run_tool("plan --target 1920x3840 --profile panorama --ratio-token 37=130200").status == 0);
}
