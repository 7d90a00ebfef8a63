// SPDX-License-Identifier: MIT
// Summaries of parts of a list, joined: the same as one run over all of it.
#include <doctest/doctest.h>

#include "run_tool.hpp"

using nlohmann::json;

namespace {

std::vector<std::string> rows(int count, std::uint64_t state) {
  const auto below = [&](std::uint64_t end) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % end;
  };
  std::vector<std::string> list;
  for (int i = 0; i < count; ++i) {
    std::string row = "p" + std::to_string(i) + ".jpg," + std::to_string(1 + below(3000)) + "," +
                      std::to_string(1 + below(3000)) + "," + std::to_string(below(9));
    if (i % 97 == 13) row = "bad" + std::to_string(i) + ".jpg,x,1,1";
    list.push_back(row);
  }
  return list;
}

/// Writes parts of a CSV list, each with the header, and the whole; returns the names of the parts.
std::vector<std::string> write_parts(const std::vector<std::string>& list, const std::vector<std::size_t>& cuts) {
  const std::string header = "name,width,height,orientation\n";
  std::string whole = header;
  for (const std::string& row : list) whole += row + '\n';
  write_text(scratch() / "whole.csv", whole);
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    std::string part = header;
    for (std::size_t k = cuts[i]; k < cuts[i + 1]; ++k) part += list[k] + '\n';
    names.push_back("part" + std::to_string(i));
    write_text(scratch() / (names.back() + ".csv"), part);
  }
  return names;
}

constexpr const char* option_sets[] = {
    "",
    "--batch 8",
    "--batch 1",
    "--batch 1000",
    "--worst 10",
    "--batch 16 --worst 40 --min-side 256 --max-crop 20 --no-enlarge",
    "--order wh --batch 3",
    "--base-size 512 --worst 3",
    "--profile panorama --batch 4 --worst 4",
    "--grid-mode follow_request --batch 2 --min-side 16",
    "--rows 512x512,768x512,512x768 --batch 5 --worst 5",
    "--ignore-orientation --max-aspect 2 --worst 6",
};

}  // namespace

TEST_CASE("merged parts are one run over all, to the byte") {
  const std::vector<std::string> list = rows(3000, 5);
  const std::vector<std::vector<std::size_t>> cuts = {
      {0, 3000}, {0, 1500, 3000}, {0, 1, 2, 3000}, {0, 0, 700, 700, 1401, 2999, 3000}, {0, 100, 200, 300, 400, 3000}};
  int compared = 0;
  for (const char* options : option_sets) {
    for (const std::vector<std::size_t>& cut : cuts) {
      const std::vector<std::string> parts = write_parts(list, cut);
      const std::string whole = run_tool("snap --from csv whole.csv --summary-json " + std::string(options)).out;
      std::string files;
      for (const std::string& part : parts) {
        (void)run_tool("snap --from csv " + part + ".csv --summary-json --out " + part + ".json " + options);
        files += " " + part + ".json";
      }
      const Run merged = run_tool("merge --format json" + files);
      REQUIRE_MESSAGE(merged.status == 0, merged.err);
      CHECK_MESSAGE((merged.out == whole), options, " in ", parts.size(), " parts");
      ++compared;
    }
  }
  CHECK(compared == 60);
}

TEST_CASE("merging in steps, from a pipe and from one file is the same") {
  const std::vector<std::string> parts = write_parts(rows(900, 9), {0, 250, 600, 900});
  const std::string options = " --batch 4 --worst 7 ";
  for (const std::string& part : parts) {
    (void)run_tool("snap --from csv " + part + ".csv --summary-out " + part + ".json --quiet" + options);
  }
  const std::string all = run_tool("merge part0.json part1.json part2.json --format json").out;
  CHECK(run_tool("snap --from csv whole.csv --summary-json" + options).out == all);
  (void)run_tool("merge part0.json part1.json --format json --out left.json");
  (void)run_tool("merge part1.json part2.json --format json --out right.json");
  CHECK(run_tool("merge left.json part2.json --format json").out == all);
  CHECK(run_tool("merge part0.json right.json --format json").out == all);
  CHECK(run_shell("cat part0.json part1.json part2.json | \"$TOOL\" merge - --format json").out == all);
  CHECK(run_shell("cat part0.json part1.json > two.json; \"$TOOL\" merge two.json part2.json --format json").out ==
        all);
  // The other forms are those of snap.
  CHECK(run_tool("merge part0.json part1.json part2.json").out ==
        run_tool("snap --from csv whole.csv --summary" + options).out);
  CHECK(run_tool("merge part0.json part1.json part2.json --format csv").out ==
        run_tool("snap --from csv whole.csv --summary --format csv" + options).out);
}

TEST_CASE("plain lists merge, with their line numbers") {
  write_text(scratch() / "a.txt", "512x512\n# note\n100x900\n");
  write_text(scratch() / "b.txt", "2000x300\n16:9\n?\n");
  const std::string options = " --worst 2 --batch 2 ";
  (void)run_shell("cat a.txt b.txt > ab.txt; for i in a b; do \"$TOOL\" snap - --summary-json" + options +
                  "< $i.txt > $i.json; done");
  CHECK(run_tool("merge a.json b.json --format json").out ==
        run_shell("\"$TOOL\" snap - --summary-json" + options + "< ab.txt").out);
}

TEST_CASE("what cannot be merged says which file and what differs") {
  write_text(scratch() / "list.txt", "512x512\n");
  const auto make = [](const std::string& name, const std::string& options) {
    (void)run_tool("snap --from sizes list.txt --summary-json --out " + name + " " + options);
  };
  make("one.json", "");
  make("base.json", "--base-size 512");
  make("order.json", "--order wh");
  make("profile.json", "--profile base");
  make("filter.json", "--min-side 3");
  make("batch.json", "--batch 3");
  make("worst.json", "--worst 3");
  make("rows.json", "--rows 512x512");
  for (const char* other : {"base", "order", "profile", "filter", "batch", "worst", "rows"}) {
    const Run run = run_tool("merge one.json " + std::string(other) + ".json");
    CHECK_MESSAGE(run.status == 1, other);
    CHECK_MESSAGE(contains(run.err, "'" + std::string(other) + ".json': its "), run.err);
  }
  write_text(scratch() / "none.json", "");
  write_text(scratch() / "text.json", "hello");
  write_text(scratch() / "plain.json", run_tool("snap --from sizes list.txt --summary --format json").out);
  write_text(scratch() / "list.json", "[1,2]");
  write_text(scratch() / "future.json", "{\"merge\":{\"version\":99}}");
  write_text(scratch() / "hole.json", "{\"merge\":{\"version\":1}}");
  write_text(scratch() / "deep.json", std::string(110000, '['));
  for (const char* file : {"none", "text", "plain", "list", "future", "hole", "deep"}) {
    const Run run = run_tool("merge one.json " + std::string(file) + ".json");
    CHECK_MESSAGE(run.status == 1, file);
    CHECK_MESSAGE(contains(run.err, "'" + std::string(file) + ".json'"), run.err);
  }
  // Broken numbers are refused, whatever they are.
  json good = parse_json(read_text(scratch() / "one.json"));
  int refused = 0;
  for (const auto& item : good["merge"].items()) {
    json broken = good;
    broken["merge"][item.key()] = item.value().is_number() ? json(-1) : json(5);
    write_text(scratch() / "broken.json", broken.dump());
    const Run run = run_tool("merge one.json broken.json");
    CHECK_MESSAGE(run.status == 1, item.key());
    refused += run.status == 1 ? 1 : 0;
  }
  CHECK(refused == 17);
  CHECK(run_tool("merge").status == 2);
  CHECK(run_tool("merge no-such.json").status == 1);
  CHECK(run_tool("snap - --summary-json --format csv", "").status == 2);
}
