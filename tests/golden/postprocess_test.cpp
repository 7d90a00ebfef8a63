// SPDX-License-Identifier: MIT
// postprocess.json: output alignment, all with the Instruct group of the recorded base size.
#include <hunyuan_reso/crop.hpp>

#include "common.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::OutputAlignment;
using hunyuan_reso::Resolution;
using hunyuan_reso::ResolutionGroup;
using hunyuan_reso::Result;

/// [width, height], as everything in this file.
Resolution size_of(const Json& pair) { return Resolution::from_wh(int32(pair[std::size_t{0}]), int32(pair[1])); }

std::vector<Resolution> sizes_of(const Json& list) {
  std::vector<Resolution> sizes;
  for (const Json& pair : list.elements()) sizes.push_back(size_of(pair));
  return sizes;
}

/// `resized`: [width, height], or null where the image is left alone.
void check_alignment(const ResolutionGroup& group, Resolution output, const std::vector<Resolution>& originals,
                     const Json& resized, Report& report) {
  const Result<OutputAlignment> result = hunyuan_reso::align_output(group, output, originals.data(), originals.size());
  if (!result) return report.fail("refused");
  report.is_true(result->resize == !resized.is_null(), "resized or not");
  report.equal(result->width, resized.is_null() ? output.width : resized[std::size_t{0}].integer(), "width");
  report.equal(result->height, resized.is_null() ? output.height : resized[1].integer(), "height");
  if (!result->resize) return;
  const Resolution matched = originals.at(result->conditioning_index);
  report.equal(static_cast<std::int64_t>(group.snap(group[group.snap(matched)])),
               static_cast<std::int64_t>(group.snap(output)), "ratio index of the matched image");
}

void check_case(const Json& entry, Report& report) {
  const auto group = hunyuan_reso::make_group(profile_of("instruct"), int32(entry["base_size"]));
  if (!group) return report.fail("no group at base size " + entry["base_size"].dump());
  report.begin_case(entry.dump());
  const Resolution output = size_of(entry["output"]);
  const std::vector<Resolution> originals = sizes_of(entry["conds"]);
  if (!entry["output_ratio_index"].is_null()) {
    report.equal(static_cast<std::int64_t>(group->snap(output)), entry["output_ratio_index"].integer(),
                 "ratio index of the output");
  }
  const std::vector<Json> indices = entry["cond_ratio_index"].elements();
  for (std::size_t i = 0; i < indices.size() && i < originals.size(); ++i) {
    const std::size_t index = group->snap((*group)[group->snap(originals[i])]);
    report.equal(static_cast<std::int64_t>(index), indices[i].integer(), "ratio index of a conditioning image");
  }
  // Without the switch nothing is called, and nothing may change.
  if (!entry["align"].boolean()) return report.is_true(entry["resized"].is_null(), "resized without alignment");
  check_alignment(*group, output, originals, entry["resized"], report);
}

/// Outputs and lists of conditioning images are paired in order, up to the shorter of the two.
void check_batch(const Json& entry, Report& report) {
  const auto group = hunyuan_reso::make_group(profile_of("instruct"), int32(entry["base_size"]));
  if (!group) return report.fail("no group at base size " + entry["base_size"].dump());
  const std::vector<Resolution> outputs = sizes_of(entry["outputs"]);
  const std::vector<Json> conditioning = entry["conds"].elements();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    report.begin_case("batch " + entry.dump() + ", output " + std::to_string(i));
    const std::vector<Resolution> originals =
        i < conditioning.size() ? sizes_of(conditioning[i]) : std::vector<Resolution>{};
    check_alignment(*group, outputs[i], originals, entry["resized"][i], report);
  }
}

bool ends_as(const ResolutionGroup& group, Resolution original, Resolution final_size) {
  const Resolution output = group[group.snap(original)];
  const Result<OutputAlignment> result = hunyuan_reso::align_output(group, output, &original, 1);
  return result && result->resize && result->width == final_size.width && result->height == final_size.height;
}

/// Originals that end as `final_size` (pixels) at base size 1024, where the output is the original's own row. The
/// recorded total counts the widths 64 .. 8192 and every height: an original's ratio is the final one's within a
/// rounding of half a pixel a side, so heights 1 in 100 around it are all there can be.
void check_originals(const std::string& name, const Json& entry, Report& report) {
  const auto group = hunyuan_reso::make_group(profile_of("instruct"));
  const std::size_t x = name.find('x');
  const auto final_size = Resolution::from_wh(std::stoi(name.substr(0, x)), std::stoi(name.substr(x + 1)));
  for (const Json& pair : entry["with_a_common_side"].elements()) {
    report.begin_case("original " + pair.dump());
    report.is_true(ends_as(*group, size_of(pair), final_size), "ends otherwise");
  }
  if (!entry.has("total_originals_width_64_to_8192")) return;
  report.begin_case("number of originals that end as " + name);
  std::int64_t total = 0;
  for (std::int32_t w = 64; w <= 8192; ++w) {
    const std::int32_t middle = w * final_size.height / final_size.width;
    for (std::int32_t h = middle - middle / 100 - 1; h <= middle + middle / 100 + 2; ++h) {
      total += ends_as(*group, {h, w}, final_size) ? 1 : 0;
    }
  }
  report.equal(total, entry["total_originals_width_64_to_8192"].integer(), "total");
}

void check_postprocess(const Json& root, Report& report) {
  for (const auto& [name, section] : root.members()) {
    if (name == "cases") {
      for (const Json& entry : section.elements()) check_case(entry, report);
    } else if (name == "batches") {
      for (const Json& entry : section.elements()) check_batch(entry, report);
    } else if (name == "originals") {
      for (const auto& [size, entry] : section.members()) check_originals(size, entry, report);
    } else if (name == "errors") {
      for (std::size_t i = 0; i < section.size(); ++i) report.not_applicable("Python object of the wrong type");
    } else if (name == "target_area") {
      report.is_true(section.text() == "base_size squared", "target_area");
    } else {
      report.not_applicable("section " + name);
    }
  }
}

const Registration registration{"postprocess.json", check_postprocess};

}  // namespace
}  // namespace hunyuan_reso_test
