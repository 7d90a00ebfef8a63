// SPDX-License-Identifier: MIT
#include "explanation.hpp"

#include <algorithm>
#include <cmath>

#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// The chosen row between its neighbours by ratio.
std::vector<Candidate> candidates_of(const Selection& selection, std::size_t chosen, double ratio) {
  std::vector<std::size_t> order;  // rows that can be chosen, by ascending ratio
  for (std::size_t i = 0; i < selection.group().size(); ++i) {
    if (selection.group().snap(selection.group()[i]) == i) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return selection.group()[a].ratio() < selection.group()[b].ratio(); });
  const auto place = static_cast<std::size_t>(std::find(order.begin(), order.end(), chosen) - order.begin());
  std::vector<Candidate> candidates;
  for (std::size_t k = place > 0 ? place - 1 : 0; k < order.size() && k <= place + 1; ++k) {
    const Resolution size = selection.group()[order[k]];
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
void note_absolute_extra(const Selection& selection, const ImageInfo& info, std::vector<std::string>& notes) {
  const std::int32_t base_size = selection.group().base_size();
  const Neighbours rows = generated_neighbours(selection, info.ratio_index);
  const Resolution row = selection.group()[info.ratio_index];
  const bool raised = base_size > selection.profile().trained_base_size;
  notes.push_back("The base size " + std::to_string(base_size) + " was not ignored. Bucket " +
                  std::to_string(info.ratio_index) + " is an extra bucket, and extra buckets are absolute: it is " +
                  selection.size(row) + " (" + megapixels_of(row) +
                  ") at every base size, while the generated buckets next to it are " + selection.size(rows.lower) +
                  " (" + megapixels_of(rows.lower) + ") and " + selection.size(rows.upper) + " (" +
                  megapixels_of(rows.upper) + "). The ratio alone decides, so a request of this ratio gets " +
                  (raised ? "fewer" : "more") + " pixels than its neighbours.");
  std::string advice = "To get a size of the base size's scale: --extras scaled";
  advice +=
      info.requested.is_positive() ? ", --grid-mode follow_request," : ", pixels with --grid-mode follow_request,";
  advice += " or a ratio whose nearest bucket is a generated one (such as that of " + selection.size(rows.lower) +
            " or " + selection.size(rows.upper) + "). All of them are untrained at this base size.";
  notes.push_back(advice);
}

/// What following a request does to its pixels and its size token.
void note_followed(const Selection& selection, const ImageInfo& info, std::vector<std::string>& notes) {
  if (selection.grid_mode == GridMode::snap) {
    notes.push_back(std::string("The profile ") + selection.profile().name +
                    " generates a request of whole tokens as it is, without snapping.");
  }
  if (info.requested != info.image_size()) {
    notes.push_back("Pixels were cut: " + selection.size(info.requested) + " became " +
                    selection.size(info.image_size()) + ", whole tokens of " +
                    std::to_string(selection.profile().token_pixels_high()) + "x" +
                    std::to_string(selection.profile().token_pixels_wide()) + " px.");
  }
  if (selection.grid_mode == GridMode::follow_request_by_area) {
    notes.push_back("The size token is that of base size " + std::to_string(info.base_size) +
                    ": the least one, from the trained one up, whose largest bucket reaches the area.");
  }
}

void add_notes(const Selection& selection, Explanation& explanation) {
  const ImageInfo& info = explanation.info;
  std::vector<std::string>& notes = explanation.notes;
  if (explanation.is_extra && has_extras_out_of_scale(selection) && info.grid_mode == GridMode::snap) {
    note_absolute_extra(selection, info, notes);
  }
  if (explanation.tie == Tie::exact) {
    notes.emplace_back(
        "Two buckets are equally far from the request in binary64. The first one in list order is taken; extra buckets "
        "come last in the list, although their ratios lie between earlier rows.");
  } else if (explanation.tie == Tie::rounded) {
    notes.emplace_back(
        "As fractions two buckets are equally far from the request. The published code computes in binary64, where "
        "rounding makes one of them nearer.");
  }
  const std::int64_t asked = explanation.info.requested.pixel_count();
  if (explanation.request.kind == ImageSizeKind::pixels && info.grid_mode == GridMode::snap &&
      explanation.request.size != info.image_size()) {
    notes.push_back("Snapping looks at the ratio only: " + megapixels_text(asked) + " were asked for, the bucket has " +
                    megapixels_of(info.image_size()) + ".");
  }
  if (info.grid_mode != GridMode::snap) note_followed(selection, info, notes);
  if (!info.trained.base_size) {
    notes.push_back("Untrained: the checkpoint knows the size token of " +
                    std::to_string(selection.profile().trained_base_size) + ", not that of " +
                    std::to_string(info.base_size) + ".");
  }
  if (!info.trained.grid)
    notes.push_back("Untrained: " + selection.size(info.image_size()) + " is no bucket of the published group.");
  if (!size_token_id(selection.profile(), info.base_size)) {
    notes.push_back("There is no token <img_size_" + std::to_string(info.base_size) +
                    ">: " + reason_of(Errc::unknown_base_size) + ".");
  }
  const Result<TokenId> id = ratio_token_id(selection.profile(), info.ratio_index);
  const std::string index = std::to_string(info.ratio_index);
  if (id.error() == Errc::ratio_token_id_unknown) {
    notes.push_back("The id of <img_ratio_" + index + "> is in no published source: supply it with --ratio-token " +
                    index + "=ID.");
  } else if (!id) {
    notes.push_back(std::string("The profile ") + selection.profile().name + " has no ratio token for bucket " + index +
                    ".");
  }
}

void add_ways(const Selection& selection, Explanation& explanation) {
  const auto add = [&](const std::string& name, const Model& model, GridMode mode, bool in_force) {
    explanation.ways.push_back({name, in_force, build_gen_image_info(model, explanation.request, mode)});
  };
  const std::int32_t base_size = selection.group().base_size();
  const bool snaps = selection.grid_mode == GridMode::snap;
  if (selection.group().size() > selection.generated_rows) {
    for (const ExtraScaling scaling : {ExtraScaling::absolute, ExtraScaling::scaled}) {
      const Result<Model> model = Model::create(selection.profile(), base_size, scaling);
      if (model)
        add(std::string("snap, extras ") + name_of(scaling), *model, GridMode::snap,
            snaps && scaling == selection.extra_scaling);
    }
  } else {
    add("snap", selection.model, GridMode::snap, snaps);
  }
  for (const GridMode mode : {GridMode::follow_request, GridMode::follow_request_by_area}) {
    add(name_of(mode), selection.model, mode, mode == selection.grid_mode);
  }
  const std::int32_t trained = selection.profile().trained_base_size;
  if (base_size != trained) {
    add("snap, base size " + std::to_string(trained),
        require_model(selection.profile(), trained, ExtraScaling::absolute), GridMode::snap, false);
  }
}

void add_conditioning(const Selection& selection, const std::vector<Resolution>& images, Explanation& explanation) {
  for (const Resolution image : images) {
    const Result<ImageInfo> info = build_cond_image_info(selection.model, image);
    if (!info) throw Refusal("--conditioning " + selection.size(image) + ": " + reason_of(info.error()));
    const Resolution bucket = selection.group()[selection.group().snap(image)];
    explanation.conditioning.push_back({image, *info, *resize_and_center_crop(image, bucket)});
  }
  if (images.empty()) return;
  const auto align = [&](const ResolutionGroup& group) {
    const Result<OutputAlignment> aligned =
        align_output(group, explanation.info.image_size(), images.data(), images.size());
    explanation.alignments.push_back({group.base_size(), *aligned});
  };
  align(selection.group());
  const std::int32_t trained = selection.profile().trained_base_size;
  if (selection.group().base_size() != trained) {
    align(require_model(selection.profile(), trained, ExtraScaling::absolute).group);
  }
}

/// A server's cap: a request in pixels is scaled down to it before all else.
void cap_request(const Selection& selection, const Question& question, Explanation& explanation) {
  explanation.most_pixels = question.most_pixels;
  if (question.most_pixels == 0 || explanation.request.kind != ImageSizeKind::pixels) return;
  const Resolution smaller = capped(selection.profile(), explanation.request.size, question.most_pixels);
  if (smaller == explanation.request.size) return;
  explanation.uncapped = explanation.request.size;
  explanation.request.size = smaller;
  explanation.notes.push_back("--max-pixels: " + selection.size(explanation.uncapped) + " was scaled down to " +
                              selection.size(smaller) + ", in whole tokens of " +
                              std::to_string(selection.profile().token_pixels_high()) + " px.");
}

void note_bucket_over_cap(const Selection& selection, Explanation& explanation) {
  const std::int64_t pixels = explanation.info.image_size().pixel_count();
  if (explanation.most_pixels == 0 || pixels <= explanation.most_pixels) return;
  std::string note = "--max-pixels: the bucket has " + std::to_string(pixels) + " pixels, more than " +
                     std::to_string(explanation.most_pixels) + ", since snapping looks at the ratio only. ";
  const SizeTokens& sizes = selection.profile().size_tokens;
  std::string advice;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Result<Model> model = Model::create(selection.profile(), sizes.base_sizes[i], ExtraScaling::scaled);
    if (!model || sizes.base_sizes[i] >= selection.group().base_size()) continue;
    const Result<ImageInfo> info = build_gen_image_info(*model, explanation.request);
    if (!info || info->image_size().pixel_count() > explanation.most_pixels) continue;
    advice = "The largest base size that keeps to it is " + std::to_string(sizes.base_sizes[i]) + " (" +
             selection.size(info->image_size()) + ", --extras scaled, untrained); or shrink the result.";
  }
  explanation.notes.push_back(note + (advice.empty() ? "Shrink the result." : advice));
}

}  // namespace

Explanation explain_request(const Selection& selection, const Question& question) {
  Explanation explanation;
  explanation.request = question.request;
  cap_request(selection, question, explanation);
  const ImageSize& request = explanation.request;
  const Result<ImageInfo> info = build_gen_image_info(selection.model, request, selection.grid_mode);
  if (!info) throw Refusal("'" + spelled(question.typed) + "': " + reason_of(info.error(), selection.order));
  explanation.info = *info;
  explanation.is_extra = selection.is_extra(info->ratio_index);
  if (request.size.is_positive()) {
    explanation.request_ratio = request.size.ratio();
    explanation.candidates = candidates_of(selection, info->ratio_index, request.size.ratio());
    explanation.tie = tie_of(explanation.candidates, info->ratio_index, request.size);
  }
  add_notes(selection, explanation);
  note_bucket_over_cap(selection, explanation);
  add_ways(selection, explanation);
  add_conditioning(selection, question.conditioning, explanation);
  if (!question.target.empty()) {
    const Resolution asked = question.request.size;
    const Resolution ratio = asked.is_positive() ? asked : info->image_size();
    const Target target = require_target("--target", question.target, ratio, selection);
    const Model trained =
        require_model(selection.profile(), selection.profile().trained_base_size, ExtraScaling::absolute);
    GenerationRequest drawing;
    drawing.prompt_tokens = 100;
    explanation.enlargement =
        enlarge(selection, trained, drawing, target, EnlargementOptions::of(selection.profile()), question.most_pixels);
  }
  return explanation;
}

}  // namespace hunyuan_reso::cli
