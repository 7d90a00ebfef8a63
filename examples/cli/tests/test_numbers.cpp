// SPDX-License-Identifier: MIT
// Numbers on the command line: decimal everywhere, each in its range, and the message names the option.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

struct NumberOptionCase {
  const char* command;  ///< to which the option and its value are appended
  const char* option;
  const char* good;    ///< a value that is taken
  const char* padded;  ///< the same with zeros in front
  std::vector<std::string> out_of_range;
};

const std::vector<NumberOptionCase>& options() {
  static const std::vector<NumberOptionCase> all = {
      {"table", "--base-size", "2048", "02048", {"0", "-16", "1073741824", "99999999999"}},
      {"presets", "--base-size", "512", "000512", {"0", "-1"}},
      {"explain 4:3", "--base-size", "1536", "01536", {"0", "-1024"}},
      {"explain 3000x4000", "--max-pixels", "1048576", "01048576", {"0", "255", "-5", "99999999999999999999"}},
      {"plan 1:1", "--base-size", "768", "0768", {"0"}},
      {"plan 1:1", "--prompt-tokens", "10", "010", {"-1", "2147483648"}},
      {"plan 1:1", "--chain-of-thought-tokens", "100", "0100", {"-1", "99999999999"}},
      {"plan 1:1", "--steps", "50", "050", {"0", "-5", "1000001", "99999999999999999999999"}},
      {"plan 1:1", "--batch", "8", "008", {"0", "-1", "1025"}},
      {"plan 1:1", "--guidance", "5", "05", {"-1", "-0.5", "1000001"}},
  };
  return all;
}

std::string with(const NumberOptionCase& tested, const std::string& value) {
  return std::string(tested.command) + " " + tested.option + " '" + value + "'";
}

}  // namespace

TEST_CASE("numbers are decimal: zeros in front change nothing") {
  for (const NumberOptionCase& tested : options()) {
    CAPTURE(tested.command);
    CAPTURE(tested.option);
    const Run plain = run_tool(with(tested, tested.good));
    const Run padded = run_tool(with(tested, tested.padded));
    CHECK(plain.out == padded.out);
    CHECK(plain.status == padded.status);
    CHECK_FALSE(plain.out.empty());
  }
  CHECK(parse_json(run_tool("table --base-size 02048 --format json").out)["base_size"] == 2048);
  CHECK(parse_json(run_tool("plan 1:1 --steps 050 --format json").out)["steps"] == 50);
  CHECK(parse_json(run_tool("plan 1:1 --guidance 010.5 --format json").out)["guidance"] == 10.5);
  const std::string plan = "plan 1:1 --task image --format json --prompt-tokens ";
  CHECK(parse_json(run_tool(plan + "010").out)["tokens"]["text"] ==
        parse_json(run_tool(plan + "8").out)["tokens"]["text"].get<int>() + 2);
}

TEST_CASE("what is no decimal number is a wrong command line") {
  for (const NumberOptionCase& tested : options()) {
    for (const char* value :
         {"0x10", "1e3",  "5,0",   "1,024", "+5", " 5", "5 ",        "abc", "nan", "inf", "-inf", "-",
          "--5",  "0b11", "1_000", "5px",   "５", "٣",  "5\xC2\xA0", "",    "1.",  ".5",  "1.5.2"}) {
      CAPTURE(tested.command);
      CAPTURE(value);
      const Run run = run_tool(with(tested, value));
      CHECK(run.status == 2);
      CHECK(run.out.empty());
      CHECK_MESSAGE(contains(run.err, tested.option), run.err);
    }
  }
  CHECK(run_tool("plan 1:1 --steps 5.0").status == 2);
  CHECK(contains(run_tool("plan 1:1 --guidance 5,0").err, "digits with a point, without commas, but got '5,0'"));
  CHECK(contains(run_tool("plan 1:1 --steps 0x10").err, "--steps: expected a whole number in decimal digits"));
}

TEST_CASE("a number out of range names its option, the value and the range") {
  for (const NumberOptionCase& tested : options()) {
    for (const std::string& value : tested.out_of_range) {
      CAPTURE(tested.command);
      CAPTURE(value);
      const Run run = run_tool(with(tested, value));
      CHECK(run.status == 1);
      CHECK(run.out.empty());
      CHECK_MESSAGE(contains(run.err, std::string(tested.option) + " " + value + ": expected a"), run.err);
      CHECK(contains(run.err, " from "));
      CHECK(lines_of(run.err).size() == 1);
      CHECK(run.err.size() < 200);
    }
  }
}

TEST_CASE("indices and ids in options and arguments are decimal") {
  CHECK(parse_json(run_tool("token 010 --ratio --format json").out)["tokens"][0]["ratio_index"] == 10);
  CHECK(parse_json(run_tool("token 01024 --size --format json").out)["tokens"][0]["base_size"] == 1024);
  CHECK(parse_json(run_tool("token 0128000 --format json").out)["tokens"][0]["text"] == "<boi>");
  for (const char* arguments : {"token 0x10 --ratio", "token 0x400 --size", "token 0x1F400", "token -- -1"}) {
    CAPTURE(arguments);
    CHECK(run_tool(arguments).status == 1);
  }
  CHECK(parse_json(run_tool("token '<img_ratio_37>' --profile panorama --ratio-token 037=0130109 --format json")
                       .out)["tokens"][0]["id"] == 130109);
  for (const char* value : {"0x25=130109", "37=0x1FC3D", "37=1e5", "37 =130109", "37=130109 ", "-37=130109",
                            "37=", "=130109", "37", "37=130109=1", "37:130109"}) {
    CAPTURE(value);
    const Run run = run_tool(std::string("table --profile panorama --ratio-token '") + value + "'");
    CHECK(run.status == 2);
    CHECK(contains(run.err, "--ratio-token: expected INDEX=ID"));
  }
  CHECK(run_tool("table --profile panorama --ratio-token 37=99999999999").status == 1);
  CHECK(run_tool("table --profile panorama --ratio-token 99999999999=130109").status == 1);
}
