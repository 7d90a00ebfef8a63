// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP
#define HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP

#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "snap_buckets.hpp"
#include "snap_filters.hpp"

namespace hunyuan_reso::cli {

/// Where a picture was in the list, and its name where it has one.
struct ListPlace {
  std::uint64_t line = 0;
  std::string name;
  /// The name, or "line 7".
  [[nodiscard]] std::string text() const;
};

/// A sum of shares, exact, so that its parts may be added in any order. In units of 2^-53, of which every share is a
/// whole number.
struct ShareSum {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void add(double share) noexcept { add({static_cast<std::uint64_t>(share * 9007199254740992.0), 0}); }
  void add(const ShareSum& other) noexcept {
    low += other.low;
    high += other.high + (low < other.low ? 1U : 0U);
  }
  /// Divided by a count; 0 for none.
  [[nodiscard]] double mean(std::uint64_t count) const noexcept;
};

/// What is known about the pictures of one bucket.
struct BucketTotals {
  Resolution size{};
  std::size_t ratio_index = 0;
  std::int32_t base_size = 0;
  double possible_share = 0;  ///< the most that any size of the bucket can lose; 1: no limit

  std::uint64_t count = 0;        ///< sizes, ratios and ratio tokens included
  std::uint64_t image_count = 0;  ///< sizes in pixels
  std::uint64_t enlarged_count = 0;
  ShareSum share_sum{};
  double largest_share = 0;
  Resolution largest_size{};
  ListPlace largest;
  std::deque<ListPlace> last;  ///< the last ones, up to one less than a batch
};

/// One of the pictures that lose most.
struct WorstCrop {
  double share = 0;
  ListPlace place;
  Resolution size{};
  Resolution target{};
  std::size_t ratio_index = 0;
};

/// What a summary is about; two can be merged where theirs are equal.
struct SummaryHead {
  std::string title;  ///< "instruct, base size 1024"
  Json model;         ///< profile, base_size and so on, with the order of sides
  Json filters = Json::object();
  SideOrder order = SideOrder::height_width;
  bool follows = false;     ///< buckets are the sizes that came up, not the rows of the group
  std::uint64_t batch = 0;  ///< images in a batch; 0: not asked for
  std::uint64_t worst = 0;  ///< how many of the largest crops are listed
};

/// How many sizes went to each bucket, and what resizing and centre cropping does to them. Memory does not grow with
/// the list but for what a report names, and for the distinct sizes where requests are followed (to a limit).
class SnapStatistics {
 public:
  SnapStatistics(const Buckets& buckets, const FilterLimits& filters, std::uint64_t batch, std::uint64_t worst);

  /// The number of the bucket that a size went to.
  [[nodiscard]] std::size_t bucket_of(const Place& place) {
    return head_.follows ? followed_bucket(place) : place.ratio_index;
  }
  /// A size in pixels.
  void add(std::size_t bucket, Resolution size, const CropLoss& loss, std::uint64_t line, std::string_view name) {
    BucketTotals& totals = buckets_[bucket];
    ++totals.count;
    ++totals.image_count;
    totals.enlarged_count += loss.enlarged ? 1U : 0U;
    totals.share_sum.add(loss.share);
    ++bins_[static_cast<std::size_t>(loss.share * bin_count)];
    if (loss.share > totals.largest_share) {
      totals.largest_share = loss.share;
      totals.largest_size = size;
      totals.largest.line = line;
      totals.largest.name = name;
    }
    if (head_.batch > 0) keep_last(totals, line, name);
    if (head_.worst > 0 && loss.share > worst_limit_) keep_worst(totals, size, loss.share, line, name);
  }
  /// A ratio or a ratio token: there is nothing to crop.
  void add(std::size_t bucket, std::uint64_t line, std::string_view name) {
    ++buckets_[bucket].count;
    if (head_.batch > 0) keep_last(buckets_[bucket], line, name);
  }
  void add_refused() noexcept { ++refused_; }
  void add_dropped(Drop drop) noexcept { ++dropped_[static_cast<std::size_t>(drop)]; }
  void add_turned() noexcept { ++turned_; }
  /// How a list was read: "csv, width from column 2 'width', ...".
  void set_reading(const std::string& reading, std::uint64_t header_lines);
  void set_lines(std::uint64_t lines) noexcept { lines_ = lines; }

  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

  /// For people: a histogram with bars, the crop, the batches, what was dropped.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Json json() const;
  /// The histogram only.
  [[nodiscard]] std::string csv() const;

  /// `json` with what merging needs, under the key "merge".
  [[nodiscard]] Json mergeable() const;
  /// Reads it back; `name` is the file's, for the Refusal.
  [[nodiscard]] static SnapStatistics from_json(const Json& json, const std::string& name);
  /// Adds a list that comes after this one. Throws Refusal, naming the file and what differs.
  void merge(const SnapStatistics& other, const std::string& name);

 private:
  SnapStatistics() : bins_(bin_count + 1) {}

  static constexpr std::size_t bin_count = 10000;  // of a hundredth of a per cent
  static constexpr std::size_t most_followed = 65536;

  [[nodiscard]] std::size_t followed_bucket(const Place& place);
  [[nodiscard]] std::size_t followed_bucket(const BucketTotals& key);
  void keep_last(BucketTotals& totals, std::uint64_t line, std::string_view name) const;
  void keep_worst(const BucketTotals& totals, Resolution size, double share, std::uint64_t line, std::string_view name);

  [[nodiscard]] std::uint64_t total() const;
  [[nodiscard]] std::uint64_t dropped() const;
  /// Of the whole list.
  [[nodiscard]] BucketTotals sums() const;
  [[nodiscard]] double median_share(std::uint64_t image_count) const;
  /// The buckets in the order in which they are shown.
  [[nodiscard]] std::vector<const BucketTotals*> shown(bool with_empty) const;
  [[nodiscard]] std::vector<WorstCrop> worst_first() const;
  [[nodiscard]] Table histogram(bool for_people) const;
  [[nodiscard]] std::string crop_text() const;
  [[nodiscard]] std::string worst_text() const;
  [[nodiscard]] std::string batch_text() const;
  [[nodiscard]] Json batch_json() const;
  [[nodiscard]] std::string dropped_text() const;

  SummaryHead head_;
  std::vector<BucketTotals> buckets_;
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::size_t> followed_;
  std::vector<std::uint64_t> bins_;
  std::vector<WorstCrop> worst_;  // a heap, the least of them in front
  double worst_limit_ = 0;        // what a picture must lose to be listed
  std::vector<std::string> readings_;
  std::uint64_t lines_ = 0;
  std::uint64_t header_lines_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t turned_ = 0;
  std::array<std::uint64_t, drop_count> dropped_{};
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SNAP_STATISTICS_HPP
