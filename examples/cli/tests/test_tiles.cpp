// SPDX-License-Identifier: MIT
// The command tiles: its lists and its picture, compared with the library.
#include <doctest/doctest.h>

#include <hunyuan_reso/tiles.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

json layout_of(const std::string& arguments) {
  const Run run = run_tool("tiles " + arguments + " --format json");
  CHECK_MESSAGE(run.status == 0, run.err);
  CHECK(run.err.empty());
  return parse_json(run.out);
}

/// Whether the tiles of a list cover the canvas, lie in it and come row by row.
bool covers(const json& layout) {
  const int height = layout["canvas"]["height"], width = layout["canvas"]["width"];
  std::vector<char> covered(static_cast<std::size_t>(height / 16) * static_cast<std::size_t>(width / 16), 0);
  std::int64_t last = -1;
  for (const json& tile : layout["tiles"]) {
    const int top = tile["top"], left = tile["left"], tall = tile["height"], wide = tile["width"];
    if (top < 0 || left < 0 || top + tall > height || left + wide > width) return false;
    const std::int64_t order = std::int64_t{top} * width + left;
    if (order <= last) return false;
    last = order;
    for (int row = top / 16; row < (top + tall) / 16; ++row) {
      for (int column = left / 16; column < (left + wide) / 16; ++column) {
        covered[static_cast<std::size_t>(row) * static_cast<std::size_t>(width / 16) +
                static_cast<std::size_t>(column)] = 1;
      }
    }
  }
  for (const char cell : covered) {
    if (cell == 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("tiles of a 4K picture") {
  const json layout = layout_of("2160x3840");
  CHECK(layout["profile"] == "instruct");
  CHECK(layout["order"] == "hw");
  CHECK((layout["canvas"] == json{{"height", 2160}, {"width", 3840}}));
  CHECK((layout["tile"] == json{{"height", 1024}, {"width", 1024}}));
  CHECK(layout["overlap"] == 256);
  CHECK((layout["overlap_reached"] == json{{"height", 448}, {"width", 320}}));
  CHECK(layout["weights_profile"] == "cosine");
  CHECK(layout["align"] == 16);
  CHECK(layout["rows"] == 3);
  CHECK(layout["columns"] == 5);
  REQUIRE(layout["tiles"].size() == 15);
  const int tops[] = {0, 576, 1136};  // 35.5 cells round to the even number, 36
  const int lefts[] = {0, 704, 1408, 2112, 2816};
  for (int i = 0; i < 15; ++i) {
    const json expected = {{"top", tops[i / 5]}, {"left", lefts[i % 5]}, {"height", 1024}, {"width", 1024}};
    CHECK((layout["tiles"][static_cast<std::size_t>(i)] == expected));
  }
  const std::string text = run_tool("tiles 2160x3840").out;
  CHECK(contains(text, "15 tiles of 1024x1024 in 3 rows of 5"));
  CHECK(contains(text, "0, 704, 1408, 2112, 2816"));
  CHECK(run_tool("tiles '[2160, 3840]'").out == text);
  CHECK(contains(run_tool("tiles 2160p").out, "2160p means a shorter side of 2160 pixels"));
}

TEST_CASE("tiles are the library's") {
  struct Case {
    const char* arguments;
    Resolution canvas, tile;
    std::int32_t overlap;
  };
  const Case cases[] = {{"2160x3840 --tile 768", {2160, 3840}, {768, 768}, 192},
                        {"2160x3840 --tile 768x1024 --overlap 0", {2160, 3840}, {768, 1024}, 0},
                        {"3840x2160 --order wh --tile 512x256 --overlap 128", {2160, 3840}, {256, 512}, 128},
                        {"1080x1920 --overlap 1008", {1088, 1920}, {1024, 1024}, 1008},
                        {"900x700", {912, 704}, {1024, 1024}, 256},
                        {"3056x5104 --overlap 512 --weights linear", {3056, 5104}, {1024, 1024}, 512}};
  for (const Case& item : cases) {
    CAPTURE(item.arguments);
    const json layout = layout_of(item.arguments);
    const auto expected = TileLayout::create(item.canvas, item.tile, item.overlap, 16);
    REQUIRE(expected);
    CHECK(layout["canvas"]["height"] == item.canvas.height);
    CHECK(layout["canvas"]["width"] == item.canvas.width);
    CHECK(layout["overlap"] == item.overlap);
    CHECK(layout["overlap_reached"]["height"] == expected->overlap_reached().height);
    CHECK(layout["overlap_reached"]["width"] == expected->overlap_reached().width);
    CHECK(layout["weights_profile"] == (contains(item.arguments, "linear") ? "linear" : "cosine"));
    REQUIRE(layout["tiles"].size() == static_cast<std::size_t>(expected->size()));
    for (std::int32_t i = 0; i < expected->size(); ++i) {
      const json& tile = layout["tiles"][static_cast<std::size_t>(i)];
      CHECK(tile["top"] == (*expected)[i].top);
      CHECK(tile["left"] == (*expected)[i].left);
      CHECK(tile["height"] == (*expected)[i].height);
      CHECK(tile["width"] == (*expected)[i].width);
    }
    CHECK(covers(layout));
  }
  const json odd = layout_of("919x1141");
  CHECK(odd["target"]["height"] == 919);
  CHECK(odd["target"]["top"] == 4);   // of 928 rows
  CHECK(odd["target"]["left"] == 5);  // of 1152 columns
}

TEST_CASE("the picture of a layout") {
  const std::string picture = run_tool("tiles 2160x3840 --format svg").out;
  CHECK(is_well_formed(picture));
  CHECK(count_of(picture, "<rect") == 15 + 2);     // background and canvas
  CHECK(count_of(picture, "<polyline") == 3 + 5);  // what each row and column of tiles counts
  CHECK(contains(picture, "Tiles of 2160x3840 (height x width)"));
  const std::string odd = run_tool("tiles 1141x919 --order wh --weights linear --tile 512 --format svg").out;
  CHECK(is_well_formed(odd));
  CHECK(contains(odd, "linear weights"));
  CHECK(contains(odd, "width x height"));
  CHECK(count_of(odd, "stroke-dasharray") == 1);  // the picture in its canvas
  CHECK(is_well_formed(run_tool("tiles 640x640 --format svg").out));
  CHECK(is_well_formed(run_tool("tiles 65536x16 --tile 256 --format svg").out));
}

TEST_CASE("the picture in docs is the tool's") {
  CHECK(read_text(std::string(DOCS_PATH) + "/tiles-4k.svg") == run_tool("tiles 2160x3840 --format svg").out);
}

TEST_CASE("what tiles refuses") {
  const auto refused = [](const std::string& arguments, const std::string& reason) {
    CAPTURE(arguments);
    const Run run = run_tool("tiles " + arguments);
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK_MESSAGE(contains(run.err, reason), run.err);
  };
  refused("0x5", "'0x5': byte 1");
  refused("5", "expected");
  refused("4:3", "expected the pixels of an image, HEIGHTxWIDTH");
  refused("big", "1K, 2K, 4K, 8K, 8MP, 1440p");
  refused("2160x3840 --tile 1000", "--tile 1000: expected multiples of 16 pixels");
  refused("2160x3840 --tile 0", "--tile 0: expected a whole number from 1");
  refused("2160x3840 --tile 1e3", "--tile: '1e3': byte 2");
  refused("2160x3840 --tile 4:3", "expected the pixels of an image");
  refused("2160x3840 --overlap 100", "--overlap 100: expected multiples of 16 pixels");
  refused("2160x3840 --overlap 1024", "--overlap 1024: expected less than a tile's sides, 1024x1024");
  refused("2160x3840 --overlap -16", "--overlap -16: expected a whole number from 0");
  refused("1:1", "SIZE: '1:1': expected the pixels of an image, HEIGHTxWIDTH");
  refused("99999p", "SIZE 99999: expected a whole number from 1 to 65536");
  refused("3K", "SIZE: '3K': byte 2: this names no height and width; expected HEIGHTxWIDTH (2160x3840)\n");
  refused("2147483647x16", "at most 2147483647");
  refused("2147483632x2147483632 --tile 16 --overlap 0", "more than 2147483647 tiles");
  refused("65536x65536 --tile 16 --overlap 0 --format json", "16777216 tiles are too many to list or draw");
  refused("65536x65536 --tile 16 --overlap 0 --format svg", "at most 65536");
  CHECK(contains(run_tool("tiles 65536x65536 --tile 16 --overlap 0").out, "16777216 tiles of 16x16"));
  for (const char* arguments :
       {"", "1x1 2x2", "64x64 --format csv", "64x64 --weights round", "64x64 --overlap x", "64x64 --strength 1"}) {
    CAPTURE(arguments);
    CHECK(run_tool(std::string("tiles ") + arguments).status == 2);
  }
}
