// SPDX-License-Identifier: MIT
// Lists of sizes on standard input.
#include <doctest/doctest.h>

#include <algorithm>
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/presets.hpp>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

constexpr const char* csv_header =
    "line,request_height,request_width,ratio_index,height,width,image_token_length,ratio_token_id,base_size";

/// A small generator of numbers, the same everywhere.
class Numbers {
 public:
  std::int32_t below(std::int32_t end) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int32_t>((state_ >> 33) % static_cast<std::uint64_t>(end));
  }
  /// A side of 1 to 9 digits, small ones more often.
  std::int32_t side() {
    static constexpr std::int32_t ends[] = {10, 100, 1000, 5000, 5000, 10000, 10000, 1000000, 999999999};
    return 1 + below(ends[below(9)]);
  }

 private:
  std::uint64_t state_ = 20240229;
};

std::vector<std::string> rows_of(const Run& run) {
  std::vector<std::string> lines = lines_of(run.out);
  REQUIRE(!lines.empty());
  CHECK(lines[0] == csv_header);
  lines.erase(lines.begin());
  return lines;
}

/// "line:ratio_index" of each row.
std::string brief(const Run& run) {
  std::string text;
  for (const std::string& row : rows_of(run)) {
    const std::vector<std::string> cells = split(row, ',');
    REQUIRE(cells.size() == 9);
    text += cells[0] + ":" + cells[3] + " ";
  }
  return text;
}

Run csv_of(const std::string& input, const std::string& options = "") {
  return run_tool("snap - --quiet --format csv " + options, input);
}

}  // namespace

TEST_CASE("a million lines agree with the library") {
  const ResolutionGroup group = *make_group(profiles::instruct);
  Numbers numbers;
  std::string input;
  std::string expected = std::string(csv_header) + '\n';
  std::uint64_t counts[64] = {};
  double share_sum = 0, largest = 0;
  std::uint64_t enlarged = 0;
  std::vector<double> shares;
  constexpr std::uint64_t count = 1000000;
  for (std::uint64_t line = 1; line <= count; ++line) {
    const Resolution size{numbers.side(), numbers.side()};
    input += std::to_string(size.height) + "x" + std::to_string(size.width) + '\n';
    const std::size_t ratio_index = group.snap(size);
    const Resolution row = group[ratio_index];
    expected += std::to_string(line) + "," + std::to_string(size.height) + "," + std::to_string(size.width) + "," +
                std::to_string(ratio_index) + "," + std::to_string(row.height) + "," + std::to_string(row.width) + "," +
                std::to_string(row.pixel_count() / 256) + "," +
                std::to_string(*ratio_token_id(profiles::instruct, ratio_index)) + ",1024\n";
    ++counts[ratio_index];
    const ResizeCrop crop = *resize_and_center_crop(size, row);
    const double area = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
    const double kept = static_cast<double>(row.pixel_count());
    const double share = area > kept ? 1 - kept / area : 0;
    share_sum += share;
    largest = std::max(largest, share);
    shares.push_back(share);
    const bool by_height = crop.resized_height == row.height && size.ratio() < row.ratio();
    if (by_height ? row.height > size.height : row.width > size.width) ++enlarged;
  }
  CHECK((csv_of(input).out == expected));  // in brackets, so that a failure does not print both
  CHECK((run_shell("cat stdin | \"$TOOL\" snap - --quiet --format csv").out == expected));

  const json summary = parse_json(run_tool("snap - --summary --format json", input).out);
  CHECK(summary["size_count"] == count);
  CHECK(summary["refused_count"] == 0);
  for (std::size_t i = 0; i < group.size(); ++i) CHECK(summary["histogram"][i]["count"] == counts[i]);
  const json& crop = summary["crop"];
  CHECK(crop["image_count"] == count);
  CHECK(crop["enlarged_count"] == enlarged);
  CHECK(crop["largest_share"] == largest);
  CHECK(crop["mean_share"].get<double>() == doctest::Approx(share_sum / count).epsilon(1e-12));
  std::nth_element(shares.begin(), shares.begin() + count / 2, shares.end());
  CHECK(std::abs(crop["median_share"].get<double>() - shares[count / 2]) < 1.01e-4);
}

TEST_CASE("the forms of a list say the same") {
  Numbers numbers;
  std::string input;
  for (int i = 0; i < 3000; ++i) {
    input += std::to_string(numbers.side()) + "x" + std::to_string(numbers.side()) + '\n';
  }
  input += "16:9\n<img_ratio_3>\n2147483647x2147483647\n";
  const std::vector<std::string> csv = rows_of(csv_of(input));
  const std::vector<std::string> objects = lines_of(run_tool("snap - --quiet --format json", input).out);
  std::vector<std::string> text = lines_of(run_tool("snap - --quiet", input).out);
  text.erase(text.begin(), text.begin() + 2);
  REQUIRE(csv.size() == 3003);
  REQUIRE(objects.size() == csv.size());
  REQUIRE(text.size() == csv.size());
  const std::vector<std::string> names = split(csv_header, ',');
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const std::vector<std::string> cells = split(csv[i], ',');
    const json object = parse_json(objects[i]);
    REQUIRE(object.size() == names.size());
    for (std::size_t c = 0; c < names.size(); ++c) {
      CHECK(object[names[c]] == (cells[c].empty() ? json(nullptr) : json(std::stoll(cells[c]))));
    }
    CHECK(contains(text[i], " " + cells[4] + "x" + cells[5] + " "));
  }
}

TEST_CASE("what a list may look like") {
  CHECK(brief(csv_of("1080x1920\n")) == "1:36 ");
  CHECK(brief(csv_of("1080x1920")) == "1:36 ");
  CHECK(brief(csv_of("1080x1920\r\n768x1024\r\n")) == "1:36 2:35 ");
  CHECK(brief(csv_of("1080x1920\r")) == "1:36 ");
  CHECK(brief(csv_of("\xEF\xBB\xBF"
                     "1080x1920\n")) == "1:36 ");
  CHECK(brief(csv_of("# a list\n\n   \n\r\n1080x1920\n  # more\n768x1024")) == "5:36 7:35 ");
  CHECK(brief(csv_of("1080X1920\n1080\xC3\x97"
                     "1920\n1080,1920\n1080, 1920\n1080 ,1920\n1080 1920\n1080\t1920\n 1080 x 1920 \n"
                     "1080   1920\n001080x001920\n")) == "1:36 2:36 3:36 4:36 5:36 6:36 7:36 8:36 9:36 10:36 ");
  CHECK(brief(csv_of("16:9\n<img_ratio_36>\n 16 : 9\n")) == "1:36 2:36 3:36 ");
  CHECK(brief(csv_of("1920x1080\n1920 1080\n16:9\n1920,1080\n100000000x56250000\n", "--order wh")) ==
        "1:36 2:36 3:36 4:36 5:36 ");
  CHECK(rows_of(csv_of("001080x1920\n"))[0] == "1,1080,1920,36,720,1280,3600,130106,1024");
  CHECK(rows_of(csv_of("1920x1080\n", "--order wh"))[0] == "1,1080,1920,36,720,1280,3600,130106,1024");
  CHECK(brief(csv_of("4:3\n", "--profile base")) == "1:18 ");
  CHECK(rows_of(csv_of("960x1952\n", "--profile panorama"))[0] == "1,960,1952,37,960,1952,7320,,1024");
}

TEST_CASE("an empty list") {
  for (const char* input : {"", "\n", "# nothing\n"}) {
    const Run run = run_tool("snap - --format csv", input);
    CHECK(run.status == 0);
    CHECK(rows_of(run).empty());
    CHECK(contains(run.err, "0 sizes, 0 refused"));
    CHECK(parse_json(run_tool("snap - --summary --format json", input).out)["crop"].is_null());
    CHECK(run_tool("snap - --format json --quiet", input).out.empty());
  }
}

TEST_CASE("refused lines are reported and the rest goes on") {
  const Run run = run_tool("snap - --format csv", "1080x1920\n1080?1920\n768x1024\n0x5\n99999999999x1\nauto\n1x2x3\n");
  CHECK(run.status == 1);
  CHECK(brief(run) == "1:36 3:35 ");
  CHECK(contains(run.err,
                 "line 2: '1080?1920': byte 5: expected 'x' (HEIGHTxWIDTH) or ':' (a ratio) after the first "
                 "number\n  1080?1920\n      ^\n"));
  CHECK(contains(run.err, "line 4: '0x5': byte 1: expected a number of at least 1"));
  CHECK(contains(run.err, "line 5: '99999999999x1': byte 1: expected a number of at most 2147483647"));
  CHECK(contains(run.err, "line 6: 'auto': byte 1: the image size is auto"));
  CHECK(contains(run.err, "line 7: '1x2x3': byte 4: expected the end"));
  CHECK(contains(run.err, "2 sizes, 5 refused"));

  std::string many;
  for (int i = 0; i < 25; ++i) many += "?\n";
  const Run counted = csv_of(many);
  CHECK(counted.status == 1);
  CHECK(split(counted.err, '^').size() == 11);
  CHECK(contains(counted.err, "15 more lines were refused"));

  const Run strict = run_tool("snap - --format csv --strict", "1080x1920\n?\n768x1024\n?\n");
  CHECK(strict.status == 1);
  CHECK(contains(strict.err, "line 2: "));
  CHECK_FALSE(contains(strict.err, "line 4: "));
}

TEST_CASE("bytes that are no text") {
  using namespace std::string_literals;
  const Run nul = csv_of(
      "1080x1920\n10\0"
      "80x5\n\0\n768x1024\n"s);
  CHECK(nul.status == 1);
  CHECK(brief(nul) == "1:36 4:35 ");
  CHECK(contains(nul.err, "line 2: '10\\x0080x5': byte 3: "));
  CHECK(contains(nul.err, "line 3: '\\x00': byte 1: "));
  const Run latin = csv_of(
      "1080\xD7"
      "1920\n\xFF\xFE\n768x1024\n");
  CHECK(brief(latin) == "3:35 ");
  CHECK(contains(latin.err, "line 1: '1080\\xD71920': byte 5: "));
  CHECK(contains(latin.err, "line 2: '\\xFF\\xFE': byte 1: "));
  const json refused = parse_json(run_tool("snap \"$(printf '1\\377')\" --format json").out);
  CHECK(refused["refused"].size() == 1);
}

TEST_CASE("long lines") {
  constexpr std::size_t limit = (1 << 20) - 1;
  const std::string blanks(limit - 9, ' ');
  CHECK(brief(csv_of("768x1024\n1080x1920" + blanks + "\n768x1024\n")) == "1:35 2:36 3:35 ");
  CHECK(brief(csv_of("768x1024\n1080x1920" + blanks)) == "1:35 2:36 ");
  for (const std::size_t size : {limit + 1, limit + 2, 2 * limit, 3 * limit + 7}) {
    for (const char* end : {"\n768x1024\n", "\n768x1024", "\n", ""}) {
      const Run run = csv_of("768x1024\n" + std::string(size, '7') + end);
      CHECK(run.status == 1);
      CHECK(brief(run) == (std::string(end).size() > 1 ? "1:35 3:35 " : "1:35 "));
      CHECK(contains(run.err, "line 2: '777"));
      CHECK(contains(run.err, "expected a line of at most 1048575 bytes"));
      CHECK(run.err.size() < 500);
    }
  }
}

TEST_CASE("grid modes and crop columns agree with the library") {
  const Model& model = model_for<profiles::instruct>;
  const ResolutionGroup& group = model.group;
  Numbers numbers;
  std::string input;
  std::vector<Resolution> sizes;
  for (int i = 0; i < 500; ++i) {
    sizes.push_back({16 + numbers.below(5000), 16 + numbers.below(5000)});
    input += std::to_string(sizes.back().height) + "x" + std::to_string(sizes.back().width) + '\n';
  }
  const std::vector<std::string> followed = rows_of(csv_of(input, "--grid-mode follow_request_by_area"));
  const std::vector<std::string> cropped = lines_of(csv_of(input, "--crop").out);
  REQUIRE(followed.size() == sizes.size());
  REQUIRE(cropped.size() == sizes.size() + 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const ImageInfo info = *build_gen_image_info(model, sizes[i], GridMode::follow_request_by_area);
    const std::vector<std::string> cells = split(followed[i], ',');
    CHECK(cells[4] == std::to_string(info.image_height));
    CHECK(cells[5] == std::to_string(info.image_width));
    CHECK(cells[8] == std::to_string(info.base_size));
    const ResizeCrop crop = *resize_and_center_crop(sizes[i], group.get_target_size(sizes[i].width, sizes[i].height));
    const std::vector<std::string> of_crop = split(cropped[i + 1], ',');
    REQUIRE(of_crop.size() == 14);
    CHECK(of_crop[9] == std::to_string(crop.resized_height));
    CHECK(of_crop[10] == std::to_string(crop.resized_width));
    CHECK(of_crop[11] == std::to_string(crop.crop_top));
    CHECK(of_crop[12] == std::to_string(crop.crop_left));
    const double resized = static_cast<double>(crop.resized_height * crop.resized_width);
    const double kept = static_cast<double>(group.get_target_size(sizes[i].width, sizes[i].height).pixel_count());
    CHECK(std::stod(of_crop[13]) == (resized > kept ? 1 - kept / resized : 0));
  }
  const Run refused = csv_of("8x100\n", "--grid-mode follow_request");
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "at least one token"));
}

TEST_CASE("rows arrive while the list is still being written") {
  const Run run = run_shell(
      "mkfifo to; \"$TOOL\" snap - --quiet --format csv < to > rows & exec 3> to; echo 1080x1920 >&3;"
      "for i in 1 2 3 4 5 6 7 8 9 10; do [ $(wc -l < rows) = 2 ] && break; sleep 0.1; done;"
      "wc -l < rows; exec 3>&-; wait");
  CHECK(std::stoi(run.out) == 2);
}
