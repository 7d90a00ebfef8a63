// SPDX-License-Identifier: MIT
#include "explanation.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// The chosen row between its neighbours by ratio.
std::vector<Candidate> candidates_of(const Model& model, std::size_t chosen, double ratio) {
  std::vector<std::size_t> order;  // rows that can be chosen, by ascending ratio
  for (std::size_t i = 0; i < model.group.size(); ++i) {
    if (model.group.snap(model.group[i]) == i) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return model.group[a].ratio() < model.group[b].ratio(); });
  const auto place = static_cast<std::size_t>(std::find(order.begin(), order.end(), chosen) - order.begin());
  std::vector<Candidate> candidates;
  for (std::size_t k = place > 0 ? place - 1 : 0; k < order.size() && k <= place + 1; ++k) {
    const Resolution size = model.group[order[k]];
    candidates.push_back({order[k], size, std::abs(size.ratio() - ratio)});
  }
  return candidates;
}

/// Whether height / width lies exactly half-way between two rows' ratios, as fractions.
bool is_half_way(Resolution request, Resolution a, Resolution b) {
  constexpr std::int32_t largest = 1 << 14;  // the products stay below 2^63
  if (std::max({a.height, a.width, b.height, b.width}) > largest) return false;
  const std::int64_t twice = std::int64_t{2} * a.width * b.width;
  const std::int64_t sum = std::int64_t{a.height} * b.width + std::int64_t{b.height} * a.width;
  return twice * request.height == sum * request.width;
}

Tie tie_of(const std::vector<Candidate>& candidates, std::size_t chosen, Resolution request) {
  const auto row = std::find_if(candidates.begin(), candidates.end(),
                                [&](const Candidate& candidate) { return candidate.ratio_index == chosen; });
  for (const Candidate& other : candidates) {
    if (other.ratio_index == chosen) continue;
    if (other.distance == row->distance) return Tie::exact;
    if (is_half_way(request, row->size, other.size)) return Tie::rounded;
  }
  return Tie::none;
}

std::string megapixels_of(Resolution size) { return megapixels_text(size.pixel_count()); }

/// The question that people ask: the base size was changed, and the size did not follow.
void note_absolute_extra(const Model& model, const ImageInfo& info, std::vector<std::string>& notes) {
  const std::int32_t base_size = model.group.base_size();
  const Neighbours rows = generated_neighbours(model, info.ratio_index);
  const Resolution row = model.group[info.ratio_index];
  const bool raised = base_size > model.profile.trained_base_size;
  notes.push_back("The base size " + std::to_string(base_size) + " was not ignored. Row " +
                  std::to_string(info.ratio_index) + " is an extra row, and extra rows are absolute: it is " +
                  size_text(row) + " (" + megapixels_of(row) +
                  ") at every base size, while the generated rows next to it are " + size_text(rows.lower) + " (" +
                  megapixels_of(rows.lower) + ") and " + size_text(rows.upper) + " (" + megapixels_of(rows.upper) +
                  "). The ratio alone decides, so a request of this ratio gets " + (raised ? "fewer" : "more") +
                  " pixels than its neighbours.");
  std::string advice = "To get a size of the base size's scale: --extras scaled";
  advice +=
      info.requested.is_positive() ? ", --grid-mode follow_request," : ", pixels with --grid-mode follow_request,";
  advice += " or a ratio whose nearest row is a generated one (such as that of " + size_text(rows.lower) + " or " +
            size_text(rows.upper) + "). All of them are untrained at this base size.";
  notes.push_back(advice);
}

void add_notes(const Model& model, Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::vector<std::string>& notes = explanation.notes;
  if (explanation.is_extra && has_extras_out_of_scale(model) && info.grid_mode == GridMode::snap) {
    note_absolute_extra(model, info, notes);
  }
  if (explanation.tie == Tie::exact) {
    notes.push_back(
        "Two rows are equally far from the request in binary64. The first one in list order is taken; extra rows "
        "come last in the list, although their ratios lie between earlier rows.");
  } else if (explanation.tie == Tie::rounded) {
    notes.push_back(
        "As fractions two rows are equally far from the request. The published code computes in binary64, where "
        "rounding makes one of them nearer.");
  }
  const std::int64_t asked = explanation.info.requested.pixel_count();
  if (explanation.request.kind == ImageSizeKind::pixels && info.grid_mode == GridMode::snap &&
      explanation.request.size != info.image_size()) {
    notes.push_back("Snapping looks at the ratio only: " + megapixels_text(asked) + " were asked for, the row has " +
                    megapixels_of(info.image_size()) + ".");
  }
  if (!info.trained.base_size) {
    notes.push_back("Untrained: the checkpoint knows the size token of " +
                    std::to_string(model.profile.trained_base_size) + ", not that of " +
                    std::to_string(info.base_size) + ".");
  }
  if (!info.trained.grid)
    notes.push_back("Untrained: " + size_text(info.image_size()) + " is no row of the published group.");
  if (!size_token_id(info.base_size)) {
    notes.push_back("There is no token <img_size_" + std::to_string(info.base_size) +
                    ">: " + std::string(message(Errc::unknown_base_size)) + ".");
  }
  const Result<TokenId> id = require_ratio_token_id(model.profile, info.ratio_index);
  const std::string index = std::to_string(info.ratio_index);
  if (id.error() == Errc::ratio_token_id_unknown) {
    notes.push_back("The id of <img_ratio_" + index + "> is in no published source: supply it with --ratio-token " +
                    index + "=ID.");
  } else if (!id) {
    notes.push_back(std::string("The profile ") + model.profile.name + " has no ratio token for row " + index + ".");
  }
}

void add_ways(const Model& model, Explanation& explanation) {
  const auto add = [&](const std::string& name, const ResolutionGroup& group, GridMode mode, bool in_force) {
    explanation.ways.push_back({name, in_force, build_gen_image_info(explanation.request, model.profile, group, mode)});
  };
  const std::int32_t base_size = model.group.base_size();
  const bool snaps = model.grid_mode == GridMode::snap;
  if (model.group.size() > model.generated_rows) {
    for (const ExtraScaling scaling : {ExtraScaling::absolute, ExtraScaling::scaled}) {
      const Result<ResolutionGroup> group = make_group(model.profile, base_size, scaling);
      if (group)
        add(std::string("snap, extras ") + name_of(scaling), *group, GridMode::snap,
            snaps && scaling == model.extra_scaling);
    }
  } else {
    add("snap", model.group, GridMode::snap, snaps);
  }
  for (const GridMode mode : {GridMode::follow_request, GridMode::follow_request_by_area}) {
    add(name_of(mode), model.group, mode, mode == model.grid_mode);
  }
  const std::int32_t trained = model.profile.trained_base_size;
  if (base_size != trained) {
    add("snap, base size " + std::to_string(trained), require_group(model.profile, trained, ExtraScaling::absolute),
        GridMode::snap, false);
  }
}

void add_conditioning(const Model& model, const std::vector<Resolution>& images, Explanation& explanation) {
  for (const Resolution image : images) {
    const std::size_t ratio_index = model.group.snap(image);
    explanation.conditioning.push_back({image, ratio_index, *resize_and_center_crop(image, model.group[ratio_index])});
  }
  if (images.empty()) return;
  const auto align = [&](const ResolutionGroup& group) {
    const Result<OutputAlignment> aligned =
        align_output(group, explanation.info.image_size(), images.data(), images.size());
    explanation.alignments.push_back({group.base_size(), *aligned});
  };
  align(model.group);
  const std::int32_t trained = model.profile.trained_base_size;
  if (model.group.base_size() != trained) align(require_group(model.profile, trained, ExtraScaling::absolute));
}

}  // namespace

Explanation explain_request(const Model& model, const std::string& typed, const ImageSize& request,
                            const std::vector<Resolution>& conditioning_images) {
  Explanation explanation;
  explanation.request = request;
  const Result<ImageInfo> info = build_gen_image_info(request, model.profile, model.group, model.grid_mode);
  if (!info) throw Refusal("'" + printable(typed) + "': " + std::string(message(info.error())));
  explanation.info = *info;
  explanation.is_extra = model.is_extra(info->ratio_index);
  if (request.size.is_positive()) {
    explanation.request_ratio = request.size.ratio();
    explanation.candidates = candidates_of(model, info->ratio_index, request.size.ratio());
    explanation.tie = tie_of(explanation.candidates, info->ratio_index, request.size);
  }
  add_notes(model, explanation);
  add_ways(model, explanation);
  add_conditioning(model, conditioning_images, explanation);
  return explanation;
}

}  // namespace hunyuan_reso::cli
