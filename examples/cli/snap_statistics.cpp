// SPDX-License-Identifier: MIT
#include "snap_statistics.hpp"

#include <algorithm>

namespace hunyuan_reso::cli {
namespace {

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(double share) { return fixed(100 * share, 2) + " %"; }

}  // namespace

SnapStatistics::SnapStatistics(const Model& model) : model_(model), counts_(model.group.size()), bins_(bin_count + 1) {}

std::uint64_t SnapStatistics::total() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts_) sum += count;
  return sum;
}

/// To a hundredth of a per cent: the middle of the bin that holds the median.
double SnapStatistics::median_share() const {
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
    seen += bins_[bin];
    if (2 * seen < images_) continue;
    // Bin 0 is nearly always an exact fit.
    return bin == 0 ? 0 : (static_cast<double>(bin) + 0.5) / static_cast<double>(bin_count);
  }
  return 0;
}

Table SnapStatistics::histogram(bool with_empty_rows) const {
  constexpr double longest_bar = 40;
  Table table({{"ratio_index", "row"},
               {"size", "height x width", Audience::people},
               {"height", "", Audience::programs},
               {"width", "", Audience::programs},
               {"common_ratio", "w:h", Audience::all, true},
               {"count", "images"},
               {"share", "share"},
               {"bar", "", Audience::people, true}});
  const std::uint64_t most = *std::max_element(counts_.begin(), counts_.end());
  const std::uint64_t all = total();
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0 && !with_empty_rows) continue;
    const Resolution size = model_.group[i];
    const double share = share_of(counts_[i], all);
    const double bar = std::ceil(longest_bar * share_of(counts_[i], most));
    table.add({i,
               size_text(size),
               size.height,
               size.width,
               name_of(nearest_common_ratio(size)),
               counts_[i],
               {share, percent(share)},
               std::string(static_cast<std::size_t>(bar), '#')});
  }
  return table;
}

std::string SnapStatistics::text() const {
  const std::uint64_t all = total();
  std::string out = std::to_string(all) + (all == 1 ? " size" : " sizes") + ", " + std::to_string(refused_) +
                    " refused. " + model_.title() + ".\n";
  if (all == 0) return out;
  out += histogram(false).text();
  if (images_ == 0) return out;
  out += "Cropped away after resizing (share of the pixels): mean " +
         percent(share_sum_ / static_cast<double>(images_)) + ", median " + percent(median_share()) + ", largest " +
         percent(largest_share_);
  if (largest_share_ > 0) {
    out += " (" + size_text(largest_size_) + ", number " + std::to_string(largest_line_) + ")";
  }
  return out + ".\nEnlarged: " + std::to_string(enlarged_) + (enlarged_ == 1 ? " image, " : " images, ") +
         percent(share_of(enlarged_, images_)) + ".\n";
}

Json SnapStatistics::json() const {
  Json json = model_.json();
  json["size_count"] = total();
  json["refused_count"] = refused_;
  json["histogram"] = histogram(true).json();
  Json crop = nullptr;
  if (images_ > 0) {
    crop = {{"image_count", images_},
            {"mean_share", share_sum_ / static_cast<double>(images_)},
            {"median_share", median_share()},
            {"largest_share", largest_share_},
            {"largest_line", largest_share_ > 0 ? Json(largest_line_) : Json(nullptr)},
            {"enlarged_count", enlarged_},
            {"enlarged_share", share_of(enlarged_, images_)}};
  }
  json["crop"] = crop;
  return json;
}

std::string SnapStatistics::csv() const { return histogram(true).csv(); }

}  // namespace hunyuan_reso::cli
