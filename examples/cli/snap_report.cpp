// SPDX-License-Identifier: MIT
// What SnapStatistics says, for people and for programs.
#include <algorithm>

#include "failure.hpp"
#include "snap_statistics.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::size_t most_rows_of_text = 40;
constexpr std::size_t most_names_of_text = 12;

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Json place_json(const ListPlace& place) {
  Json json = {{"line", place.line}};
  json["name"] = place.name.empty() ? Json(nullptr) : Json(place.name);
  return json;
}

/// The pictures that are left over once full batches are made in the order of the list.
std::vector<const ListPlace*> left_over(const BucketTotals& bucket, std::uint64_t batch) {
  std::vector<const ListPlace*> list;
  const std::size_t count = std::min<std::size_t>(bucket.last.size(), bucket.count % batch);
  for (std::size_t i = bucket.last.size() - count; i < bucket.last.size(); ++i) list.push_back(&bucket.last[i]);
  return list;
}

}  // namespace

Table SnapStatistics::histogram(bool for_people) const {
  constexpr double longest_bar = 20;
  std::vector<Column> columns = {{"ratio_index", "bucket"},
                                 {"size", size_heading(head_.order), Audience::people},
                                 {"height", "", Audience::programs},
                                 {"width", "", Audience::programs},
                                 {"common_ratio", "w:h", Audience::all, true},
                                 {"count", "images"},
                                 {"share", "share"},
                                 {"crop_mean_share", "crop: mean"},
                                 {"crop_largest_share", "largest"},
                                 {"crop_possible_share", "possible"}};
  if (head_.follows) columns.push_back({"base_size", "base size"});
  if (head_.batch > 0) {
    columns.push_back({"full_batches", "full batches"});
    columns.push_back({"left_over", "left over"});
  }
  columns.push_back({"bar", "", Audience::people, true});
  Table table(columns);
  const std::uint64_t all = total();
  std::uint64_t most = 1;
  for (const BucketTotals& bucket : buckets_) most = std::max(most, bucket.count);
  for (const BucketTotals* bucket : shown(!for_people && !head_.follows)) {
    if (for_people && head_.follows && table.size() == most_rows_of_text) break;
    const bool is_rest = bucket->size.height == 0;  // sizes beyond those that are told apart
    const double share = share_of(bucket->count, all);
    const double mean = bucket->share_sum.mean(bucket->image_count);
    const bool has_images = bucket->image_count > 0;
    std::vector<Cell> row = {
        is_rest ? Cell{nullptr} : Cell{bucket->ratio_index},
        is_rest ? std::string("other sizes") : size_text(bucket->size, head_.order),
        bucket->size.height,
        bucket->size.width,
        is_rest ? std::string() : name_of(nearest_common_ratio(bucket->size)),
        bucket->count,
        {share, percent_text(share)},
        has_images ? Cell{mean, percent_text(mean)} : Cell{nullptr},
        has_images ? Cell{bucket->largest_share, percent_text(bucket->largest_share)} : Cell{nullptr},
        head_.follows ? Cell{nullptr} : Cell{bucket->possible_share, percent_text(bucket->possible_share)}};
    if (head_.follows) row.emplace_back(bucket->base_size);
    if (head_.batch > 0) {
      row.emplace_back(bucket->count / head_.batch);
      row.emplace_back(bucket->count % head_.batch);
    }
    const double bar = std::ceil(longest_bar * share_of(bucket->count, most));
    row.emplace_back(std::string(static_cast<std::size_t>(bar), '#'));
    table.add(std::move(row));
  }
  return table;
}

std::string SnapStatistics::crop_text() const {
  const BucketTotals all = sums();
  if (all.image_count == 0) return "";
  std::string out = "Cropped away after resizing (share of the pixels): mean " +
                    percent_text(all.share_sum.mean(all.image_count)) + ", median " +
                    percent_text(median_share(all.image_count)) + ", largest " + percent_text(all.largest_share);
  if (all.largest_share > 0) {
    out += " (" + size_text(all.largest_size, head_.order) + ", number " + std::to_string(all.largest.line);
    if (!all.largest.name.empty()) out += ", " + printable(all.largest.name);
    out += ")";
  }
  return out + ".\nEnlarged: " + counted(all.enlarged_count, "image") + ", " +
         percent_text(share_of(all.enlarged_count, all.image_count)) + ".\n";
}

std::string SnapStatistics::worst_text() const {
  if (head_.worst == 0 || worst_.empty()) return "";
  Table table({{"share", "cropped"},
               {"size", size_heading(head_.order)},
               {"bucket", "bucket"},
               {"target", "its size"},
               {"name", "image", Audience::all, true}});
  for (const WorstCrop& crop : worst_first()) {
    table.add({percent_text(crop.share), size_text(crop.size, head_.order), crop.ratio_index,
               size_text(crop.target, head_.order), crop.place.text()});
  }
  return "The largest crops:\n" + table.text();
}

std::string SnapStatistics::batch_text() const {
  if (head_.batch == 0) return "";
  std::uint64_t full = 0;
  std::uint64_t with_rest = 0;
  std::uint64_t rest = 0;
  std::string names;
  std::string warnings;
  for (const BucketTotals* bucket : shown(false)) {
    full += bucket->count / head_.batch;
    with_rest += bucket->count / head_.batch + (bucket->count % head_.batch != 0 ? 1 : 0);
    rest += bucket->count % head_.batch;
    const std::string place =
        "bucket " + std::to_string(bucket->ratio_index) + " (" + size_text(bucket->size, head_.order) + ")";
    const std::vector<const ListPlace*> left = left_over(*bucket, head_.batch);
    if (!left.empty()) names += "Left over in " + place + ": ";
    for (std::size_t i = 0; i < left.size() && i < most_names_of_text; ++i) {
      names += (i == 0 ? "" : ", ") + left[i]->text();
    }
    if (left.size() > most_names_of_text) {
      names += " and " + std::to_string(left.size() - most_names_of_text) + " more (all with --format json)";
    }
    if (!left.empty()) names += ".\n";
    if (bucket->count < head_.batch) {
      warnings += "Warning: " + place + " has " + counted(bucket->count, "image") + ", fewer than a batch.\n";
    }
  }
  return "Batches of " + std::to_string(head_.batch) + ": " + counted(full, "step") + " an epoch with full batches, " +
         std::to_string(with_rest) + " with incomplete ones; " + counted(rest, "image") + " left over.\n" + names +
         warnings;
}

Json SnapStatistics::batch_json() const {
  std::uint64_t full = 0;
  std::uint64_t with_rest = 0;
  std::uint64_t rest = 0;
  Json left = Json::array();
  Json below = Json::array();
  for (const BucketTotals* bucket : shown(false)) {
    full += bucket->count / head_.batch;
    with_rest += bucket->count / head_.batch + (bucket->count % head_.batch != 0 ? 1 : 0);
    rest += bucket->count % head_.batch;
    Json entry = {{"ratio_index", bucket->ratio_index}};
    entry.update(size_json(bucket->size));
    if (bucket->count < head_.batch) below.push_back(entry);
    entry["images"] = Json::array();
    for (const ListPlace* place : left_over(*bucket, head_.batch)) entry["images"].push_back(place_json(*place));
    if (!entry["images"].empty()) left.push_back(entry);
  }
  return {{"size", head_.batch},     {"steps_per_epoch", full}, {"steps_with_incomplete_batches", with_rest},
          {"left_over_count", rest}, {"left_over", left},       {"buckets_below_batch", below}};
}

std::string SnapStatistics::dropped_text() const {
  std::string out;
  for (std::size_t i = 1; i < drop_count; ++i) {
    const char* name = name_of(static_cast<Drop>(i));
    if (!head_.filters.contains(name)) continue;
    const Json& limit = head_.filters[name];
    out += (out.empty() ? "Dropped by " : ", by ") + ("--" + std::string(name)) +
           (limit == "yes" ? "" : " " + limit.get<std::string>()) + ": " + std::to_string(dropped_[i]);
  }
  return out.empty() ? "" : out + ".\n";
}

std::string SnapStatistics::text() const {
  const std::uint64_t all = total();
  std::string out = counted(all, "size") + ", " + std::to_string(refused_) + " refused";
  if (!head_.filters.empty()) out += ", " + std::to_string(dropped()) + " dropped";
  out += ". " + head_.title + ".\n";
  for (std::size_t i = 0; i < readings_.size(); ++i) out += (i == 0 ? "Read from " : "; ") + readings_[i];
  if (!readings_.empty()) out += ". ";
  out += "Printed as " + std::string(size_heading(head_.order)) + ".\n";
  out += dropped_text();
  if (turned_ > 0) out += "Turned by their orientation: " + counted(turned_, "image") + ".\n";
  if (all == 0) return out;
  out += histogram(true).text();
  const std::vector<const BucketTotals*> buckets = shown(false);
  if (head_.follows && buckets.size() > most_rows_of_text) {
    std::uint64_t count = 0;
    for (std::size_t i = most_rows_of_text; i < buckets.size(); ++i) count += buckets[i]->count;
    out += "and " + counted(buckets.size() - most_rows_of_text, "further size") + " with " + counted(count, "image") +
           ".\n";
  }
  return out + crop_text() + worst_text() + batch_text();
}

Json SnapStatistics::json() const {
  const BucketTotals all = sums();
  Json json = head_.model;
  json["read_from"] = readings_;
  json["line_count"] = lines_;
  json["size_count"] = all.count;
  json["refused_count"] = refused_;
  json["dropped_count"] = dropped();
  json["turned_count"] = turned_;
  json["filters"] = head_.filters;
  Json by_reason = Json::object();
  for (std::size_t i = 1; i < drop_count; ++i) {
    const char* name = name_of(static_cast<Drop>(i));
    if (head_.filters.contains(name)) by_reason[name] = dropped_[i];
  }
  json["dropped"] = by_reason;
  json["histogram"] = histogram(false).json();
  Json crop = nullptr;
  if (all.image_count > 0) {
    const bool has_largest = all.largest_share > 0;
    crop = {{"image_count", all.image_count},
            {"mean_share", all.share_sum.mean(all.image_count)},
            {"median_share", median_share(all.image_count)},
            {"largest_share", all.largest_share},
            {"largest_line", has_largest ? Json(all.largest.line) : Json(nullptr)},
            {"largest_name", has_largest ? place_json(all.largest)["name"] : Json(nullptr)},
            {"enlarged_count", all.enlarged_count},
            {"enlarged_share", share_of(all.enlarged_count, all.image_count)}};
  }
  json["crop"] = crop;
  if (head_.worst > 0) {
    json["worst"] = Json::array();
    for (const WorstCrop& worst : worst_first()) {
      Json entry = place_json(worst.place);
      entry["cropped_share"] = worst.share;
      entry["ratio_index"] = worst.ratio_index;
      entry["request_height"] = worst.size.height;
      entry["request_width"] = worst.size.width;
      entry.update(size_json(worst.target));
      json["worst"].push_back(entry);
    }
  }
  if (head_.batch > 0) json["batch"] = batch_json();
  return json;
}

std::string SnapStatistics::csv() const { return histogram(false).csv(); }

}  // namespace hunyuan_reso::cli
