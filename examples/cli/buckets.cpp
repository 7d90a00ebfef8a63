// SPDX-License-Identifier: MIT
#include "buckets.hpp"

namespace hunyuan_reso::cli {

std::vector<Bucket> buckets_of(const Model& model) {
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < model.group.size(); ++i) {
    Bucket bucket;
    bucket.preset = *preset_of_row(i, model.profile, model.group);
    bucket.is_extra = model.is_extra(i);
    bucket.is_published = bucket.preset.trained.grid;
    bucket.is_reachable = model.group.snap(bucket.preset.size) == i;
    buckets.push_back(bucket);
  }
  for (std::size_t k = 0; k < model.group.threshold_count(); ++k) {
    const SnapThreshold threshold = model.group.threshold(k);
    buckets[threshold.lower].snaps_up_to = threshold.last;
    buckets[threshold.upper].snaps_above = threshold.last;
  }
  return buckets;
}

bool has_extras_out_of_scale(const Model& model) {
  return model.group.size() > model.generated_rows && model.extra_scaling == ExtraScaling::absolute &&
         model.group.base_size() != model.profile.trained_base_size;
}

Neighbours generated_neighbours(const Model& model, std::size_t ratio_index) {
  const double ratio = model.group[ratio_index].ratio();
  Neighbours neighbours{model.group[0], model.group[model.generated_rows - 1]};
  for (std::size_t i = 0; i < model.generated_rows; ++i) {
    if (i == ratio_index) continue;
    const Resolution row = model.group[i];  // generated rows ascend
    if (row.ratio() <= ratio) neighbours.lower = row;
    if (row.ratio() >= ratio) {
      neighbours.upper = row;
      break;
    }
  }
  return neighbours;
}

}  // namespace hunyuan_reso::cli
