// SPDX-License-Identifier: MIT
#include "buckets.hpp"

namespace hunyuan_reso::cli {

std::vector<Bucket> buckets_of(const Selection& selection) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < selection.group().size(); ++i) {
    Bucket bucket;
    bucket.preset = *preset_of_row(selection.model, i);
    bucket.is_extra = selection.is_extra(i);
    bucket.is_published = bucket.preset.trained.grid;
    bucket.is_reachable = selection.group().snap(bucket.preset.size) == i;
    buckets.push_back(bucket);
  }
  for (std::size_t k = 0; k < selection.group().threshold_count(); ++k) {
    const SnapThreshold threshold = selection.group().threshold(k);
    buckets[threshold.lower].snaps_up_to = threshold.last;
    buckets[threshold.upper].snaps_above = threshold.last;
  }
  return buckets;
}

bool has_extras_out_of_scale(const Selection& selection) {
  return selection.group().size() > selection.generated_rows && selection.extra_scaling == ExtraScaling::absolute &&
         selection.group().base_size() != selection.profile().trained_base_size;
}

Neighbours generated_neighbours(const Selection& selection, std::size_t ratio_index) {
  const double ratio = selection.group()[ratio_index].ratio();
  Neighbours neighbours{selection.group()[0], selection.group()[selection.generated_rows - 1]};
  for (std::size_t i = 0; i < selection.generated_rows; ++i) {
    if (i == ratio_index) continue;
    const Resolution row = selection.group()[i];  // generated rows ascend
    if (row.ratio() <= ratio) neighbours.lower = row;
    if (row.ratio() >= ratio) {
      neighbours.upper = row;
      break;
    }
  }
  return neighbours;
}

}  // namespace hunyuan_reso::cli
