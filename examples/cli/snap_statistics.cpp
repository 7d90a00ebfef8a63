// SPDX-License-Identifier: MIT
#include "snap_statistics.hpp"

#include <algorithm>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Whether a crop comes after another one in the list of the worst.
bool is_less_bad(const WorstCrop& a, const WorstCrop& b) {
  return a.share != b.share ? a.share < b.share : a.place.line > b.place.line;
}
/// For a heap whose front is the least bad.
bool comes_first(const WorstCrop& a, const WorstCrop& b) { return is_less_bad(b, a); }

}  // namespace

std::string ListPlace::text() const { return name.empty() ? "line " + std::to_string(line) : printable(name); }

double ShareSum::mean(std::uint64_t count) const noexcept {
  if (count == 0) return 0;
  const double sum = static_cast<double>(high) * 18446744073709551616.0 + static_cast<double>(low);
  return sum / 9007199254740992.0 / static_cast<double>(count);
}

SnapStatistics::SnapStatistics(const Buckets& buckets, const FilterLimits& filters, std::uint64_t batch,
                               std::uint64_t worst)
    : bins_(bin_count + 1) {
  head_.title = buckets.title();
  head_.model = buckets.json();
  head_.filters = filters.json();
  head_.order = buckets.selection().order;
  head_.follows = buckets.follows_requests();
  head_.batch = batch;
  head_.worst = worst;
  for (std::size_t i = 0; !head_.follows && i < buckets.group().size(); ++i) {
    const Place row = buckets.row(i);
    BucketTotals totals;
    totals.size = row.size;
    totals.ratio_index = i;
    totals.base_size = row.base_size;
    totals.possible_share = buckets.largest_possible_share(i);
    buckets_.push_back(totals);
  }
}

std::size_t SnapStatistics::followed_bucket(const Place& place) {
  BucketTotals key;
  key.size = place.size;
  key.ratio_index = place.ratio_index;
  key.base_size = place.base_size;
  return followed_bucket(key);
}

std::size_t SnapStatistics::followed_bucket(const BucketTotals& key) {
  auto at = std::make_tuple(key.size.height, key.size.width, key.base_size);
  const auto known = followed_.find(at);
  if (known != followed_.end()) return known->second;
  BucketTotals totals;
  if (buckets_.size() < most_followed) {
    totals.size = key.size;
    totals.ratio_index = key.ratio_index;
    totals.base_size = key.base_size;
  } else {
    at = {0, 0, 0};  // all others
    const auto others = followed_.find(at);
    if (others != followed_.end()) return others->second;
  }
  followed_.emplace(at, buckets_.size());
  buckets_.push_back(totals);
  return buckets_.size() - 1;
}

void SnapStatistics::set_reading(const std::string& reading, std::uint64_t header_lines) {
  readings_.assign(1, reading);
  header_lines_ = header_lines;
}

void SnapStatistics::keep_last(BucketTotals& totals, std::uint64_t line, std::string_view name) const {
  if (head_.batch == 1) return;
  if (totals.last.size() + 1 < head_.batch) {
    totals.last.push_back({line, std::string(name)});
    return;
  }
  ListPlace place = std::move(totals.last.front());  // keeps the room of its name
  totals.last.pop_front();
  place.line = line;
  place.name.assign(name);
  totals.last.push_back(std::move(place));
}

void SnapStatistics::keep_worst(const BucketTotals& totals, Resolution size, double share, std::uint64_t line,
                                std::string_view name) {
  if (worst_.size() == head_.worst) {
    std::pop_heap(worst_.begin(), worst_.end(), comes_first);
    worst_.pop_back();
  }
  worst_.push_back({share, {line, std::string(name)}, size, totals.size, totals.ratio_index});
  std::push_heap(worst_.begin(), worst_.end(), comes_first);
  if (worst_.size() == head_.worst) worst_limit_ = worst_.front().share;
}

std::uint64_t SnapStatistics::total() const { return sums().count; }

std::uint64_t SnapStatistics::dropped() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : dropped_) sum += count;
  return sum;
}

BucketTotals SnapStatistics::sums() const {
  BucketTotals all;
  for (const BucketTotals& bucket : buckets_) {
    all.count += bucket.count;
    all.image_count += bucket.image_count;
    all.enlarged_count += bucket.enlarged_count;
    all.share_sum.add(bucket.share_sum);
    const bool is_larger = bucket.largest_share > all.largest_share ||
                           (bucket.largest_share == all.largest_share && bucket.largest_share > 0 &&
                            bucket.largest.line < all.largest.line);
    if (!is_larger) continue;
    all.largest_share = bucket.largest_share;
    all.largest_size = bucket.largest_size;
    all.largest = bucket.largest;
  }
  return all;
}

/// To a hundredth of a per cent: the middle of the bin that holds the median.
double SnapStatistics::median_share(std::uint64_t image_count) const {
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
    seen += bins_[bin];
    if (2 * seen < image_count) continue;
    // Bin 0 is nearly always an exact fit.
    return bin == 0 ? 0 : (static_cast<double>(bin) + 0.5) / static_cast<double>(bin_count);
  }
  return 0;
}

std::vector<const BucketTotals*> SnapStatistics::shown(bool with_empty) const {
  std::vector<const BucketTotals*> list;
  for (const BucketTotals& bucket : buckets_) {
    if (with_empty || bucket.count > 0) list.push_back(&bucket);
  }
  if (!head_.follows) return list;
  std::sort(list.begin(), list.end(), [](const BucketTotals* a, const BucketTotals* b) {
    if (a->count != b->count) return a->count > b->count;
    return std::make_tuple(a->size.height, a->size.width, a->base_size) <
           std::make_tuple(b->size.height, b->size.width, b->base_size);
  });
  return list;
}

std::vector<WorstCrop> SnapStatistics::worst_first() const {
  std::vector<WorstCrop> list = worst_;
  std::sort(list.begin(), list.end(), comes_first);
  return list;
}

void SnapStatistics::merge(const SnapStatistics& other, const std::string& name) {
  const auto refuse = [&](const std::string& what, const std::string& here, const std::string& there) {
    throw Refusal(name + ": its " + what + " is " + there + ", but that of the files before it is " + here);
  };
  if (head_.model != other.head_.model) {
    const std::string here = head_.model.dump();
    const std::string there = other.head_.model.dump();
    refuse("model", printable(here, 300), printable(there, 300));
  }
  if (head_.filters != other.head_.filters)
    refuse("choice of filters", head_.filters.dump(), other.head_.filters.dump());
  if (head_.batch != other.head_.batch) {
    refuse("batch size", std::to_string(head_.batch), std::to_string(other.head_.batch));
  }
  if (head_.worst != other.head_.worst) {
    refuse("number of worst crops", std::to_string(head_.worst), std::to_string(other.head_.worst));
  }
  if (!head_.follows && buckets_.size() != other.buckets_.size()) {
    refuse("number of buckets", std::to_string(buckets_.size()), std::to_string(other.buckets_.size()));
  }
  // As if the lists were one: a header is there once.
  const std::uint64_t skipped = lines_ == 0 ? 0 : other.header_lines_;
  if (lines_ == 0) header_lines_ = other.header_lines_;
  const auto moved = [&](ListPlace place) {
    if (place.line > 0) place.line += lines_ - skipped;
    return place;
  };
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) {
    const BucketTotals& from = other.buckets_[i];
    BucketTotals& to = buckets_[head_.follows ? followed_bucket(from) : i];
    to.count += from.count;
    to.image_count += from.image_count;
    to.enlarged_count += from.enlarged_count;
    to.share_sum.add(from.share_sum);
    if (from.largest_share > to.largest_share) {
      to.largest_share = from.largest_share;
      to.largest_size = from.largest_size;
      to.largest = moved(from.largest);
    }
    for (const ListPlace& place : from.last) {
      const ListPlace here = moved(place);
      keep_last(to, here.line, here.name);
    }
  }
  for (std::size_t i = 0; i < bins_.size(); ++i) bins_[i] += other.bins_[i];
  for (WorstCrop crop : other.worst_first()) {
    crop.place = moved(crop.place);
    worst_.push_back(std::move(crop));
  }
  std::sort(worst_.begin(), worst_.end(), comes_first);
  if (worst_.size() > head_.worst) worst_.resize(head_.worst);
  std::make_heap(worst_.begin(), worst_.end(), comes_first);
  for (const std::string& reading : other.readings_) {
    if (std::find(readings_.begin(), readings_.end(), reading) == readings_.end()) readings_.push_back(reading);
  }
  lines_ += other.lines_ - skipped;
  refused_ += other.refused_;
  turned_ += other.turned_;
  for (std::size_t i = 0; i < drop_count; ++i) dropped_[i] += other.dropped_[i];
}

}  // namespace hunyuan_reso::cli
