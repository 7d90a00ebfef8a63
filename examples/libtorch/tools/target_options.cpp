// SPDX-License-Identifier: MIT
#include "tools/target_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>  // printf

#include "tools/run.hpp"

namespace hunyuan_generate {

void TargetOptions::add(CLI::App& app) {
  constexpr int longest = 1 << 20;
  app.add_option("--target", target_,
                 "HEIGHTxWIDTH beyond the trained scale: drawn at a trained bucket, enlarged, refined in tiles "
                 "(untrained)");
  app.add_option("--strength", wanted_.strength, "Share of the steps that refine, above 0 up to 1 (0.35)");
  app.add_option("--tile", wanted_.tile, "Side of a tile in pixels (the trained size)")->check(CLI::Range(1, longest));
  app.add_option("--overlap", wanted_.overlap, "Least overlap of tiles in pixels (a quarter of the trained size)")
      ->check(CLI::Range(0, longest));
  app.add_option("--enlarge", enlarge_, "What is enlarged: the picture (decode, Lanczos, encode) or the latent")
      ->check(CLI::IsMember({"picture", "latent"}))
      ->capture_default_str();
  app.add_option("--tiles-at-once", wanted_.tiles_at_once, "Most tiles in one call of the model")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--rope-scaling", rope_scaling_,
                 "Rescale the rotary base of images larger than trained: none, area, area_by_sigma (untrained)")
      ->check(CLI::IsMember({"none", "area", "area_by_sigma"}));
}

void TargetOptions::fill(Request& request, const Folder& folder, bool has_size) const {
  using hunyuan_reso::RopeScaling;
  if (!rope_scaling_.empty()) {
    request.rope_scaling = rope_scaling_ == "none"   ? RopeScaling::none
                           : rope_scaling_ == "area" ? RopeScaling::area
                                                     : RopeScaling::area_by_sigma;
  }
  if (target_.empty()) {
    if (wanted_.tile || wanted_.overlap || wanted_.strength || enlarge_ == "latent" || wanted_.tiles_at_once != 1) {
      throw UsageError("--strength, --tile, --overlap, --enlarge and --tiles-at-once belong to --target");
    }
    return;
  }
  if (has_size) throw UsageError("give either --size or --target");
  if (request.align_output) throw UsageError("--align-output and --target name two sizes: give one of them");
  if (request.text_only) throw UsageError("--task auto answers in text: it has no --target");
  const auto size = hunyuan_reso::parse_image_size(target_, folder.profile);
  if (!size || size->kind != hunyuan_reso::ImageSizeKind::pixels) {
    throw Error("--target: '" + target_ + "' is no HEIGHTxWIDTH in pixels");
  }
  request.target = wanted_;
  request.target->size = size->size;
  request.target->enlarges_latents = enlarge_ == "latent";
}

nlohmann::json enlargement_json(const hunyuan_reso::EnlargementPlan& plan) {
  nlohmann::json json{{"height", plan.target.height},
                      {"width", plan.target.width},
                      {"canvas_height", plan.canvas.height},
                      {"canvas_width", plan.canvas.width},
                      {"is_refined", plan.is_refined}};
  if (!plan.is_refined) return json;
  json["tiles"] = plan.tiles.size();
  json["tile_height"] = plan.tiles.tile_size().height;
  json["tile_width"] = plan.tiles.tile_size().width;
  json["first_step"] = plan.first_step;
  json["model_calls"] = plan.model_calls;
  return json;
}

void print_enlargement_times(const Outcome& outcome) {
  if (outcome.planned_seconds <= 0) return;
  const double took = outcome.encode_seconds + outcome.loop_seconds + outcome.decode_seconds;
  std::printf(
      "enlargement: the plan says %.3f s a picture at the rates of this run (%.3g TFLOP/s in the last step at the "
      "trained size; %.3g MP/s decoded, %.3g encoded); it took %.3f s\n",
      outcome.planned_seconds, outcome.rates.flop_per_second / 1e12, outcome.rates.decoded_pixels_per_second / 1e6,
      outcome.rates.encoded_pixels_per_second / 1e6, took / static_cast<double>(outcome.pictures.size()));
}

}  // namespace hunyuan_generate
