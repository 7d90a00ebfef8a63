// SPDX-License-Identifier: MIT
// Sizes as people write them: what is taken, what is refused, and how the refusal reads.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

struct Taken {
  const char* text;
  std::int32_t height, width;  // as asked for; of a ratio, its parts
};

json sizes_of(const std::string& arguments) {
  const Run run = run_tool("snap --format json " + arguments);
  CHECK_MESSAGE(run.status == 0, arguments, ": ", run.err);
  return parse_json(run.out)["sizes"];
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

TEST_CASE("pairs of pixels in every spelling with one meaning") {
  static constexpr const char* spellings[] = {
      "1080x1920",
      "1080X1920",
      "1080*1920",
      "1080 * 1920",
      "1080,1920",
      "1080, 1920",
      "1080 1920",
      "1080\t1920",
      "[1080,1920]",
      "[1080, 1920]",
      "(1080, 1920)",
      "(1080x1920)",
      " 1080x1920 ",
      "1080x1920px",
      "1080px x 1920px",
      "1080px,1920px",
      "1080 px * 1920 px",
      "1080pxx1920px",
      "1080PX1920",
      "1080\xC3\x97"
      "1920",
      "1080\xEF\xBD\x98"
      "1920",
      "1080\xEF\xBC\x8A"
      "1920",
      "1080\xEF\xBC\x8C"
      "1920",
  };
  int taken = 0;
  for (const char* text : spellings) {
    const json sizes = sizes_of(quoted(text));
    REQUIRE_MESSAGE(sizes.size() == 1, text);
    CHECK_MESSAGE(sizes[0]["request_height"] == 1080, text);
    CHECK_MESSAGE(sizes[0]["request_width"] == 1920, text);
    const json turned = sizes_of("--order wh " + quoted(text));
    CHECK_MESSAGE(turned[0]["request_height"] == 1920, text);
    CHECK_MESSAGE(turned[0]["request_width"] == 1080, text);
    ++taken;
  }
  CHECK(taken == 23);
}

TEST_CASE("brackets around the only size of a command") {
  for (const std::string command : {"explain --format json ", "plan --format json "}) {
    const Run run = run_tool(command + "'[1080, 1920]'");
    CHECK_MESSAGE(run.status == 0, command, ": ", run.err);
    CHECK(run.out == run_tool(command + "1080x1920").out);
  }
}

TEST_CASE("ratios in every spelling with one meaning") {
  struct Ratio {
    const char* text;
    double ratio;  // height / width, from width:height
  };
  static constexpr Ratio ratios[] = {
      {"16:9", 9.0 / 16},
      {"16/9", 9.0 / 16},
      {"16 / 9", 9.0 / 16},
      {"16\xEF\xBC\x9A"
       "9",
       9.0 / 16},
      {"16\xEF\xBC\x8F"
       "9",
       9.0 / 16},
      {"16\xE2\x88\xB6"
       "9",
       9.0 / 16},
      {"2.39:1", 1 / 2.39},
      {"2.39 : 1", 1 / 2.39},
      {"1:2.35", 2.35},
      {"1.85/1", 1 / 1.85},
      {"4.0:3.0", 0.75},
      {"0.5:0.25", 0.5},
      {"2.390:1.000", 1 / 2.39},
  };
  for (const Ratio& ratio : ratios) {
    const json sizes = sizes_of(quoted(ratio.text));
    CHECK_MESSAGE(sizes[0]["kind"] == "ratio", ratio.text);
    CHECK_MESSAGE(sizes[0]["request_ratio"].get<double>() == doctest::Approx(ratio.ratio).epsilon(1e-12), ratio.text);
  }
}

TEST_CASE("words that are no size are answered with the forms") {
  static constexpr const char* words[] = {
      "4K",     "2K",  "8k", "1080p", "720p", "portrait", "landscape", "square", "HxW", "WxH",        "hd",
      "FullHD", "UHD", "A4", "tall",  "1024", "1024x",    "x768",      "16:",    ":9",  "widescreen", "default"};
  for (const char* word : words) {
    const Run run = run_tool("snap " + quoted(word));
    CHECK_MESSAGE(run.status == 1, word);
    CHECK_MESSAGE(contains(run.err, "the forms are HEIGHTxWIDTH (1024x768), a ratio A:B (16:9, 2.39:1), <img_ratio_i>"),
                  run.err);
    const Run turned = run_tool("snap --order wh " + quoted(word));
    CHECK_MESSAGE(contains(turned.err, "the forms are WIDTHxHEIGHT"), turned.err);
    CHECK_FALSE(contains(turned.err, "HEIGHTxWIDTH"));
  }
  for (const char* word : {"auto", "Auto", "AUTO", " aUTO "}) {
    const Run run = run_tool("snap " + quoted(word));
    CHECK(run.status == 1);
    CHECK_MESSAGE(contains(run.err, "the model must predict the ratio token"), run.err);
  }
}

TEST_CASE("sizes that are refused say one thing, once") {
  struct Refused {
    const char* text;
    const char* part;
  };
  static constexpr Refused refused[] = {
      {"1024.5x768", "expected whole pixels"},
      {"1024x768.0", "expected whole pixels"},
      {"0x10", "expected a number of at least 1"},
      {"-5x10", "expected a number"},
      {"+5x10", "expected a number"},
      {"0.0:1", "expected a number of at least 1"},
      {"99999999999x1", "at most 2147483647"},
      {"2147483648.5:1", "at most 2147483647"},
      {"1024x768x3", "expected the end"},
      {"[1024,768", "expected a number"},
      {"1e3x768", "expected 'x'"},
      {"0x400x0x300", "at least 1"},
      {"2,39:1", "expected the end"},
      {"<img_ratio_99>", "no row of this ratio index"},
      {"<img_ratio_3", "expected '>'"},
      {"", "expected an image size"},
  };
  for (const Refused& it : refused) {
    const Run run = run_tool("snap -- " + quoted(it.text));
    CHECK_MESSAGE(run.status == 1, it.text);
    CHECK_MESSAGE(contains(run.err, it.part), run.err);
    CHECK_MESSAGE(split(run.err, '^').size() == 2, run.err);  // one caret
  }
}

TEST_CASE("characters that only look right are shown as code points") {
  struct Strange {
    const char* text;
    const char* shown;
  };
  static constexpr Strange strange[] = {
      {"1024\xC2\xA0"
       "x768",
       "<U+00A0>"},
      {"1024x\xE2\x80\x8B"
       "768",
       "<U+200B>"},
      {"1024\xD1\x85"
       "768",
       "<U+0445>"},
      {"1024\xE3\x80\x80"
       "768",
       "<U+3000>"},
      {"\xEF\xBC\x91"
       "024x768",
       "<U+FF11>"},
      {"1024x768\xE2\x80\x8F", "<U+200F>"},
      {"1024\xE2\x80\x93"
       "768",
       "<U+2013>"},
  };
  for (const Strange& it : strange) {
    const Run argument = run_tool("snap " + quoted(it.text));
    CHECK(argument.status == 1);
    CHECK_MESSAGE(contains(argument.err, it.shown), argument.err);
    const Run list = run_tool("snap - --quiet", std::string(it.text) + "\n");
    CHECK(list.status == 1);
    CHECK_MESSAGE(contains(list.err, it.shown), list.err);
    const Run csv = run_tool("snap --from csv - --quiet", "name,width,height\na.jpg," + std::string(it.text) + ",5\n");
    CHECK(csv.status == 1);
    CHECK_MESSAGE(contains(csv.err, it.shown), csv.err);
  }
}

TEST_CASE("a number that begins with zero is read in decimal and doubted") {
  const json sizes = sizes_of("010x020 1024x024");
  CHECK(sizes[0]["request_height"] == 10);
  CHECK(sizes[0]["request_width"] == 20);
  CHECK(sizes[1]["request_width"] == 24);
  const Run run = run_tool("snap 1024x024");
  CHECK(contains(run.err, "'1024x024': a number begins with 0, read as 1024x24 (height x width): is a digit missing?"));
  CHECK(contains(run_tool("snap --order wh 1024x024").err, "read as 1024x24 (width x height)"));
  CHECK(run_tool("snap 1024x768 100x200 16:09").err.empty());
  const Run list = run_tool("snap - --quiet --format csv", "1024x768\n1024x024\n0512x512\n");
  CHECK(contains(list.out, "\n2,1024,24,"));
  CHECK(contains(list.out, "\n3,512,512,"));
  CHECK(contains(list.err, "line 2: '1024x024': a number begins with 0"));
  CHECK(contains(list.err, "(and 1 more such lines)"));
}

TEST_CASE("numbers of options are decimal and checked") {
  static constexpr const char* bad[] = {
      "--batch 0",
      "--batch -1",
      "--batch 0x10",
      "--batch 1e3",
      "--batch 2.5",
      "--batch ''",
      "--worst 0",
      "--worst x",
      "--min-side 0",
      "--min-side 5,0",
      "--max-side -3",
      "--min-pixels 0x1",
      "--max-pixels 1M",
      "--max-crop 101",
      "--max-crop -1",
      "--max-crop nan",
      "--max-crop inf",
      "--max-crop 2,5",
      "--max-crop 0x1p4",
      "--max-aspect 0.5",
      "--max-aspect 0",
      "--max-aspect nan",
      "--max-aspect 16x9",
      "--max-aspect wide",

      "--base-size 0x400",
      "--min-side 9 --max-side 8",
      "--min-pixels 9 --max-pixels 8",
  };
  for (const char* options : bad) {
    const Run run = run_tool("snap 1024x768 " + std::string(options));
    CHECK_MESSAGE((run.status == 1 || run.status == 2), options);
    const std::string option = std::string(options).substr(0, std::string(options).find(' '));
    CHECK_MESSAGE(contains(run.err, option), options, ": ", run.err);
  }
  const json octal = parse_json(run_tool("snap 100x100 --batch 010 --summary --format json").out);
  CHECK(octal["batch"]["size"] == 10);
  CHECK(octal["base_size"] == 1024);
  CHECK(parse_json(run_tool("snap 100x100 --base-size 02000 --format json").out)["base_size"] == 2000);
}

TEST_CASE("the order of sides is said wherever sizes are printed") {
  CHECK(contains(run_tool("snap 1024x768").out, "height x width"));
  const Run turned = run_tool("snap 1024x768 --order wh");
  CHECK(contains(turned.out, "width x height"));
  CHECK_FALSE(contains(turned.out, "height x width"));
  CHECK(parse_json(run_tool("snap 1024x768 --format json --order wh").out)["order"] == "wh");
  CHECK(parse_json(run_tool("snap 1024x768 --format json").out)["order"] == "hw");
  CHECK(contains(run_tool("snap -", "1024x768\n").err, "Read from sizes, height first. Printed as height x width."));
  const Run list = run_tool("snap - --order wh", "1024x768\n");
  CHECK(contains(list.err, "Read from sizes, width first. Printed as width x height."));
  CHECK(contains(list.out, "width x height"));
  CHECK_FALSE(contains(list.out + list.err, "height x width"));
  CHECK(contains(run_tool("snap --from csv -", "width,height\n1024,768\n").err,
                 "Read from csv, width from column 1 'width', height from column 2 'height'."));
  CHECK(contains(run_tool("snap --from identify -", "a.png PNG 4x3 4x3+0+0 8-bit sRGB 1B 0.000u 0:00.000\n").err,
                 "Read from identify, width first."));
}

TEST_CASE("requests that are followed are shown as they were cut") {
  const Run run = run_tool("snap 904x1000 --grid-mode follow_request");
  CHECK(contains(run.out, "904x1000 became 896x992"));
  const Run list = run_tool("snap - --grid-mode follow_request", "904x1000\n904x1000\n512x512\n");
  CHECK(contains(list.err, "896x992"));
  CHECK(contains(list.err, "512x512"));
  const json summary = parse_json(
      run_tool("snap - --grid-mode follow_request --summary --format json", "904x1000\n904x1000\n512x512\n").out);
  REQUIRE(summary["histogram"].size() == 2);
  CHECK(summary["histogram"][0]["height"] == 896);
  CHECK(summary["histogram"][0]["width"] == 992);
  CHECK(summary["histogram"][0]["count"] == 2);
}
