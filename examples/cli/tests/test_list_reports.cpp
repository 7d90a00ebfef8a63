// SPDX-License-Identifier: MIT
// What a list's summary reports: filters, batches, crops, and rows of one's own.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <hunyuan_reso/crop.hpp>
#include <hunyuan_reso/presets.hpp>
#include <map>

#include "run_tool.hpp"

using namespace hunyuan_reso;
using nlohmann::json;

namespace {

struct Picture {
  std::string name;
  Resolution size;
};

/// A fixed set of pictures of many shapes, tiny and huge ones among them.
std::vector<Picture> pictures(int count) {
  std::uint64_t state = 77;
  const auto below = [&](std::int32_t end) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int32_t>((state >> 33) % static_cast<std::uint64_t>(end));
  };
  std::vector<Picture> list;
  for (int i = 0; i < count; ++i) {
    const std::int32_t longest = i % 5 == 0 ? 300 : 6000;
    list.push_back({"p" + std::to_string(i) + ".jpg", {1 + below(longest), 1 + below(longest)}});
  }
  return list;
}

std::string csv_of(const std::vector<Picture>& list) {
  std::string text = "name,height,width\n";
  for (const Picture& p : list) {
    text += p.name + "," + std::to_string(p.size.height) + "," + std::to_string(p.size.width) + "\n";
  }
  return text;
}

double share_of(Resolution size, Resolution target) {
  const ResizeCrop crop = *resize_and_center_crop(size, target);
  const double resized = static_cast<double>(crop.resized_height) * static_cast<double>(crop.resized_width);
  const auto kept = static_cast<double>(target.pixel_count());
  return resized > kept ? 1 - kept / resized : 0;
}

bool is_enlarged(Resolution size, Resolution target) {
  return size.ratio() < target.ratio() ? target.height > size.height : target.width > size.width;
}

json summary_of(const std::string& text, const std::string& options) {
  const Run run = run_tool("snap --from csv - --summary --format json " + options, text);
  CHECK_MESSAGE(run.status == 0, run.err);
  return parse_json(run.out);
}

const ResolutionGroup& group = group_for<profiles::instruct>;

}  // namespace

TEST_CASE("filters drop what they say, and say why") {
  const std::vector<Picture> list = pictures(3000);
  struct Filter {
    const char* options;
    const char* name;
    bool (*drops)(Resolution size, Resolution target);
  };
  static constexpr Filter filters[] = {
      {"--min-side 512", "min-side", [](Resolution s, Resolution) { return std::min(s.height, s.width) < 512; }},
      {"--max-side 4000", "max-side", [](Resolution s, Resolution) { return std::max(s.height, s.width) > 4000; }},
      {"--min-pixels 250000", "min-pixels", [](Resolution s, Resolution) { return s.pixel_count() < 250000; }},
      {"--max-pixels 9000000", "max-pixels", [](Resolution s, Resolution) { return s.pixel_count() > 9000000; }},
      {"--max-aspect 2.5", "max-aspect",
       [](Resolution s, Resolution) {
         return 2 * std::int64_t{std::max(s.height, s.width)} > 5 * std::int64_t{std::min(s.height, s.width)};
       }},
      {"--max-aspect 16:9", "max-aspect",
       [](Resolution s, Resolution) {
         return 9 * std::int64_t{std::max(s.height, s.width)} > 16 * std::int64_t{std::min(s.height, s.width)};
       }},
      {"--no-enlarge", "no-enlarge", [](Resolution s, Resolution t) { return is_enlarged(s, t); }},
      {"--max-crop 3", "max-crop", [](Resolution s, Resolution t) { return share_of(s, t) > 0.03; }},
      {"--max-crop 0", "max-crop", [](Resolution s, Resolution t) { return share_of(s, t) > 0; }},
  };
  for (const Filter& filter : filters) {
    const Run run = run_tool("snap --from csv - --quiet --format json " + std::string(filter.options), csv_of(list));
    CHECK(run.status == 0);
    const std::vector<std::string> rows = lines_of(run.out);
    REQUIRE(rows.size() == list.size());
    std::uint64_t dropped = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const json row = parse_json(rows[i]);
      const Resolution target = group[group.snap(list[i].size)];
      const bool drops = filter.drops(list[i].size, target);
      dropped += drops ? 1U : 0U;
      REQUIRE(row["name"] == list[i].name);
      REQUIRE(row["dropped"] == (drops ? json(filter.name) : json(nullptr)));
      REQUIRE(row["reason"].is_null() != drops);
      REQUIRE(row["ratio_index"].is_null() == drops);
    }
    CHECK(dropped > 0);
    CHECK(dropped < list.size());
    const json summary = summary_of(csv_of(list), filter.options);
    CHECK(summary["dropped_count"] == dropped);
    CHECK(summary["dropped"][filter.name] == dropped);
    CHECK(summary["size_count"] == list.size() - dropped);
    CHECK(contains(run_tool("snap --from csv - --summary " + std::string(filter.options), csv_of(list)).out,
                   ": " + std::to_string(dropped) + "."));
  }
}

TEST_CASE("several filters: the first one that applies is the reason, and limits themselves pass") {
  const auto reason = [](const std::string& size, const std::string& options) {
    const Run run = run_tool("snap --format csv --quiet " + size + " " + options);
    const std::vector<std::string> cells = split(lines_of(run.out)[1], ',');
    return cells[cells.size() - 2] + ": " + cells.back();
  };
  CHECK(reason("500x900", "--min-side 512 --max-side 800 --max-crop 0") == "min-side: shorter side 500 < 512");
  CHECK(reason("600x900", "--min-side 512 --max-side 800 --max-crop 0") == "max-side: longer side 900 > 800");
  CHECK(reason("600x900", "--min-pixels 540001") == "min-pixels: 540000 pixels < 540001");
  CHECK(reason("600x900", "--max-pixels 539999") == "max-pixels: 540000 pixels > 539999");
  CHECK(reason("600x900", "--max-aspect 4:3") == "max-aspect: aspect 1.5000 > 4:3");
  CHECK(reason("600x900", "--no-enlarge") == "no-enlarge: it would be enlarged");
  CHECK(reason("600x900", "--min-side 600 --max-side 900 --min-pixels 540000 --max-pixels 540000 --max-aspect 1.5") ==
        ": ");
  CHECK(reason("1024x1024", "--no-enlarge --max-crop 0") == ": ");
  CHECK(reason("16:9", "--min-side 512 --no-enlarge") == ": ");
}

TEST_CASE("batches: full ones, what is left over and who that is") {
  const std::vector<Picture> list = pictures(2000);
  for (const std::uint64_t batch : {1U, 2U, 7U, 64U, 5000U}) {
    std::map<std::size_t, std::vector<std::string>> in_bucket;
    for (const Picture& p : list) in_bucket[group.snap(p.size)].push_back(p.name);
    const json summary = summary_of(csv_of(list), "--batch " + std::to_string(batch));
    std::uint64_t steps = 0, with_rest = 0, rest = 0, below = 0;
    std::map<std::size_t, std::vector<std::string>> left;
    for (const auto& [bucket, names] : in_bucket) {
      steps += names.size() / batch;
      with_rest += (names.size() + batch - 1) / batch;
      rest += names.size() % batch;
      below += names.size() < batch ? 1U : 0U;
      left[bucket].assign(names.end() - static_cast<std::ptrdiff_t>(names.size() % batch), names.end());
      CHECK(summary["histogram"][bucket]["full_batches"] == names.size() / batch);
      CHECK(summary["histogram"][bucket]["left_over"] == names.size() % batch);
    }
    CHECK(summary["batch"]["steps_per_epoch"] == steps);
    CHECK(summary["batch"]["steps_with_incomplete_batches"] == with_rest);
    CHECK(summary["batch"]["left_over_count"] == rest);
    CHECK(summary["batch"]["buckets_below_batch"].size() == below);
    std::uint64_t named = 0;
    for (const json& bucket : summary["batch"]["left_over"]) {
      std::vector<std::string> names;
      for (const json& image : bucket["images"]) names.push_back(image["name"]);
      CHECK(names == left[bucket["ratio_index"]]);
      named += names.size();
    }
    CHECK(named == rest);
    const Run text = run_tool("snap --from csv - --summary --batch " + std::to_string(batch), csv_of(list));
    CHECK(contains(text.out, "Batches of " + std::to_string(batch) + ": " + std::to_string(steps)));
    CHECK(contains(text.out, "fewer than a batch") == (below > 0));
  }
  // A plain list has numbers in place of names.
  CHECK(contains(run_tool("snap - --summary --batch 2", "512x512\n9x9\n300x300\n").out, ": line 3."));
}

TEST_CASE("the crop report") {
  const std::vector<Picture> list = pictures(2000);
  const json summary = summary_of(csv_of(list), "--worst 25");
  struct Loss {
    double share;
    std::size_t number;
  };
  std::vector<Loss> losses;
  std::vector<double> sums(group.size()), largest(group.size());
  std::vector<int> counts(group.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t bucket = group.snap(list[i].size);
    const double share = share_of(list[i].size, group[bucket]);
    losses.push_back({share, i});
    sums[bucket] += share;
    largest[bucket] = std::max(largest[bucket], share);
    ++counts[bucket];
  }
  std::stable_sort(losses.begin(), losses.end(), [](const Loss& a, const Loss& b) { return a.share > b.share; });
  REQUIRE(summary["worst"].size() == 25);
  for (std::size_t i = 0; i < 25; ++i) {
    CHECK(summary["worst"][i]["name"] == list[losses[i].number].name);
    CHECK(summary["worst"][i]["line"] == losses[i].number + 2);
    CHECK(summary["worst"][i]["cropped_share"] == losses[i].share);
  }
  for (std::size_t bucket = 0; bucket < group.size(); ++bucket) {
    const json& row = summary["histogram"][bucket];
    if (counts[bucket] == 0) {
      CHECK(row["crop_mean_share"].is_null());
      continue;
    }
    CHECK(row["crop_mean_share"].get<double>() == doctest::Approx(sums[bucket] / counts[bucket]).epsilon(1e-12));
    CHECK(row["crop_largest_share"] == largest[bucket]);
    CHECK(row["crop_possible_share"] >= row["crop_largest_share"]);
  }
  CHECK(
      summary_of(csv_of(list), "--worst 5000")["worst"].size() ==
      static_cast<std::size_t>(std::count_if(losses.begin(), losses.end(), [](const Loss& l) { return l.share > 0; })));
  const Run text = run_tool("snap --from csv - --summary --worst 1", csv_of(list));
  CHECK(contains(text.out, list[losses[0].number].name));
}

TEST_CASE("no size of a bucket loses more than the share that is given as possible") {
  const json summary = summary_of("name,height,width\na,1,1\n", "");
  std::vector<double> possible;
  for (const json& row : summary["histogram"]) possible.push_back(row["crop_possible_share"]);
  REQUIRE(possible.size() == group.size());
  std::vector<double> reached(group.size());
  for (std::int32_t height = 400; height <= 2400; height += 3) {
    for (std::int32_t width = 400; width <= 2400; ++width) {
      const Resolution size{height, width};
      const std::size_t bucket = group.snap(size);
      const Resolution row = group[bucket];
      // Without the rounding to whole pixels, which is up to half a pixel in 512.
      const double a = size.ratio() / row.ratio();
      reached[bucket] = std::max(reached[bucket], 1 - std::min(a, 1 / a));
    }
  }
  for (std::size_t bucket = 0; bucket < group.size(); ++bucket) {
    CHECK(reached[bucket] <= possible[bucket] + 0.001);
    if (possible[bucket] < 1) CHECK(reached[bucket] > possible[bucket] - 0.003);
  }
  // Only the two ends are open.
  CHECK(std::count(possible.begin(), possible.end(), 1.0) == 2);
}

TEST_CASE("rows of one's own") {
  const std::vector<Resolution> rows = {{640, 1536}, {1024, 1024}, {768, 1344}, {1344, 768}, {512, 512}, {333, 777}};
  const Result<ResolutionGroup> own = ResolutionGroup::from_rows(rows.data(), rows.size());
  REQUIRE(own);
  std::string list = "[", lines = "# mine\n", commas, pairs, turned;
  for (const Resolution& row : rows) {
    const std::string high = std::to_string(row.height), wide = std::to_string(row.width);
    list += std::string(list.size() > 1 ? "," : "") + "{\"height\":" + high + ",\"width\":" + wide + "}";
    lines += high + "x" + wide + "  # a row\r\n";
    commas += (commas.empty() ? "" : ",") + high + "x" + wide;
    pairs += (pairs.empty() ? "" : ";") + high + "," + wide;
    turned += (turned.empty() ? "" : " ") + wide + "x" + high;
  }
  write_text(scratch() / "rows.json", list + "]");
  write_text(scratch() / "table.json", "{\"rows\":" + list + "]}");
  write_text(scratch() / "rows.txt", lines);
  const std::vector<Picture> pictures_list = pictures(500);
  for (const std::string& value : {std::string("rows.json"), std::string("table.json"), std::string("rows.txt"), commas,
                                   pairs, turned + "' --order 'wh"}) {
    const Run run = run_tool("snap --from csv - --quiet --format csv --batch 3 --worst 2 --rows '" + value + "'",
                             csv_of(pictures_list));
    REQUIRE_MESSAGE(run.status == 0, value, ": ", run.err);
    const std::vector<std::string> out = lines_of(run.out);
    CHECK(out[0] == "line,name,request_height,request_width,ratio_index,height,width,image_token_length");
    REQUIRE(out.size() == pictures_list.size() + 1);
    for (std::size_t i = 0; i < pictures_list.size(); ++i) {
      const std::vector<std::string> cells = split(out[i + 1], ',');
      const std::size_t index = own->snap(pictures_list[i].size);
      REQUIRE(cells[4] == std::to_string(index));
      REQUIRE(cells[5] == std::to_string(rows[index].height));
    }
  }
  // The tool's own table gives the model's rows back.
  write_text(scratch() / "published.json", [] {
    std::string text = "{\"rows\":[";
    for (const Resolution row : group) {
      text += (text.back() == '[' ? "" : ",") + std::string("{\"height\":") + std::to_string(row.height) +
              ",\"width\":" + std::to_string(row.width) + ",\"ratio\":1.0}";
    }
    return text + "]}";
  }());
  const json same = parse_json(run_tool("snap 1080x1920 3:4 --rows published.json --format json").out);
  CHECK(same["sizes"][0]["ratio_index"] == group.snap({1080, 1920}));
  CHECK_FALSE(same["sizes"][0].contains("ratio_token_id"));
  CHECK_FALSE(same["sizes"][0].contains("base_size"));
  CHECK(contains(run_tool("snap 5x5 --rows 1x1").out, "1 row of one's own"));

  for (const char* bad :
       {"no-such-file", "1024x", "0x5", "1024x1024,", "16:9", "bad1.json", "bad2.json", "bad3.json", "empty.txt"}) {
    write_text(scratch() / "bad1.json", "{\"rows\":[{\"height\":1}]}");
    write_text(scratch() / "bad2.json", "{\"row\":[]}");
    write_text(scratch() / "bad3.json", "[[1,-2]]");
    write_text(scratch() / "empty.txt", "# nothing\n");
    const Run run = run_tool("snap 100x100 --rows '" + std::string(bad) + "'");
    if (std::string(bad) == "1024x1024,") continue;  // a comma at the end is no harm
    CHECK_MESSAGE(run.status == 1, bad);
  }
  std::string many;
  for (int i = 1; i <= 255; ++i) many += (i == 1 ? "" : ",") + std::to_string(i) + "x7";
  CHECK(contains(run_tool("snap 5x5 --rows " + many).err, "255 rows, expected at most 254"));
  CHECK(run_tool("snap 5x5 --rows 4x4 --base-size 512").status == 2);
  CHECK(run_tool("snap 5x5 --rows 4x4 --grid-mode follow_request").status == 2);
  const Run token = run_tool("snap '<img_ratio_3>' --rows 4x4,5x5");
  CHECK(token.status == 1);
  CHECK(contains(token.err, "names a row of a model"));
}

TEST_CASE("a profile that follows aligned requests is counted by the sizes that come out") {
  const json summary = parse_json(
      run_tool("snap - --profile panorama --summary --format json", "1024x1008\n1024x1008\n1000x1000\n").out);
  const Model& model = model_for<profiles::panorama>;
  const ImageInfo followed = *build_gen_image_info(model, Resolution{1024, 1008});
  CHECK(followed.image_size() == Resolution{1024, 1008});
  CHECK(summary["histogram"][0]["height"] == 1024);
  CHECK(summary["histogram"][0]["width"] == 1008);
  CHECK(summary["histogram"][0]["count"] == 2);
}
