// SPDX-License-Identifier: MIT
// vit_grid.json: the ViT's true grid for an original size, for several patch sides and limits.
#include <hunyuan_reso/image_info.hpp>

#include "common.hpp"
#include "report.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::ConditioningImageType;
using hunyuan_reso::Errc;
using hunyuan_reso::ImageInfo;
using hunyuan_reso::Model;
using hunyuan_reso::ModelProfile;
using hunyuan_reso::Resolution;
using hunyuan_reso::Result;

/// A row of the file: the original, and its grid. One whose grid holds more than the limit must be refused by name.
struct Recorded {
  Resolution original{};
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool fits = false;
};

void check_grid(const Result<Resolution>& grid, const Recorded& recorded, Report& report) {
  if (!recorded.fits) {
    return report.equal(static_cast<int>(grid.error()), static_cast<int>(Errc::vit_grid_exceeds_slots), "Errc");
  }
  if (!grid) return report.fail("refused");
  report.equal(grid->height, recorded.rows, "rows");
  report.equal(grid->width, recorded.columns, "columns");
}

/// The same through the description of a conditioning image.
void check_image(const Model& model, const Recorded& recorded, Report& report) {
  const Result<ImageInfo> info = hunyuan_reso::build_cond_image_info(model, recorded.original);
  if (!info) return check_grid(info.error(), recorded, report);
  check_grid(info->vit_grid(), recorded, report);
  report.equal(info->vit_token_length, model.profile.vit_slots, "slots");
  const bool has_vae = model.profile.conditioning_image_type == ConditioningImageType::vae_vit;
  const Resolution row = has_vae ? model.group[model.group.snap(recorded.original)] : Resolution{};
  report.is_true(info->image_size() == row, "the VAE's row");
}

/// Every published profile with this patch side and limit, and one whose conditioning images go through the ViT alone.
std::vector<Model> models_with(std::int32_t patch, std::int32_t slots) {
  std::vector<Model> models;
  for (const ModelProfile* published : hunyuan_reso::profiles::all) {
    ModelProfile profile = *published;
    profile.vit_patch = patch;
    profile.vit_slots = slots;
    models.push_back(*Model::create(profile));
  }
  models.push_back(models.front());
  models.back().profile.conditioning_image_type = ConditioningImageType::vit;
  return models;
}

void check_vit_grid(const Json& root, Report& report) {
  for (const auto& [name, rows] : root.members()) {
    const std::size_t line = name.find('_');
    if (line == std::string::npos || !rows.is_array()) {
      report.not_applicable("section " + name);
      continue;
    }
    const auto patch = static_cast<std::int32_t>(std::stoi(name.substr(0, line)));
    const auto slots = static_cast<std::int32_t>(std::stoi(name.substr(line + 1)));
    const std::vector<Model> models = models_with(patch, slots);
    for (const Json& row : rows.elements()) {
      Recorded recorded{{int32(row[std::size_t{0}]), int32(row[1])}, row[2].integer(), row[3].integer()};
      recorded.fits = recorded.rows * recorded.columns <= slots;
      report.begin_case(name + ", " + text_of(recorded.original));
      if (!recorded.fits)
        report.deliberate("grid over the limit, which the published code cannot pad, refused by name");
      check_grid(hunyuan_reso::detail::vit_grid(recorded.original, patch, slots), recorded, report);
      for (const Model& model : models) check_image(model, recorded, report);
    }
  }
}

const Registration registration{"vit_grid.json", check_vit_grid};

}  // namespace
}  // namespace hunyuan_reso_test
