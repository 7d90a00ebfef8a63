// SPDX-License-Identifier: MIT
// gen_image_info.json: a size request becomes the description of the image to generate.
#include <hunyuan_reso/image_info.hpp>

#include <algorithm>
#include <optional>

#include "common.hpp"
#include "image_size_table.hpp"
#include "parse_rules.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::Errc;
using hunyuan_reso::ImageInfo;
using hunyuan_reso::Model;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Result;

/// Value of an upstream field by its name, in the info and in the section description; nullopt for one that the
/// library does not have.
std::optional<std::int64_t> field(const ImageInfo& info, const std::string& name) {
  const struct {
    const char* name;
    std::int64_t value;
  } fields[] = {{"image_width", info.image_width},
                {"image_height", info.image_height},
                {"token_width", info.token_width},
                {"token_height", info.token_height},
                {"image_token_length", info.image_token_length},
                {"token_length", info.image_token_length},
                {"base_size", info.base_size},
                {"ratio_index", static_cast<std::int64_t>(info.ratio_index)},
                {"ratio_idx", static_cast<std::int64_t>(info.ratio_index)},
                {"add_timestep_token", info.add_timestep_token},
                {"add_guidance_token", info.add_guidance_token},
                {"add_timestep_r_token", info.add_timestep_r_token},
                {"use_front_boi_token", info.use_front_boi_token},
                {"add_image_shape_token", info.add_image_shape_token}};
  for (const auto& entry : fields) {
    if (name == entry.name) return entry.value;
  }
  return std::nullopt;
}

/// Named fields with their recorded values. Nulls, and the type of the image, are for input images.
void check_fields(const ImageInfo& info, const Json& recorded, Report& report) {
  for (const auto& [name, value] : recorded.members()) {
    if (value.is_null() || value.is_string() || value.is_array()) continue;
    const std::optional<std::int64_t> actual = field(info, name);
    if (!actual) {
      report.fail("no field " + name);
      continue;
    }
    report.equal(*actual, value.is_boolean() ? value.boolean() : value.integer(), name.c_str());
  }
}

void check_row(const ImageInfo& info, const std::vector<std::string>& columns, const Json& row, Report& report) {
  report.equal(static_cast<std::int64_t>(row.size()), static_cast<std::int64_t>(columns.size()), "columns");
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    const std::optional<std::int64_t> actual = field(info, columns[i]);
    if (!actual) return report.fail("no field " + columns[i]);
    report.equal(*actual, row[i].integer(), columns[i].c_str());
  }
}

/// What every successful case has in common, per release.
struct Context {
  std::vector<std::string> columns{};
  Json root;

  void check(const std::string& release, const ImageInfo& info, const Json& row, Report& report) const {
    check_row(info, columns, row, report);
    if (root.has("constant_fields") && root["constant_fields"].has(release.c_str())) {
      check_fields(info, root["constant_fields"][release.c_str()], report);
    }
  }
};

/// Text inputs. A difference is in the table of image_size_table.hpp, or in a class that parse_rules.hpp allows.
void check_text(const std::string& text, const Json& recorded, const std::string& release, const Model& model,
                const Context& context, Report& report) {
  const Result<ImageInfo> info = hunyuan_reso::build_gen_image_info(model, text);
  const bool upstream_refuses = recorded.has("type");
  if (const ListedDifference* listed = find_listed_difference(text, release)) {
    report.equal(static_cast<int>(info.error()), static_cast<int>(listed->error), "Errc");
    report.equal(static_cast<std::int64_t>(info.position()), static_cast<std::int64_t>(listed->position), "position");
    if (listed->error == Errc::none) {
      report.is_true(upstream_refuses, "listed as accepted here alone, but upstream accepts it too");
      report.equal(info->image_height, listed->row.height, "image_height");
      report.equal(info->image_width, listed->row.width, "image_width");
    }
    return report.deliberate("input listed in image_size_table.hpp");
  }
  if (upstream_refuses) {
    if (!info) return;
    if (!may_accept(text)) return report.fail("accepted, upstream refuses");
    return report.deliberate("input accepted by rule");
  }
  if (!info) {
    const std::size_t rows = std::min(model.group.size(), hunyuan_reso::ratio_token_count(model.profile));
    if (!may_refuse(text, rows)) {
      return report.fail("refused at " + std::to_string(info.position()) + " with Errc " +
                         std::to_string(static_cast<int>(info.error())) + ", upstream accepts");
    }
    return report.deliberate("input refused by rule");
  }
  context.check(release, *info, recorded, report);
}

void check_pair(hunyuan_reso::Resolution size, const Json& recorded, const std::string& release, const Model& model,
                const Context& context, Report& report) {
  const Result<ImageInfo> info = hunyuan_reso::build_gen_image_info(model, size);
  if (!size.is_positive()) {
    report.equal(static_cast<int>(info.error()), static_cast<int>(Errc::side_not_positive), "Errc");
    return report.deliberate("pair with a side below 1 refused");
  }
  if (recorded.has("type")) return report.is_true(!info, "accepted, upstream refuses");
  if (!info) return report.fail("refused, upstream accepts");
  context.check(release, *info, recorded, report);
}

void check_case(const Json& entry, const std::string& release, const Model& model, const Context& context,
                Report& report) {
  if (!entry.has(release.c_str())) return;
  const Json input = entry["input"];
  const Json recorded = entry[release.c_str()];
  if (input.is_string()) {
    report.begin_case(release + ", base size " + std::to_string(model.group.base_size()) + ", " + input.dump());
    return check_text(input.text(), recorded, release, model, context, report);
  }
  for (const char* kind : {"tuple", "list"}) {
    if (!input.has(kind) || input[kind].size() != 2) continue;
    const Json height = input[kind][std::size_t{0}];
    const Json width = input[kind][1];
    if (!fits_int32(height) || !fits_int32(width)) continue;
    report.begin_case(release + ", base size " + std::to_string(model.group.base_size()) + ", " + input.dump());
    return check_pair({int32(height), int32(width)}, recorded, release, model, context, report);
  }
  report.not_applicable("input that is neither a text nor a pair of 32-bit integers");
}

void check_cases(const Json& cases, std::int32_t base_size, const Json* factors, const Context& context,
                 Report& report) {
  for (const std::string release : {"instruct", "base"}) {
    ModelProfile profile = profile_of(release);
    if (factors != nullptr) {
      const Json downsample = (*factors)["vae_downsample_factor"];
      profile.patch_size = int32((*factors)["patch_size"]);
      profile.vae_downsample_height = int32(downsample[std::size_t{0}]);
      // The Instruct release applies the first factor to both axes.
      profile.vae_downsample_width = int32(downsample[std::size_t{release == "base" ? 1U : 0U}]);
    }
    const Result<Model> model = Model::create(profile, base_size);
    if (!model) {
      report.fail("no group at base size " + std::to_string(base_size));
      continue;
    }
    for (const Json& entry : cases.elements()) check_case(entry, release, *model, context, report);
  }
}

/// The switches of the two optional tokens are properties of the profile here. Recorded with the Instruct release.
void check_flags(const Json& entry, Report& report) {
  ModelProfile profile = hunyuan_reso::profiles::instruct;
  profile.cfg_distilled = entry["add_guidance_token"].boolean();
  profile.use_meanflow = entry["add_timestep_r_token"].boolean();
  report.begin_case("flags " + entry.dump());
  const Result<Model> model = Model::create(profile, int32(entry["info"]["base_size"]));
  if (!model) return report.fail("no group");
  const Result<ImageInfo> info = hunyuan_reso::build_gen_image_info(*model, entry["input"].text());
  if (!info) return report.fail("refused");
  check_fields(*info, entry["info"], report);
  if (entry.has("meta_info")) check_fields(*info, entry["meta_info"], report);
}

/// The names that the section description carries must all exist here; those of input images apart.
void check_names(const Json& recorded, const std::string& release, Report& report) {
  report.begin_case("names of the section description, " + release);
  for (const Json& name : recorded["meta_info_keys"].elements()) {
    if (name.text().rfind("ori_image_", 0) == 0) continue;
    if (!field(ImageInfo{}, name.text())) report.fail("no field " + name.text());
  }
}

void check_gen_image_info(const Json& root, Report& report) {
  Context context{{}, root};
  for (const Json& column : root["row"].elements()) context.columns.push_back(column.text());
  if (root.has("cases")) check_cases(root["cases"], 1024, nullptr, context, report);
  if (root.has("other_base_sizes")) {
    for (const Json& entry : root["other_base_sizes"].elements()) {
      check_cases(entry["cases"], int32(entry["base_size"]), nullptr, context, report);
    }
  }
  if (root.has("factors")) {
    for (const Json& entry : root["factors"].elements()) check_cases(entry["cases"], 1024, &entry, context, report);
  }
  if (root.has("flags")) {
    for (const Json& entry : root["flags"].elements()) check_flags(entry, report);
  }
  if (root.has("constant_fields")) {
    for (const auto& [release, fields] : root["constant_fields"].members()) {
      if (fields.has("meta_info_keys")) check_names(fields, release, report);
    }
  }
}

const Registration registration{"gen_image_info.json", check_gen_image_info};

}  // namespace
}  // namespace hunyuan_reso_test
