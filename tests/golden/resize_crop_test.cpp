// SPDX-License-Identifier: MIT
// resize_crop.json: how a conditioning image is brought to its row.
#include <hunyuan_reso/crop.hpp>

#include <map>

#include "common.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::ResizeCrop;
using hunyuan_reso::Resolution;
using hunyuan_reso::Result;

/// "instruct_1024", "base_1024" or "noalign_1000" (the Instruct rows without alignment); null for anything else.
const AnyGroup* named_group(const std::string& name) {
  static std::map<std::string, AnyGroup> groups;
  const std::size_t line = name.rfind('_');
  const std::string kind = name.substr(0, line);
  if (line == std::string::npos || (kind != "instruct" && kind != "base" && kind != "noalign")) return nullptr;
  const auto found = groups.find(name);
  if (found != groups.end()) return &found->second;
  const auto& profile = kind == "base" ? hunyuan_reso::profiles::base : hunyuan_reso::profiles::instruct;
  hunyuan_reso::GroupSpec spec = profile.group_spec(std::stoi(name.substr(line + 1)), {});
  if (kind == "noalign") spec.align = 1;
  return &groups.emplace(name, spec).first->second;
}

void check_row(const std::map<std::string, std::size_t>& columns, const Json& row, Report& report) {
  const auto value = [&](const char* name) { return int32(row[columns.at(name)]); };
  const auto wide = [&](const char* name) { return row[columns.at(name)].integer(); };
  const auto original = Resolution::from_wh(value("w"), value("h"));
  const auto target = Resolution::from_wh(value("tw"), value("th"));
  const std::string group = row[columns.at("group")].text();
  report.begin_case(text_of(original) + " to " + text_of(target) + " (" + group + ")");
  const Result<ResizeCrop> result = hunyuan_reso::resize_and_center_crop(original, target);
  if (!result) return report.fail("refused");
  report.equal(result->resized_width, wide("resize_width"), "resized width");
  report.equal(result->resized_height, wide("resize_height"), "resized height");
  report.equal(result->crop_left, wide("crop_left"), "left");
  report.equal(result->crop_top, wide("crop_top"), "top");
  report.equal(plain::crop_flags(plain_size(original), plain_size(target)), wide("flags"), "flags");
  if (const AnyGroup* rows = named_group(group)) {
    const Resolution snapped = rows->rows()[rows->snap(original)];
    if (snapped != target) report.fail("snaps to " + text_of(snapped));
  } else if (group != "free") {
    report.not_applicable("target of the unknown group " + group);
  }
}

/// A mode is the list of calls that upstream makes on the image.
void check_mode(const Json& entry, Report& report) {
  const std::string mode = entry["crop_type"].text();
  if (entry.has("type")) return report.not_applicable("mode that upstream refuses; there is no such mode here");
  const auto original = Resolution::from_wh(int32(entry["w"]), int32(entry["h"]));
  const auto target = Resolution::from_wh(int32(entry["tw"]), int32(entry["th"]));
  if (mode == "random") return report.not_applicable("random crop");
  report.begin_case("mode " + mode + ", " + text_of(original) + " to " + text_of(target));
  const bool stretch = mode == "resize";
  const Result<ResizeCrop> result =
      stretch ? hunyuan_reso::resize_only(original, target) : hunyuan_reso::resize_and_center_crop(original, target);
  if (!result) return report.fail("refused");
  bool resized = false;
  for (const Json& call : entry["calls"].elements()) {
    const std::string name = call[std::size_t{0}].text();
    const Json box = call[1];
    if (name == "resize") {
      resized = true;
      report.equal(result->resized_width, box[std::size_t{0}].integer(), "resized width");
      report.equal(result->resized_height, box[1].integer(), "resized height");
    } else if (name == "crop") {
      // A given corner replaces the centred one; the window keeps the row's size.
      const bool given = entry.has("crop_coords");
      const std::int64_t left = given ? entry["crop_coords"][std::size_t{0}].integer() : result->crop_left;
      const std::int64_t top = given ? entry["crop_coords"][1].integer() : result->crop_top;
      report.is_true(!stretch, "a crop after a plain resize");
      report.equal(left, box[std::size_t{0}].integer(), "left");
      report.equal(top, box[1].integer(), "top");
      report.equal(left + target.width, box[2].integer(), "right");
      report.equal(top + target.height, box[3].integer(), "bottom");
    } else {
      report.fail("unknown call " + name);
    }
  }
  report.is_true(resized, "no resize");
}

void check_resize_crop(const Json& root, Report& report) {
  std::map<std::string, std::size_t> columns;
  for (const Json& column : root["columns"].elements()) columns.emplace(column.text(), columns.size());
  if (root.has("rows")) {
    for (const Json& row : root["rows"].elements()) check_row(columns, row, report);
  }
  if (root.has("modes")) {
    for (const Json& entry : root["modes"].elements()) check_mode(entry, report);
  }
}

const Registration registration{"resize_crop.json", check_resize_crop};

}  // namespace
}  // namespace hunyuan_reso_test
