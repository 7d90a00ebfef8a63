// SPDX-License-Identifier: MIT
#include "snap_buckets.hpp"

#include <algorithm>
#include <hunyuan_reso/crop.hpp>

#include "checked_json.hpp"
#include "encoding.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "size_list.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Height and width of a row of JSON: {"height": 1024, "width": 768}, or [1024, 768] and "1024x768" in the order.
Resolution json_row(const Json& row, const Selection& selection, const std::string& where) {
  if (row.is_string()) {
    const auto text = row.get<std::string>();
    const Result<ImageSize> size = parse_size(text, selection.profile(), selection.order);
    if (!size || size->kind != ImageSizeKind::pixels)
      refuse_key(where, "expected " + std::string(size_form(selection.order)));
    return size->size;
  }
  const auto side = [&](const Json& value, const std::string& place) {
    return static_cast<std::int32_t>(whole_of(value, place, 1, max_side));
  };
  if (row.is_array() && row.size() == 2) {
    const std::int32_t first = side(row[0], where + "[0]");
    const std::int32_t second = side(row[1], where + "[1]");
    return selection.order == SideOrder::width_height ? Resolution{second, first} : Resolution{first, second};
  }
  if (!row.is_object() || !row.contains("height") || !row.contains("width")) {
    refuse_key(where, "expected an object with height and width, but got " + written(row));
  }
  return {side(row["height"], where + ".height"), side(row["width"], where + ".width")};
}

std::vector<Resolution> rows_of_json(const std::string& text, const Selection& selection, const std::string& name) {
  Json json = parse_json(text, name);
  std::string where = name;
  if (json.is_object()) {
    if (!json.contains("rows")) refuse_key(name, "expected the key rows, as `table --format json` writes it");
    json = Json(json["rows"]);
    where += ".rows";
  }
  if (!json.is_array()) refuse_key(where, "expected a list of rows, but got " + written(json));
  std::vector<Resolution> rows;
  for (std::size_t i = 0; i < json.size(); ++i) {
    rows.push_back(json_row(json[i], selection, where + "[" + std::to_string(i) + "]"));
  }
  return rows;
}

/// Sizes between separators; `#` starts a comment up to the end of the line.
std::vector<Resolution> rows_of_text(const std::string& text, const char* separators, const Selection& selection,
                                     const std::string& name) {
  std::vector<Resolution> rows;
  std::size_t start = 0;
  for (std::uint64_t number = 1; start <= text.size(); ++number) {
    const std::size_t end = std::min(text.find_first_of(separators, start), text.size());
    std::string row = text.substr(start, end - start);
    start = end + 1;
    row.erase(std::min(row.find('#'), row.size()));
    if (row.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (row.back() == '\r') row.pop_back();
    const Result<ImageSize> size = parse_size(row, selection.profile(), selection.order);
    const std::string place = name + ", row " + std::to_string(number);
    if (!size) throw Refusal(point_at(place, row, size.position(), size_refusal(row, size, selection.order)));
    if (size->kind != ImageSizeKind::pixels) {
      throw Refusal(point_at(place, row, 0, "expected pixels, " + std::string(size_form(selection.order))));
    }
    rows.push_back(size->size);
  }
  return rows;
}

/// Whether a value of --rows is the list itself: nothing but digits and separators.
bool is_list(const std::string& text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789xX*,; \t") == std::string::npos &&
         text.find_first_of("xX*,") != std::string::npos;
}

std::vector<Resolution> read_rows(const std::string& given, const Selection& selection) {
  if (is_list(given)) {
    // "1024x768,768x1024", and "1024,768;768,1024" where a comma stands inside a pair.
    const bool has_x = given.find_first_of("xX*") != std::string::npos;
    return rows_of_text(given, has_x ? ",; \t" : ";", selection, "--rows");
  }
  std::string text = read_file(given);
  const std::string name = "'" + printable(given) + "'";
  if (const std::string fault = encoding_fault(text); !fault.empty()) throw Refusal(name + ": " + fault);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.erase(0, 3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && (text[first] == '{' || text[first] == '[');
  return is_json ? rows_of_json(text, selection, name) : rows_of_text(text, "\n", selection, name);
}

}  // namespace

Buckets::Buckets(const Selection& selection) : selection_(selection) {
  group_ = *Group::from_rows(selection.group().begin(), selection.group().size());
}

Buckets::Buckets(const Selection& selection, const std::string& rows) : selection_(selection), has_own_rows_(true) {
  const std::vector<Resolution> list = read_rows(rows, selection);
  const Result<Group> group = Group::from_rows(list.data(), list.size());
  if (group.error() == Errc::capacity_exceeded) {
    throw Refusal("--rows: " + std::to_string(list.size()) + " rows, expected at most " +
                  std::to_string(Group::capacity()));
  }
  if (!group) throw Refusal("--rows: " + reason_of(group.error()));
  group_ = *group;
}

bool Buckets::follows_requests() const {
  return !has_own_rows_ && (selection_.grid_mode != GridMode::snap || selection_.profile().follows_aligned_requests);
}

Place Buckets::row(std::size_t ratio_index) const {
  const Resolution size = group_[ratio_index];
  const ModelProfile& profile = selection_.profile();
  const std::int64_t tokens =
      std::int64_t{size.height / profile.token_pixels_high()} * (size.width / profile.token_pixels_wide());
  return {size, ratio_index, tokens, has_own_rows_ ? 0 : selection_.group().base_size()};
}

Result<Place> Buckets::place(const ImageSize& requested) const {
  if (!has_own_rows_) {
    const Result<ImageInfo> info = build_gen_image_info(selection_.model, requested, selection_.grid_mode);
    if (!info) return {info.error(), info.position()};
    return Place{info->image_size(), info->ratio_index, info->image_token_length, info->base_size};
  }
  if (requested.kind == ImageSizeKind::automatic) return Errc::image_size_is_auto;
  if (requested.kind == ImageSizeKind::ratio_index) return Errc::no_ratio_token;
  if (!requested.size.is_positive()) return Errc::side_not_positive;
  return row(group_.snap(requested.size));
}

Result<TokenId> Buckets::ratio_token_id(std::size_t ratio_index) const {
  if (has_own_rows_) return Errc::no_ratio_token;
  return hunyuan_reso::ratio_token_id(selection_.profile(), ratio_index);
}

std::string Buckets::reason(Errc error) const {
  if (has_own_rows_ && error == Errc::no_ratio_token) return "<img_ratio_i> names a row of a model, not one of --rows";
  return reason_of(error, selection_.order);
}

double Buckets::largest_possible_share(std::size_t ratio_index) const {
  double largest = 0;
  bool has_lower = false;
  bool has_upper = false;
  const CropTarget target(group_[ratio_index]);
  for (std::size_t k = 0; k < group_.threshold_count(); ++k) {
    const SnapThreshold threshold = group_.threshold(k);
    if (threshold.lower != ratio_index && threshold.upper != ratio_index) continue;
    (threshold.lower == ratio_index ? has_upper : has_lower) = true;
    largest = std::max(largest, target.loss(threshold.last).share);
  }
  const bool is_reached = has_lower || has_upper || group_.snap({1, 1}) == ratio_index;
  if (!is_reached) return 0;  // a row behind another one of the same ratio: no size goes there
  return has_lower && has_upper ? largest : 1;
}

std::string Buckets::title() const {
  if (!has_own_rows_) return selection_.title();
  return std::to_string(group_.size()) + (group_.size() == 1 ? " row" : " rows") + " of one's own";
}

Json Buckets::json() const {
  if (!has_own_rows_) return selection_.json();
  Json rows = Json::array();
  for (const Resolution row : group_) rows.push_back(size_json(row));
  return {{"profile", selection_.profile().name}, {"rows", rows}, {"order", name_of(selection_.order)}};
}

}  // namespace hunyuan_reso::cli
