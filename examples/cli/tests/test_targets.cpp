// SPDX-License-Identifier: MIT
// Pictures beyond the trained scale, caps, and the forms that trainers read.
#include <doctest/doctest.h>

#include <cmath>
#include <hunyuan_reso/enlarge.hpp>
#include <hunyuan_reso/image_info.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

json target_of(const std::string& arguments) {
  const Run run = run_tool("explain " + arguments + " --format json");
  CHECK_MESSAGE(run.status == 0, run.err);
  return parse_json(run.out)["target"];
}

}  // namespace

TEST_CASE("a target names the trained bucket, the enlargement and the cut") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    for (const Resolution size : {Resolution{2160, 3840}, {3840, 2160}, {4096, 4096}, {1000, 3000}, {512, 512}}) {
      const std::string text = std::to_string(size.height) + "x" + std::to_string(size.width);
      const json target = target_of("1:1 --target " + text + " --profile " + profile->name);
      const Result<EnlargementPlan> plan = plan_enlargement(*model, GenerationRequest{}, size);
      REQUIRE(plan);
      CHECK(target["height"] == size.height);
      CHECK(target["width"] == size.width);
      CHECK(target["ratio_index"] == plan->generation.image.ratio_index);
      CHECK(target["generate_height"] == plan->generation.image.image_height);
      CHECK(target["decoded_width"] == plan->finished.width);
      CHECK(target["resized_height"] == plan->enlarged.resized_height);
      CHECK(target["resized_width"] == plan->enlarged.resized_width);
      CHECK(target["crop_top"] == plan->enlarged.crop_top);
      CHECK(target["crop_left"] == plan->enlarged.crop_left);
      CHECK(target["canvas_height"] == plan->canvas.height);
      CHECK(target["canvas_width"] == plan->canvas.width);
      CHECK(target["tile_rows"] == (plan->is_refined ? plan->tiles.rows() : 0));
      CHECK(target["model_calls"] == plan->model_calls);
    }
  }
  CHECK(target_of("16:9 --target 2160x3840")["factor"] == 3.0);
  CHECK(target_of("16:9 --target 2160x3840")["cropped_share"] == 0.0);
  CHECK(target_of("16:9 --target 2160x3840")["tile_columns"] == 5);
  CHECK(contains(run_tool("explain 16:9 --target 2160x3840").out, "3x5"));
  CHECK(target_of("16:9 --target 3840x2160 --order wh")["factor"] == 3.0);
}

TEST_CASE("2K and 4K have one stated meaning: pixels, in the ratio of the request") {
  for (const int thousand : {1, 2, 4, 8}) {
    for (const char* ratio : {"1:1", "16:9", "9:16", "2.39:1", "3000x4000"}) {
      const std::string name = std::to_string(thousand) + "K";
      const json explained = parse_json(run_tool(std::string("explain ") + ratio + " --format json").out);
      const json target = target_of(std::string(ratio) + " --target " + name);
      const double height = target["height"], width = target["width"];
      const double pixels = 1048576.0 * thousand * thousand;
      CHECK(std::abs(height * width / pixels - 1) < 0.02);
      CHECK(std::abs(height / width / explained["request"]["ratio"].get<double>() - 1) < 0.02);
      CHECK(std::fmod(height, 16) == 0);
      CHECK(std::fmod(width, 16) == 0);
      CHECK(target["wish"] == name);
      CHECK(contains(run_tool(std::string("explain ") + ratio + " --target " + name).out,
                     name + " means as many pixels"));
    }
  }
  CHECK(target_of("1:1 --target 4k")["height"] == 4096);
  // So many lines: the shorter side.
  const struct {
    const char* arguments;
    int height, width;
  } named[] = {{"16:9 --target 1440p", 1440, 2560}, {"9:16 --target 1440p", 2560, 1440},
               {"16:9 --target 2160P", 2160, 3840}, {"1:1 --target 1080p", 1080, 1080},
               {"16:9 --target 8MP", 2128, 3776},   {"9:16 --target 8mp", 3776, 2128},
               {"1:1 --target 2.25MP", 1504, 1504}, {"16:9 --target 4K", 3072, 5456}};
  for (const auto& name : named) {
    CAPTURE(name.arguments);
    CHECK(target_of(name.arguments)["height"] == name.height);
    CHECK(target_of(name.arguments)["width"] == name.width);
    CHECK(target_of(std::string(name.arguments) + " --order wh")["height"] == name.height);
  }
  for (const char* value : {"3K", "4KB", "4 K", "16K", "K", "0x5", "5x", "16:9", "auto", "p", "0p", "1e3p", "MP", "0MP",
                            ".5MP", "1.5p", ""}) {
    CAPTURE(value);
    const Run run = run_tool(std::string("explain 1:1 --target '") + value + "'");
    CHECK(run.status != 0);
    CHECK_MESSAGE(contains(run.err, "--target"), run.err);
  }
}

TEST_CASE("a cap keeps requests and targets below it") {
  for (const char* size : {"3000x4000", "4000x3000", "20000x300", "300x20000", "1030x1030", "16x16"}) {
    for (const std::int64_t most : {std::int64_t{256}, std::int64_t{100000}, std::int64_t{1048576}}) {
      CAPTURE(size);
      CAPTURE(most);
      const Run run = run_tool(std::string("explain ") + size + " --grid-mode follow_request --format json" +
                               " --max-pixels " + std::to_string(most) + " --target " + size);
      CHECK_MESSAGE(run.status == 0, run.err);
      const json explained = parse_json(run.out);
      const json& result = explained["result"];
      CHECK(result["height"].get<std::int64_t>() * result["width"].get<std::int64_t>() <= most);
      const json& target = explained["target"];
      CHECK(target["height"].get<std::int64_t>() * target["width"].get<std::int64_t>() <= most);
      CHECK(explained["max_pixels"] == most);
    }
  }
  CHECK(contains(run_tool("explain 3000x4000 --max-pixels 1048576").out, "3000x4000 was scaled down to 880x1168"));
  CHECK(contains(run_tool("explain 3000x4000 --max-pixels 500000").out, "the bucket has 786432 pixels, more than"));
  CHECK_FALSE(contains(run_tool("explain 768x1024 --max-pixels 786432").out, "--max-pixels"));
}

TEST_CASE("buckets in the forms of trainers") {
  for (const ModelProfile* profile : profiles::all) {
    const Result<Model> model = Model::create(*profile);
    const std::string arguments = std::string("table --profile ") + profile->name + " --format ";
    std::string pairs;
    json list = json::array();
    for (const Resolution bucket : model->group) {
      pairs += (pairs.empty() ? "" : ";") + std::to_string(bucket.height) + "," + std::to_string(bucket.width);
      list.push_back({bucket.width, bucket.height});
    }
    CHECK(run_tool(arguments + "buckets").out == pairs + "\n");
    CHECK(parse_json(run_tool(arguments + "ar_buckets").out) == list);
    const std::vector<std::string> toml = lines_of(run_tool(arguments + "toml").out);
    REQUIRE(toml.size() == 4);
    CHECK(toml[0].substr(0, 2) == "# ");
    CHECK(toml[1] == "resolutions = [1024]");
    CHECK(toml[2] == "enable_ar_bucket = true");
    CHECK(toml[3].substr(0, 13) == "ar_buckets = ");
    CHECK(parse_json(toml[3].substr(13)) == list);
  }
}
