// SPDX-License-Identifier: MIT
#include <algorithm>  // max
#include <cstdio>     // printf

#include "adapter/adapter.hpp"
#include "model/json_file.hpp"
#include "model/safetensors.hpp"
#include "pipeline/conditioning.hpp"
#include "pipeline/picture.hpp"
#include "tools/check.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

// The recorded pictures' group: a base size, the published alignment, no extra rows.
hr::Model model_of(const JsonObject& picture) {
  hr::ModelProfile profile = hr::profiles::instruct;
  profile.extras = {};
  profile.trained_base_size = static_cast<std::int32_t>(picture.size("base_size"));
  profile.vit_slots = static_cast<std::int32_t>(picture.size("max_num_patches"));
  return require(hr::Model::create(profile), "the recorded group");
}

struct Difference {
  double largest = 0, share = 0;  // of all values, those that differ
};
Difference difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return {1e30, 1};
  const at::Tensor distance = (a.to(at::kDouble) - b.to(at::kDouble)).abs();
  return {distance.max().item<double>(), distance.gt(0).to(at::kDouble).mean().item<double>()};
}

bool check_picture(const SafetensorsFile& recorded, const std::string& name, const JsonObject& expected) {
  const at::Tensor file = recorded.tensor(name + ".png");
  const std::string bytes(static_cast<const char*>(file.data_ptr()), file.nbytes());
  const at::Tensor rgb = decode_picture(bytes, name);
  const hr::Model model = model_of(expected);
  const hr::ImageInfo info = require(hr::build_cond_image_info(model, {static_cast<std::int32_t>(rgb.size(0)),
                                                                       static_cast<std::int32_t>(rgb.size(1))}),
                                     name);
  const VisionInput vision = vision_input(rgb, info.vit_grid(), model.profile.vit_patch, model.profile.vit_slots);
  const Difference pixels = difference(rgb, recorded.tensor(name + ".rgb"));
  const Difference crop = difference(vae_picture(rgb, info.image_size(), false), recorded.tensor(name + ".crop_u8"));
  const Difference stretch =
      difference(vae_picture(rgb, info.image_size(), true), recorded.tensor(name + ".stretch_u8"));
  const Difference patches = difference(vision.pixels[0], recorded.tensor(name + ".vit_pixels"));
  const bool grid = at::equal(vision.grid[0], recorded.tensor(name + ".vit_grid")) &&
                    at::equal(vision.mask[0], recorded.tensor(name + ".vit_mask")) &&
                    static_cast<std::int64_t>(info.ratio_index) == expected.size("ratio_index", std::nullopt, 0);
  constexpr double level = 2.0 / 255 + 1e-6;
  const bool good = grid && pixels.largest == 0 && crop.largest <= 1 && crop.share <= 0.01 && stretch.largest <= 1 &&
                    stretch.share <= 0.01 && patches.largest <= level;
  std::printf("%-16s rgb %g, crop %g (%.3f%% differ), stretch %g (%.3f%%), patches %.2g, grid %s  %s\n", name.c_str(),
              pixels.largest, crop.largest, 100 * crop.share, stretch.largest, 100 * stretch.share, patches.largest,
              grid ? "same" : "other", good ? "ok" : "FAIL");
  return good;
}

}  // namespace

bool check_pixels(const std::filesystem::path& folder) {
  std::string name = folder.filename().string();
  if (name.empty()) name = folder.parent_path().filename().string();
  const nlohmann::json cases = read_json(folder / (name + ".json"));
  const SafetensorsFile recorded(folder / (name + ".safetensors"));
  int good = 0, all = 0;
  for (const auto& [picture, value] : cases.items()) {
    ++all;
    try {
      good += check_picture(recorded, picture, JsonObject(value, picture)) ? 1 : 0;
    } catch (const std::exception& error) {
      std::printf("%-16s %s  FAIL\n", picture.c_str(), error.what());
    }
  }
  std::printf("%d of %d pictures within the limits: %s\n", good, all, good == all && all > 0 ? "PASS" : "FAIL");
  return good == all && all > 0;
}

}  // namespace hunyuan_generate
