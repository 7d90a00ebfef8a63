// SPDX-License-Identifier: MIT
// The recipes of LISTS.md with the real programs, where they are installed.
#include <doctest/doctest.h>

#include <algorithm>

#include "run_tool.hpp"

namespace {

bool has(const std::string& program) {
  const bool found = run_shell("command -v " + program + " > /dev/null").status == 0;
  if (!found) MESSAGE("left out: " << program << " is not installed");
  return found;
}

/// A folder `photos` with a wide, a tall and a turned picture and one with blanks in its name.
bool make_photos() {
  static const bool made =
      has("convert") && run_shell(
                            "mkdir -p photos/cats && cd photos && convert -size 1920x1080 xc:red wide.jpg && "
                            "convert -size 640x480 xc:blue 'my photo.png' && "
                            "convert -size 300x700 xc:green cats/tall.png && "
                            "convert -size 4032x3024 xc:gray phone.jpg")
                                .status == 0;
  return made;
}

/// "name HEIGHTxWIDTH" of each row, sorted by name.
std::string rows_of(const std::string& command) {
  const Run run = run_shell(command + " --quiet --format json");
  CHECK_MESSAGE(run.status == 0, run.err);
  std::vector<std::string> rows;
  for (const std::string& line : lines_of(run.out)) {
    const nlohmann::json row = parse_json(line);
    std::string name = row["name"];
    name = name.substr(name.rfind('/') + 1);
    rows.push_back(name + " " + std::to_string(row["request_height"].get<int>()) + "x" +
                   std::to_string(row["request_width"].get<int>()));
  }
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const std::string& row : rows) text += row + "\n";
  return text;
}

constexpr const char* as_stored = "my photo.png 480x640\nphone.jpg 3024x4032\ntall.png 700x300\nwide.jpg 1080x1920\n";
constexpr const char* as_seen = "my photo.png 480x640\nphone.jpg 4032x3024\ntall.png 700x300\nwide.jpg 1080x1920\n";

}  // namespace

TEST_CASE("identify") {
  if (!make_photos() || !has("identify")) return;
  CHECK(rows_of("find photos -type f | sort | xargs -d '\\n' identify | \"$TOOL\" snap --from identify -") ==
        as_stored);
  CHECK(rows_of("find photos -type f | xargs -d '\\n' identify -format '\"%d/%f\",%w,%h,%[orientation]\\n' | "
                "\"$TOOL\" snap --from csv - --columns name=1,width=2,height=3,orientation=4") == as_stored);
}

TEST_CASE("exiftool") {
  if (!make_photos() || !has("exiftool")) return;
  REQUIRE(run_shell("exiftool -q -overwrite_original -Orientation#=6 photos/phone.jpg").status == 0);
  const std::string tags =
      " -ImageWidth -ImageHeight -Orientation -r photos 2> /dev/null | \"$TOOL\" snap --from exiftool - ";
  CHECK(rows_of("exiftool -csv" + tags) == as_seen);
  CHECK(rows_of("exiftool -csv -n" + tags) == as_seen);
  CHECK(rows_of("exiftool -j" + tags) == as_seen);
  CHECK(rows_of("exiftool -j -n" + tags) == as_seen);
  CHECK(rows_of("exiftool -csv" + tags + "--ignore-orientation") == as_stored);
  CHECK(rows_of("exiftool -csv -ImageSize -r photos 2> /dev/null | \"$TOOL\" snap --from exiftool -") == as_stored);
  CHECK(rows_of("exiftool -csv -n -ImageSize -r photos 2> /dev/null | \"$TOOL\" snap --from exiftool -") == as_stored);
  CHECK(rows_of("exiftool -T -filename -ImageWidth -ImageHeight -Orientation -r photos 2> /dev/null | \"$TOOL\" snap "
                "--from exiftool - --columns name=1,width=2,height=3,orientation=4") == as_seen);
  if (has("identify")) {
    CHECK(rows_of("find photos -type f | xargs -d '\\n' identify -format '\"%d/%f\",%w,%h,%[orientation]\\n' | "
                  "\"$TOOL\" snap --from csv - --columns name=1,width=2,height=3,orientation=4") == as_seen);
  }
  REQUIRE(run_shell("exiftool -q -overwrite_original -Orientation= photos/phone.jpg").status == 0);
}

TEST_CASE("jq") {
  if (!has("jq")) return;
  write_text(scratch() / "coco.json", R"({"images":[{"id":1,"file_name":"a.jpg","width":1920,"height":1080},)"
                                      R"({"id":2,"file_name":"b, c.jpg","width":10,"height":20}],"annotations":[]})");
  const char* expected = "a.jpg 1080x1920\nb, c.jpg 20x10\n";
  CHECK(rows_of("jq -c '.images[]' coco.json | \"$TOOL\" snap --from jsonl -") == expected);
  CHECK(rows_of("jq -r '.images[] | [.file_name, .width, .height] | @csv' coco.json | "
                "\"$TOOL\" snap --from csv - --columns name=1,width=2,height=3") == expected);
  CHECK(rows_of("jq -r '.images[] | [.file_name, .width, .height] | @tsv' coco.json | "
                "\"$TOOL\" snap --from tsv - --columns name=1,width=2,height=3") == expected);
}

TEST_CASE("vips") {
  if (!make_photos() || !has("vipsheader")) return;
  CHECK(rows_of("find photos -type f | xargs -d '\\n' vipsheader | "
                "sed -E 's/^(.*): ([0-9]+)x([0-9]+) .*$/\\1\\t\\2\\t\\3/' | "
                "\"$TOOL\" snap --from tsv - --columns name=1,width=2,height=3") == as_stored);
}

TEST_CASE("a PyTorch data set") {
  if (!make_photos()) return;
  if (run_shell("/usr/bin/python3 -c 'import torchvision'").status != 0) {
    MESSAGE("left out: torchvision is not installed");
    return;
  }
  write_text(scratch() / "sizes.py",
             "import json, sys\n"
             "from torchvision.datasets import ImageFolder\n"
             "from PIL import Image\n"
             "for path, _ in ImageFolder(sys.argv[1]).samples:\n"
             "    with Image.open(path) as image:\n"
             "        print(json.dumps({'path': path, 'width': image.width, 'height': image.height,\n"
             "                          'orientation': image.getexif().get(274, 1)}))\n");
  CHECK(rows_of("/usr/bin/python3 sizes.py photos 2> /dev/null | \"$TOOL\" snap --from jsonl -") ==
        "tall.png 700x300\n");
}

TEST_CASE("GNU parallel") {
  if (!has("parallel")) return;
  std::string list = "name,width,height\n";
  std::uint64_t state = 3;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    list += "p" + std::to_string(i) + ".jpg," + std::to_string(1 + (state >> 33) % 4000) + "," +
            std::to_string(1 + (state >> 45) % 4000) + "\n";
  }
  write_text(scratch() / "list.csv", list);
  const std::string options = "--batch 8 --worst 20 --min-side 64";
  const Run whole = run_shell("\"$TOOL\" snap --from csv list.csv --summary-json " + options);
  REQUIRE(whole.status == 0);
  const Run parts = run_shell(
      "export TOOL; parallel --will-cite -k --pipepart -a list.csv --header : --block 50k "
      "'\"$TOOL\" snap --from csv - --summary-json " +
      options + "' > parts.json && grep -c '\"merge\"' parts.json >&2 && \"$TOOL\" merge parts.json --format json");
  CHECK_MESSAGE(parts.status == 0, parts.err);
  CHECK(std::stoi(parts.err) > 5);
  CHECK((parts.out == whole.out));
  const Run piped = run_shell(
      "export TOOL; parallel --will-cite -k --pipe --header : --block 100k '\"$TOOL\" snap --from csv - "
      "--summary-json " +
      options + "' < list.csv | \"$TOOL\" merge - --format json");
  CHECK((piped.out == whole.out));
}
