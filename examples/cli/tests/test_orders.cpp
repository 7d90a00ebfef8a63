// SPDX-License-Identifier: MIT
// The order of the sides of a pair: one option for every command, and every output says which one is in force.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

/// Commands whose text output shows sizes, in the way a person types them for an order.
struct Ordered {
  const char* height_first;
  const char* width_first;
};
constexpr Ordered commands[] = {
    {"table", "table --order wh"},
    {"table --profile panorama --base-size 2048", "table --profile panorama --base-size 2048 --order wh"},
    {"presets", "presets --order wh"},
    {"token 33 34 --ratio", "token 33 34 --ratio --order wh"},
    {"explain 1080x1920", "explain 1920x1080 --order wh"},
    {"explain 904x1080 --grid-mode follow_request", "explain 1080x904 --grid-mode follow_request --order wh"},
    {"explain 904x1080 --conditioning 3000x4000", "explain 1080x904 --conditioning 4000x3000 --order wh"},
    {"explain 16:9 --target 2160x3840", "explain 16:9 --target 3840x2160 --order wh"},
    {"plan --target 2160x3840 --tile 768x1024", "plan --target 3840x2160 --tile 1024x768 --order wh"},
    {"tiles 1080x1920 --tile 512x768", "tiles 1920x1080 --tile 768x512 --order wh"},
    {"plan 1080x1920", "plan 1920x1080 --order wh"},
    {"plan 1:1 --conditioning 3000x4000", "plan 1:1 --conditioning 4000x3000 --order wh"},
};

bool has_size(const std::string& text, int first, int second) {
  return contains(text, std::to_string(first) + "x" + std::to_string(second));
}

}  // namespace

TEST_CASE("every text says its order") {
  for (const Ordered& command : commands) {
    CAPTURE(command.height_first);
    const Run hw = run_tool(command.height_first);
    const Run wh = run_tool(command.width_first);
    CHECK(hw.status == 0);
    CHECK(wh.status == 0);
    CHECK(contains(hw.out, "height x width"));
    CHECK_FALSE(contains(hw.out, "width x height"));
    CHECK(contains(wh.out, "width x height"));
    CHECK_FALSE(contains(wh.out, "height x width"));
  }
}

TEST_CASE("both orders mean the same picture") {
  for (const Ordered& command : commands) {
    CAPTURE(command.height_first);
    json hw = parse_json(run_tool(std::string(command.height_first) + " --format json").out);
    json wh = parse_json(run_tool(std::string(command.width_first) + " --format json").out);
    CHECK(hw["order"] == "hw");
    CHECK(wh["order"] == "wh");
    for (json* document : {&hw, &wh}) {
      for (const char* key : {"order", "notes", "request"}) document->erase(key);
      if (document->contains("target") && (*document)["target"].is_object()) (*document)["target"].erase("wish");
    }
    CHECK((hw == wh));
  }
  CHECK(run_tool("table --format csv").out == run_tool("table --order wh --format csv").out);
  CHECK(run_tool("presets --format csv").out == run_tool("presets --order wh --format csv").out);
}

TEST_CASE("sizes are read and printed in the order that was asked for") {
  const Run wh = run_tool("explain 1920x1080 --order wh");
  CHECK(contains(wh.out, "1920x1080: height 1080 px, width 1920 px (landscape)"));
  CHECK(has_size(wh.out, 1280, 720));
  CHECK_FALSE(has_size(wh.out, 720, 1280));
  CHECK(has_size(run_tool("plan 1920x1080 --order wh").out, 1280, 720));
  const std::string picture = run_tool("table --format svg --order wh").out;
  CHECK(has_size(picture, 1280, 720));
  CHECK(contains(picture, "width x height"));
  // Ratios keep the profile's meaning.
  CHECK(parse_json(run_tool("explain 16:9 --order wh --format json").out)["request"]["ratio"] == 0.5625);
  CHECK(parse_json(run_tool("explain 16:9 --profile base --order wh --format json").out)["request"]["ratio"] > 1);
  // Forms that trainers read have their own order.
  CHECK(run_tool("table --format buckets --order wh").out == run_tool("table --format buckets").out);
}

TEST_CASE("errors name the order, too") {
  for (const char* arguments :
       {"explain 1080", "explain 4K", "explain HxW", "plan 1080", "plan nonsense", "explain 1:1 --conditioning 4:3",
        "plan 1:1 --conditioning 4:3", "explain 1:1 --target 16:9", "explain 1:1 --target big"}) {
    CAPTURE(arguments);
    const Run hw = run_tool(arguments);
    const Run wh = run_tool(std::string(arguments) + " --order wh");
    CHECK(hw.status == 1);
    CHECK(wh.status == 1);
    CHECK_MESSAGE(contains(hw.err, "HEIGHTxWIDTH"), hw.err);
    CHECK_MESSAGE(contains(wh.err, "WIDTHxHEIGHT"), wh.err);
    CHECK_FALSE(contains(wh.err, "HEIGHTxWIDTH"));
  }
  for (const char* value : {"xy", "HW", "", "h", "width"}) {
    CHECK(run_tool(std::string("table --order '") + value + "'").status == 2);
  }
}

TEST_CASE("a sequence reads and prints its order") {
  const std::string hw = R"({"prompt": "a", "cond": ["3024x4032"], "gen": "1080x1920"})";
  const std::string wh = R"({"prompt": "a", "cond": ["4032x3024"], "gen": "1920x1080"})";
  json first = parse_json(run_tool("sequence - --format json", hw).out);
  json second = parse_json(run_tool("sequence - --format json --order wh", wh).out);
  CHECK(first["order"] == "hw");
  CHECK(second["order"] == "wh");
  CHECK((first["rows"] == second["rows"]));
  CHECK(contains(run_tool("sequence -", hw).out, "grid 45 x 80 tokens (height x width)"));
  CHECK(contains(run_tool("sequence - --order wh", wh).out, "grid 80 x 45 tokens (width x height)"));
}
