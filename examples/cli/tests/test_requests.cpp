// SPDX-License-Identifier: MIT
// Requests: what explain and snap say about them, and about those that they refuse.
#include <doctest/doctest.h>

#include <cmath>
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/profile.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

/// Column of the caret line that follows the line `text`, or npos.
std::size_t caret_below(const std::string& err, const std::string& text) {
  const std::vector<std::string> lines = lines_of(err);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (lines[i] == "  " + text) return lines[i + 1].find('^') - 2;
  }
  return std::string::npos;
}

}  // namespace

TEST_CASE("explain answers the question about the base size") {
  const Run run = run_tool("explain 4:3 --base-size 2048");
  CHECK(run.status == 0);
  CHECK(contains(run.out,
                 "The base size 2048 was not ignored. Bucket 35 is an extra bucket, and extra buckets are absolute"));
  CHECK(contains(run.out, "1536x2048  3.15   12288"));
  const json at_2048 = parse_json(run_tool("explain 4:3 --base-size 2048 --format json").out);
  CHECK(at_2048["result"]["height"] == 768);
  CHECK(at_2048["result"]["width"] == 1024);
  CHECK(at_2048["result"]["ratio_token_id"] == 130105);
  CHECK(at_2048["result"]["size_token_id"] == 128039);
  CHECK(at_2048["result"]["kind"] == "extra");
  CHECK(at_2048["candidates"].size() == 3);
  CHECK(at_2048["candidates"][1]["chosen"] == true);
  CHECK(at_2048["ways"][1]["height"] == 1536);
  CHECK_FALSE(contains(run_tool("explain 4:3 --base-size 2048 --extras scaled").out, "was not ignored"));
  CHECK_FALSE(contains(run_tool("explain 4:3").out, "was not ignored"));
  const json at_512 = parse_json(run_tool("explain 3:4 --base-size 512 --format json").out);
  CHECK(contains(at_512["notes"][0], "a request of this ratio gets more pixels than its neighbours"));
}

TEST_CASE("explain knows the order of a ratio, ties, grid modes and alignment") {
  CHECK(parse_json(run_tool("explain 4:3 --format json --profile base").out)["request"]["ratio"].get<double>() > 1);
  CHECK(parse_json(run_tool("explain 4:3 --format json").out)["request"]["ratio"] == 0.75);
  const json rounded = parse_json(run_tool("explain 55x72 --format json").out);
  CHECK(rounded["tie"] == "rounded");
  CHECK(rounded["result"]["ratio_index"] == 35);
  const ResolutionGroup group = *make_group(profiles::instruct);
  std::size_t exact = 0;
  for (std::int32_t height = 1; height < 200 && exact < 3; ++height) {  // find some exact ties
    for (std::int32_t width = 1; width < 200 && exact < 3; ++width) {
      const double ratio = Resolution{height, width}.ratio();
      const std::size_t row = group.snap({height, width});
      for (std::size_t other = row + 1; other < group.size(); ++other) {
        if (std::abs(group[other].ratio() - ratio) != std::abs(group[row].ratio() - ratio)) continue;
        const std::string size = std::to_string(height) + "x" + std::to_string(width);
        CHECK(parse_json(run_tool("explain --format json " + size).out)["tie"] == "exact");
        ++exact;
      }
    }
  }
  CHECK(exact == 3);

  const json followed = parse_json(run_tool("explain 1080x1920 --grid-mode follow_request_by_area --format json").out);
  CHECK(followed["result"]["height"] == 1072);
  CHECK(followed["result"]["base_size"] == 1536);
  CHECK(followed["result"]["trained"] == false);
  const json aligned =
      parse_json(run_tool("explain 1141x919 --base-size 1536 --conditioning 1141x919 --format json").out);
  CHECK(aligned["output_alignment"][1]["base_size"] == 1024);
  CHECK(aligned["output_alignment"][1]["height"] == 1141);
  CHECK(aligned["output_alignment"][1]["width"] == 919);
  CHECK(parse_json(run_tool("explain '<img_ratio_3>' --format json").out)["result"]["ratio_index"] == 3);
}

TEST_CASE("a refused request shows the place") {
  const Run run = run_tool("explain '1080#1920'");
  CHECK(run.status == 1);
  CHECK(contains(run.err, "'1080#1920': byte 5: expected 'x' (HEIGHTxWIDTH) or ':' (a ratio)"));
  CHECK(caret_below(run.err, "1080#1920") == 4);
  const Run end = run_tool("explain 1080x");
  CHECK(caret_below(end.err, "1080x") == 5);
  const Run wide = run_tool("explain '12\xC3\x97 \xE2\x82\xAC'");  // the caret counts characters, the text bytes
  CHECK(contains(wide.err, "byte 6: expected a number"));
  CHECK(caret_below(wide.err, "12\xC3\x97 <U+20AC>") == 4);
  const Run control = run_tool("explain \"$(printf '1\\033[31m\\200')\"");
  CHECK(contains(control.err, "1\\x1B[31m\\x80"));
  const Run long_text = run_tool("explain \"$(printf '1%.0s' $(seq 5000))y\"");
  CHECK(long_text.status == 1);
  for (const std::string& line : lines_of(long_text.err)) CHECK(line.size() < 160);
  CHECK(run_tool("explain ''").status == 1);
  CHECK(run_tool("explain auto").status == 1);
  CHECK(run_tool("explain 1x1 --grid-mode follow_request").status == 1);
  CHECK(run_tool("explain 1:1 --conditioning 4:3").status == 1);
  CHECK(run_tool("explain '<img_ratio_33>' --profile base").status == 1);
}

TEST_CASE("snap with arguments agrees with the library") {
  const Run run = run_tool(
      "snap 1080x1920 1080X1920 '1080\xC3\x97"
      "1920' 16:9 '<img_ratio_36>' 1080,1920 --format json");
  CHECK(run.status == 0);
  const json sizes = parse_json(run.out)["sizes"];
  REQUIRE(sizes.size() == 6);
  for (const json& size : sizes) CHECK(size["ratio_index"] == 36);
  CHECK(sizes[3]["kind"] == "ratio");
  CHECK(sizes[3]["cropped_share"] == nullptr);
  CHECK(parse_json(run_tool("snap 1920x1080 16:9 --order wh --format json").out)["sizes"][0]["ratio_index"] == 36);
  CHECK(parse_json(run_tool("snap 1920x1080 16:9 --order wh --format json").out)["sizes"][1]["ratio_index"] == 36);
  const json crop = parse_json(run_tool("snap 564x846 --format json").out)["sizes"][0];
  const ResizeCrop expected = *resize_and_center_crop({564, 846}, {crop["height"], crop["width"]});
  CHECK(crop["resized_width"] == expected.resized_width);
  CHECK(crop["crop_left"] == expected.crop_left);

  const Run refused = run_tool("snap 1x 4:3 0x5 --format json");
  CHECK(refused.status == 1);
  CHECK(parse_json(refused.out)["sizes"].size() == 1);
  CHECK(parse_json(refused.out)["refused"][0]["byte"] == 3);
  CHECK(caret_below(refused.err, "1x") == 2);
  const Run strict = run_tool("snap 1x 4:3 --strict");
  CHECK(strict.status == 1);
  CHECK(strict.out.empty());
  CHECK(lines_of(run_tool("snap 4:3 1x1 --summary --format csv").out).size() == 38);
}
