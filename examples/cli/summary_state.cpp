// SPDX-License-Identifier: MIT
// A summary as a file, so that several machines can each do a part of a data set.
#include <algorithm>

#include "checked_json.hpp"
#include "failure.hpp"
#include "snap_statistics.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::int64_t state_version = 1;
constexpr std::int64_t most = (std::int64_t{1} << 53) - 1;

Json place_state(const ListPlace& place) { return Json::array({place.line, place.name}); }

/// Values of a document from outside, checked; a refusal names the place.
class State {
 public:
  State(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  [[nodiscard]] State at(const char* key) const {
    if (!json_.is_object() || !json_.contains(key)) refuse_key(where_, "the key " + std::string(key) + " is missing");
    return {json_[key], where_ + "." + key};
  }
  [[nodiscard]] State at(std::size_t i) const {
    if (!json_.is_array() || i >= json_.size()) refuse_key(where_, "expected a list of " + std::to_string(i + 1));
    return {json_[i], where_ + "[" + std::to_string(i) + "]"};
  }
  [[nodiscard]] std::size_t size() const {
    if (!json_.is_array()) refuse_key(where_, "expected a list");
    return json_.size();
  }
  [[nodiscard]] std::uint64_t count(std::int64_t largest = most) const {
    return static_cast<std::uint64_t>(whole_of(json_, where_, 0, largest));
  }
  [[nodiscard]] std::int32_t side() const { return static_cast<std::int32_t>(count(max_side)); }
  [[nodiscard]] std::uint64_t word() const {
    if (!json_.is_number_unsigned()) refuse_key(where_, "expected a whole number");
    return json_.get<std::uint64_t>();
  }
  [[nodiscard]] double share() const {
    if (!json_.is_number() || !(json_.get<double>() >= 0 && json_.get<double>() <= 1)) {
      refuse_key(where_, "expected a number from 0 to 1");
    }
    return json_.get<double>();
  }
  [[nodiscard]] bool flag() const {
    if (!json_.is_boolean()) refuse_key(where_, "expected true or false");
    return json_.get<bool>();
  }
  [[nodiscard]] std::string text() const {
    if (!json_.is_string()) refuse_key(where_, "expected a text");
    return json_.get<std::string>();
  }
  [[nodiscard]] Json object() const {
    if (!json_.is_object()) refuse_key(where_, "expected an object");
    return json_;
  }
  [[nodiscard]] Resolution resolution() const { return {at(std::size_t{0}).side(), at(1).side()}; }
  [[nodiscard]] ListPlace place() const { return {at(std::size_t{0}).count(), at(1).text()}; }

 private:
  const Json& json_;
  std::string where_;
};

Json resolution_state(Resolution size) { return Json::array({size.height, size.width}); }

Json bucket_state(const BucketTotals& bucket) {
  Json last = Json::array();
  for (const ListPlace& place : bucket.last) last.push_back(place_state(place));
  return {{"size", resolution_state(bucket.size)},
          {"ratio_index", bucket.ratio_index},
          {"base_size", bucket.base_size},
          {"possible_share", bucket.possible_share},
          {"count", bucket.count},
          {"image_count", bucket.image_count},
          {"enlarged_count", bucket.enlarged_count},
          {"share_sum", Json::array({bucket.share_sum.high, bucket.share_sum.low})},
          {"largest_share", bucket.largest_share},
          {"largest_size", resolution_state(bucket.largest_size)},
          {"largest", place_state(bucket.largest)},
          {"last", last}};
}

BucketTotals bucket_of_state(const State& state) {
  BucketTotals bucket;
  bucket.size = state.at("size").resolution();
  bucket.ratio_index = state.at("ratio_index").count(65535);
  bucket.base_size = state.at("base_size").side();
  bucket.possible_share = state.at("possible_share").share();
  bucket.count = state.at("count").count();
  bucket.image_count = state.at("image_count").count();
  bucket.enlarged_count = state.at("enlarged_count").count();
  bucket.share_sum.high = state.at("share_sum").at(std::size_t{0}).word();
  bucket.share_sum.low = state.at("share_sum").at(1).word();
  bucket.largest_share = state.at("largest_share").share();
  bucket.largest_size = state.at("largest_size").resolution();
  bucket.largest = state.at("largest").place();
  const State last = state.at("last");
  for (std::size_t i = 0; i < last.size(); ++i) bucket.last.push_back(last.at(i).place());
  return bucket;
}

}  // namespace

Json SnapStatistics::mergeable() const {
  Json buckets = Json::array();
  std::vector<const BucketTotals*> list;
  for (const BucketTotals& bucket : buckets_) list.push_back(&bucket);
  if (head_.follows) list = shown(true);  // so that the order does not tell how the parts were joined
  for (const BucketTotals* bucket : list) buckets.push_back(bucket_state(*bucket));
  Json bins = Json::array();
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i] > 0) bins.push_back(Json::array({i, bins_[i]}));
  }
  Json worst = Json::array();
  for (const WorstCrop& crop : worst_first()) {
    worst.push_back({{"share", crop.share},
                     {"place", place_state(crop.place)},
                     {"size", resolution_state(crop.size)},
                     {"target", resolution_state(crop.target)},
                     {"ratio_index", crop.ratio_index}});
  }
  Json json = this->json();
  json["merge"] = {{"version", state_version}, {"title", head_.title},          {"model", head_.model},
                   {"filters", head_.filters}, {"order", name_of(head_.order)}, {"follows", head_.follows},
                   {"batch", head_.batch},     {"worst", head_.worst},          {"readings", readings_},
                   {"lines", lines_},          {"header_lines", header_lines_}, {"refused", refused_},
                   {"turned", turned_},        {"dropped", dropped_},           {"bins", bins},
                   {"buckets", buckets},       {"worst_crops", worst}};
  return json;
}

SnapStatistics SnapStatistics::from_json(const Json& json, const std::string& name) {
  if (!json.is_object() || !json.contains("merge")) {
    throw Refusal(name + ": expected what snap --summary-json writes");
  }
  const State state(json["merge"], name + ": merge");
  if (const std::uint64_t version = state.at("version").count(); version != state_version) {
    throw Refusal(name + ": written by another version of the tool (" + std::to_string(version) + "; this one reads " +
                  std::to_string(state_version) + ")");
  }
  SnapStatistics statistics;
  SummaryHead& head = statistics.head_;
  head.title = state.at("title").text();
  head.model = state.at("model").object();
  head.filters = state.at("filters").object();
  for (const auto& limit : head.filters.items()) {
    if (!limit.value().is_string()) refuse_key(name + ": merge.filters", "expected texts");
  }
  if (state.at("order").text() == "wh") head.order = SideOrder::width_height;
  head.follows = state.at("follows").flag();
  head.batch = state.at("batch").count();
  head.worst = state.at("worst").count();
  const State readings = state.at("readings");
  for (std::size_t i = 0; i < readings.size(); ++i) statistics.readings_.push_back(readings.at(i).text());
  statistics.lines_ = state.at("lines").count();
  statistics.header_lines_ = state.at("header_lines").count();
  statistics.refused_ = state.at("refused").count();
  statistics.turned_ = state.at("turned").count();
  for (std::size_t i = 0; i < drop_count; ++i) statistics.dropped_[i] = state.at("dropped").at(i).count();
  const State bins = state.at("bins");
  for (std::size_t i = 0; i < bins.size(); ++i) {
    statistics.bins_[bins.at(i).at(std::size_t{0}).count(bin_count)] += bins.at(i).at(1).count();
  }
  const State buckets = state.at("buckets");
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    BucketTotals bucket = bucket_of_state(buckets.at(i));
    if (!head.follows) {
      statistics.buckets_.push_back(std::move(bucket));
      continue;
    }
    const std::size_t place = statistics.followed_bucket(bucket);
    statistics.buckets_[place] = std::move(bucket);
  }
  const State worst = state.at("worst_crops");
  for (std::size_t i = 0; i < worst.size(); ++i) {
    const State crop = worst.at(i);
    statistics.worst_.push_back({crop.at("share").share(), crop.at("place").place(), crop.at("size").resolution(),
                                 crop.at("target").resolution(),
                                 static_cast<std::size_t>(crop.at("ratio_index").count(65535))});
  }
  return statistics;
}

}  // namespace hunyuan_reso::cli
