// SPDX-License-Identifier: MIT
// What the commands say, compared with the library.
#include <doctest/doctest.h>

#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/presets.hpp>
#include <hunyuan_reso/version.hpp>
#include <hunyuan_reso/vocabulary.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

std::string with_profile(const std::string& command, const ModelProfile& profile) {
  return command + " --profile " + profile.name;
}

}  // namespace

TEST_CASE("help and version") {
  const Run help = run_tool("--help");
  CHECK(help.status == 0);
  CHECK(help.err.empty());
  for (const std::string command : {"table", "snap", "presets", "token", "explain", "plan", "tiles", "sequence"}) {
    CHECK(contains(help.out, command));
    const Run run = run_tool(command + " --help");
    CHECK(run.status == 0);
    CHECK(contains(run.out, "Examples:\n  hunyuan-reso " + command));
  }
  const Run version = run_tool("--version");
  CHECK(version.status == 0);
  CHECK(version.out == "hunyuan-reso " + std::to_string(HUNYUAN_RESO_VERSION_MAJOR) + "." +
                           std::to_string(HUNYUAN_RESO_VERSION_MINOR) + "." +
                           std::to_string(HUNYUAN_RESO_VERSION_PATCH) + "\n");
}

TEST_CASE("a wrong command line ends with 2 and says where to look") {
  for (const char* arguments : {"",
                                "unknown",
                                "table --unknown",
                                "table --format xml",
                                "table --profile other",
                                "table --base-size abc",
                                "table --base-size 1e3",
                                "snap",
                                "snap - 1x1",
                                "snap 1x1 --order xy",
                                "token",
                                "token 1 --list all",
                                "table --base-size ''",
                                "table --out ''",
                                "token 1 --ratio --size",
                                "explain",
                                "explain 1:1 2:1",
                                "presets --orientation tall",
                                "table --ratio-token 37",
                                "table --ratio-token =5",
                                "table --ratio-token 37=5x"}) {
    CAPTURE(arguments);
    const Run run = run_tool(arguments);
    CHECK(run.status == 2);
    CHECK(run.out.empty());
    CHECK(contains(run.err, "hunyuan-reso: "));
  }
}

TEST_CASE("an unknown command is answered with the known ones") {
  CHECK(contains(run_tool("tabel").err, "unknown command 'tabel'; the commands are table snap merge presets token"));
  CHECK(contains(run_tool("").err, "no command was given; the commands are table"));
}

TEST_CASE("two outputs to one file are refused before anything is written") {
  const std::string file = (scratch() / "twice.json").string();
  const std::string other = (scratch() / "." / "twice.json").string();
  for (const bool exists : {false, true}) {
    CAPTURE(exists);
    if (exists) write_text(file, "kept");
    const Run run = run_tool("snap - --out " + file + " --summary-out " + other, "64x64\n");
    CHECK(run.status == 2);
    CHECK(contains(run.err, "--out and --summary-out name the same file"));
    CHECK(std::filesystem::exists(file) == exists);
  }
  CHECK(read_text(file) == "kept");
  CHECK(run_tool("snap - --quiet --out /dev/null --summary-out /dev/null", "64x64\n").status == 0);
}

TEST_CASE("a list of ids whose brackets do not match is refused") {
  CHECK(run_tool("token -", "[[1, 2],\n [3]]").status == 0);
  CHECK(run_tool("token -", "[1]\n[2]").status == 0);
  for (const char* command : {"token -", "sequence --ids -"}) {
    CAPTURE(command);
    const Run cut = run_tool(command, "1\n[1, [2],\n");
    CHECK(cut.status == 1);
    CHECK(contains(cut.err, "expected ']' for the '[' in line 2, but the list ends"));
    const Run stray = run_tool(command, "[1]\n]");
    CHECK(stray.status == 1);
    CHECK(contains(stray.err, "line 2: expected '[' before this ']'"));
  }
}

TEST_CASE("a refused option ends with 1 and says why") {
  const auto refused = [](const std::string& arguments, const std::string& reason) {
    CAPTURE(arguments);
    const Run run = run_tool(arguments);
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK(contains(run.err, reason));
    CHECK(lines_of(run.err).size() == 1);
  };
  refused("snap --from csv " + scratch().string(), "expected a file, but it is a folder");
  refused("snap 1x1 --max-aspect 0", "--max-aspect 0: expected at least 1");
  refused("table --base-size 1000", "--base-size 1000: the base size must be a multiple of the alignment");
  refused("table --base-size 0", "--base-size 0: expected a whole number from 1 to 1073741823");
  refused("table --base-size -16", "--base-size -16: expected a whole number from 1");
  refused("table --base-size 128", "the step must be at least the alignment");
  refused("presets --base-size 2147483647", "--base-size 2147483647: expected a whole number from 1");
  refused("table --profile base --base-size 8", "the step must be at least the alignment");
  refused("table --ratio-token 36=130200", "<img_ratio_36> is 130106 already");
  refused("table --ratio-token 37=130200", "has no ratio token of this index");
  refused("table --profile panorama --ratio-token 37=128000", "this id is <boi> already");
  refused("table --profile panorama --ratio-token 37=133120", "the vocabulary has the ids 0 .. 133119");
}

TEST_CASE("table agrees with the library") {
  for (const ModelProfile* profile : profiles::all) {
    for (const std::int32_t base_size : {512, 1024, 2048, 8192}) {
      for (const ExtraScaling scaling : {ExtraScaling::absolute, ExtraScaling::scaled}) {
        CAPTURE(profile->name);
        CAPTURE(base_size);
        const Result<ResolutionGroup> group = make_group(*profile, base_size, scaling);
        const std::string arguments = with_profile("table --base-size " + std::to_string(base_size), *profile) +
                                      (scaling == ExtraScaling::scaled ? " --extras scaled" : "");
        const Run run = run_tool(arguments + " --format json");
        CHECK(run.status == 0);
        const json table = parse_json(run.out);
        CHECK(table["base_size"] == base_size);
        REQUIRE(table["rows"].size() == group->size());
        for (std::size_t i = 0; i < group->size(); ++i) {
          const json& row = table["rows"][i];
          CHECK(row["ratio_index"] == i);
          CHECK(row["height"] == (*group)[i].height);
          CHECK(row["width"] == (*group)[i].width);
          CHECK(row["ratio"] == (*group)[i].ratio());
          const Result<TokenId> id = ratio_token_id(*profile, i);
          CHECK(row["ratio_token_id"] == (id ? json(*id) : json(nullptr)));
          // The ends of a row's range belong to it.
          if (!row["snaps_up_to_height"].is_null()) {
            CHECK(group->snap({row["snaps_up_to_height"], row["snaps_up_to_width"]}) == i);
          }
        }
        const std::vector<std::string> csv = lines_of(run_tool(arguments + " --format csv").out);
        REQUIRE(csv.size() == group->size() + 1);
        for (const std::string& line : csv) CHECK(split(line, ',').size() == 15);
        CHECK(split(csv[0], ',')[0] == "ratio_index");
      }
    }
  }
}

TEST_CASE("the ranges of a table cover every ratio once") {
  const json rows = parse_json(run_tool("table --format json").out)["rows"];
  std::size_t open_below = 0, open_above = 0;
  for (const json& row : rows) {
    open_below += row["snaps_above_ratio"].is_null() ? 1U : 0U;
    open_above += row["snaps_up_to_ratio"].is_null() ? 1U : 0U;
    std::size_t continued = 0;
    for (const json& other : rows) continued += other["snaps_above_ratio"] == row["snaps_up_to_ratio"] ? 1U : 0U;
    CHECK((row["snaps_up_to_ratio"].is_null() || continued == 1));
  }
  CHECK(open_below == 1);
  CHECK(open_above == 1);
}

TEST_CASE("table as text and as a picture") {
  const std::string text = run_tool("table --base-size 2048").out;
  CHECK(contains(text, "Sizes are height x width in pixels."));
  CHECK(contains(text, "Extra buckets are absolute"));
  CHECK_FALSE(contains(run_tool("table").out, "Extra buckets are absolute"));
  CHECK(contains(run_tool("table --profile panorama").out, "--ratio-token 37=ID"));
  CHECK_FALSE(contains(run_tool("table --profile panorama --ratio-token 37=130200").out, "=ID"));

  for (const ModelProfile* profile : profiles::all) {
    for (const char* size : {"512", "1024", "2048", "8192"}) {
      const Run picture = run_tool(with_profile(std::string("table --format svg --base-size ") + size, *profile));
      CHECK(picture.status == 0);
      CHECK(is_well_formed(picture.out));
      CHECK(contains(picture.out, "viewBox=\"0 0 1200 "));
      CHECK_FALSE(contains(picture.out, "nan"));
      CHECK_FALSE(contains(picture.out, "inf"));
      const Result<ResolutionGroup> group = make_group(*profile, std::stoi(size));
      for (const Resolution row : *group) {
        CHECK(contains(picture.out, std::to_string(row.height) + "x" + std::to_string(row.width)));
      }
    }
  }
  CHECK_FALSE(is_well_formed("<a><b></a></b>"));
  CHECK_FALSE(is_well_formed("<a x=\"1></a>"));
}

TEST_CASE("presets agree with the library") {
  for (const ModelProfile* profile : profiles::all) {
    const PresetList expected = make_presets(*Model::create(*profile));
    const json presets = parse_json(run_tool(with_profile("presets --format json", *profile)).out)["presets"];
    REQUIRE(presets.size() == expected.size());
    for (std::size_t i = 0; i < presets.size(); ++i) {
      CHECK(presets[i]["height"] == expected.rows[i].size.height);
      CHECK(presets[i]["image_token_length"] == expected.rows[i].image_token_length);
      CHECK(presets[i]["common_ratio"] == std::string(expected.rows[i].common_ratio.text().view()));
      CHECK(presets[i]["trained"] == expected.rows[i].trained.all());
    }
  }
  const json square = parse_json(run_tool("presets --orientation square --format json").out)["presets"];
  REQUIRE(square.size() == 1);
  CHECK(square[0]["size_token_id"] == 128037);
  CHECK(parse_json(run_tool("presets --base-size 2048 --trained-only --format json").out)["presets"].empty());
  CHECK(lines_of(run_tool("presets --orientation portrait --format csv").out).size() == 1 + 18);
}

TEST_CASE("token goes both ways") {
  const std::vector<std::string> csv = lines_of(run_tool("token --list all --format csv").out);
  std::size_t tokens_with_text = 0;
  for (TokenId id = 0; id < profiles::instruct.vocabulary_size; ++id) {
    tokens_with_text += token_text(profiles::instruct, id) ? 1U : 0U;
  }
  CHECK(csv.size() == 1 + tokens_with_text);
  for (std::size_t i = 1; i < csv.size(); ++i) {
    const std::vector<std::string> cells = split(csv[i], ',');
    const Result<TokenId> id = find_token(profiles::instruct, cells[1]);
    REQUIRE(id);
    CHECK(*id == std::stoi(cells[0]));
  }
  CHECK(lines_of(run_tool("token --list ratios --format csv").out).size() == 1 + 37);
  CHECK(lines_of(run_tool("token --list ratios --format csv --profile base").out).size() == 1 + 33);
  CHECK(lines_of(run_tool("token --list sizes --format csv").out).size() == 1 + 10);

  const Run bracketed = run_tool("token '[1,2]'");
  CHECK(bracketed.status == 1);
  CHECK(contains(bracketed.err, "'[1,2]': expected the text of a special token"));
  CHECK(lines_of(bracketed.err).size() == 1);

  const Run run = run_tool("token '<img_ratio_33>' 128037 --format json");
  const json tokens = parse_json(run.out)["tokens"];
  CHECK(tokens[0]["id"] == 130103);
  CHECK(contains(tokens[0]["note"], "not contiguous"));
  CHECK(tokens[1]["text"] == "<img_size_1024>");
  CHECK(tokens[1]["base_size"] == 1024);
  CHECK(parse_json(run_tool("token 36 --ratio --format json").out)["tokens"][0]["id"] == 130106);
  CHECK(parse_json(run_tool("token 2048 --size --format json").out)["tokens"][0]["id"] == 128039);
  CHECK(contains(run_tool("token '<timestep_r>' --profile base").err,
                 "the tokenizer of base lacks this token (in instruct the id is 130107)"));
}

TEST_CASE("token says what a profile lacks") {
  const Run base = run_tool("token '<img_ratio_33>' --profile base");
  CHECK(base.status == 1);
  CHECK(contains(base.err, "the profile base has the ratio tokens 0 .. 32 only (in instruct the id is 130103)"));
  const Run panorama = run_tool("token 37 --ratio --profile panorama");
  CHECK(panorama.status == 1);
  CHECK(contains(panorama.err, "supply it with --ratio-token 37=ID"));
  const Run known = run_tool("token '<img_ratio_37>' --profile panorama --ratio-token 37=130200 --format json");
  CHECK(parse_json(known.out)["tokens"][0]["id"] == 130200);
  for (const char* junk :
       {"5", "''", "'<img_ratio_>'", "'<img_ratio_033>'", "nonsense", "133120", "99999999999999999999",
        "'<img_ratio_99999999999999>'", "99999999999 --ratio", "x --ratio", "5 --size"}) {
    CAPTURE(junk);
    const Run run = run_tool(std::string("token ") + junk);
    CHECK(run.status == 1);
    CHECK(run.out.empty());
    CHECK(lines_of(run.err).size() == 1);
  }
}

TEST_CASE("token --verify") {
  json map;
  json list = json::array();
  json decoder;
  for (const std::string& line : lines_of(run_tool("token --list all --format csv").out)) {
    const std::vector<std::string> cells = split(line, ',');
    if (cells[0] == "id") continue;
    const std::int32_t id = std::stoi(cells[0]);
    map[cells[1]] = id;
    list.push_back({{"id", id}, {"content", cells[1]}, {"special", true}});
    decoder[cells[0]] = {{"content", cells[1]}};
  }
  const json tokenizer = {{"model", {{"vocab", {{"a", 0}, {"b", 1}}}}}, {"added_tokens", list}};
  for (const json& document : {map, list, tokenizer, json{{"added_tokens_decoder", decoder}}}) {
    const Run run = run_tool("token --verify -", document.dump());
    CHECK(run.status == 0);
    CHECK(contains(run.out, "all agree"));
  }
  map["<img_ratio_33>"] = 128077;
  map.erase("<img>");
  const Run wrong = run_tool("token --verify - --format json", map.dump());
  CHECK(wrong.status == 1);
  const json report = parse_json(wrong.out);
  CHECK(report["mismatch_count"] == 2);
  for (const json& mismatch : report["mismatches"]) {
    const bool is_missing = mismatch["text"] == "<img>";
    CHECK((is_missing || mismatch["text"] == "<img_ratio_33>"));
    CHECK(mismatch["expected_id"] == (is_missing ? 128006 : 130103));
    CHECK(mismatch["found_id"] == (is_missing ? json(nullptr) : json(128077)));
  }
  map["<img_ratio_37>"] = 130200;
  CHECK(contains(run_tool("token --verify - --profile panorama", map.dump()).out, "use --ratio-token 37=130200"));

  CHECK(contains(run_tool("token --verify - --profile panorama", map.dump()).out, "whose id no release names"));

  // An id that the caller supplied is checked like all others.
  json panorama = map;
  panorama["<img_ratio_33>"] = 130103;
  panorama["<img>"] = 128006;
  const auto verify = [&](std::int32_t in_file, const char* supplied) {
    panorama["<img_ratio_37>"] = in_file;
    return run_tool(std::string("token --verify - --profile panorama --ratio-token 37=") + supplied, panorama.dump());
  };
  CHECK(verify(130108, "130108").status == 0);
  for (const auto& [in_file, supplied] : {std::pair{130108, "130109"}, std::pair{5, "130108"}, std::pair{0, "130200"},
                                          std::pair{128000, "130108"}, std::pair{130107, "130108"}}) {
    const Run wrong_id = verify(in_file, supplied);
    CHECK(wrong_id.status == 1);
    CHECK_FALSE(contains(wrong_id.out, "all agree"));
    CHECK(contains(wrong_id.out, "<img_ratio_37>"));
    CHECK(contains(wrong_id.out, supplied));
  }
  panorama.erase("<img_ratio_37>");
  const Run lacking = run_tool("token --verify - --profile panorama --ratio-token 37=130109", panorama.dump());
  CHECK(lacking.status == 1);
  CHECK(contains(lacking.out, "missing"));

  for (const char* junk : {"", "[1,2", "3", "[1]", "{\"a\":-1}", "{\"a\":1.5}", "{\"a\":18446744073709551615}", "null",
                           "{\"added_tokens\":[{\"id\":1}]}", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}",
                           "[{\"id\":\"1\",\"content\":\"a\"}]", "\xFF\xFE"}) {
    CAPTURE(junk);
    const Run run = run_tool("token --verify -", junk);
    CHECK(run.status == 1);
    CHECK(contains(run.err, "standard input: "));
  }
  CHECK(contains(run_tool("token --verify /nonexistent/file").err, "cannot read '/nonexistent/file'"));
}
