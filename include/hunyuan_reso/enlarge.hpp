// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ENLARGE_HPP
#define HUNYUAN_RESO_ENLARGE_HPP

#include "plan.hpp"
#include "schedule.hpp"
#include "tiles.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How a picture beyond the trained scale is made: drawn at a trained bucket, enlarged, and refined by the model itself
/// in overlapping tiles of a trained size. Nobody has trained this; the numbers here are geometry and arithmetic.
struct EnlargementOptions {
  Resolution tile{1024, 1024};  ///< pixels; multiples of a token's pixels
  std::int32_t overlap = 256;   ///< pixels, likewise
  TileProfile profile = TileProfile::cosine;
  double strength = 0.35;        ///< share of the schedule that the refinement runs; see FlowSchedule::first_step
  double flop_per_second = 0.0;  ///< of the device, as measured; 0: no seconds are given
};

/// The plan of an enlargement. Sizes in pixels.
struct EnlargementPlan {
  GenerationPlan generation{};  ///< the picture at the trained bucket
  Resolution target{};
  bool is_refined = false;    ///< false: the bucket covers the target, and no tile is needed
  double scale = 1.0;         ///< from the bucket to the enlarged picture
  ResizeCrop enlarged{};      ///< the bucket's picture, enlarged to cover the canvas, and where the canvas lies in it
  Resolution canvas{};        ///< the target, up to whole tokens
  std::int32_t crop_top = 0;  ///< where the target lies in the canvas
  std::int32_t crop_left = 0;
  double kept_share = 1.0;  ///< of the bucket's picture that the target shows, by area
  TileLayout tiles{};
  ImageInfo tile_image{};             ///< of every tile, with its own size and ratio tokens
  GenerationPlan tile{};              ///< what one tile's sequence costs
  std::int32_t first_step = 0;        ///< of the refinement, on the same schedule
  std::int32_t refinement_steps = 0;  ///< steps for each tile
  std::int64_t model_calls = 0;       ///< passes through the backbone, of the generation and of all tiles
  double total_flop = 0.0;            ///< of these passes
  double seconds = 0.0;               ///< at the rate that was given; 0 without one
  std::int64_t latent_bytes = 0;      ///< of the canvas's latents, in binary32
  std::int64_t kv_bytes = 0;          ///< the largest cache that is alive at once: of the generation or of one tile

  /// The other way, where the profile has a base size whose bucket reaches the target's area: a larger base size, drawn
  /// at once. An error says why there is none.
  Result<std::int32_t> direct_base_size = Errc::no_size_token;
  GenerationPlan direct{};
};

namespace detail {

[[nodiscard]] constexpr std::int64_t up_to_multiple(std::int32_t side, std::int32_t unit) noexcept {
  return (std::int64_t{side} + unit - 1) / unit * unit;
}

/// One picture at base size `direct_base_size`, if there is one.
constexpr void plan_direct(EnlargementPlan& plan, const Model& model, const GenerationRequest& request) noexcept {
  plan.direct_base_size = base_size_by_area(model.profile, plan.target);
  if (!plan.direct_base_size) return;
  const Result<Model> larger = Model::create(model.profile, *plan.direct_base_size, ExtraScaling::scaled);
  if (!larger) {
    plan.direct_base_size = larger.error();
    return;
  }
  GenerationRequest direct = request;
  direct.pixels = plan.target;
  const Result<GenerationPlan> planned = plan_generation(*larger, direct);
  if (planned) {
    plan.direct = *planned;
  } else {
    plan.direct_base_size = planned.error();
  }
}

}  // namespace detail

/// Plans a picture of exactly `target` pixels. The request's own size is not used; its prompt, images, steps and
/// precision are. Errors: those of plan_generation, FlowSchedule and TileLayout; Errc::side_not_positive,
/// Errc::extra_too_large for a target whose canvas exceeds 2^31 - 1 a side.
[[nodiscard]] constexpr Result<EnlargementPlan> plan_enlargement(const Model& model, const GenerationRequest& request,
                                                                 Resolution target,
                                                                 const EnlargementOptions& options = {}) noexcept {
  if (!target.is_positive()) return Errc::side_not_positive;
  const std::int32_t high = model.profile.token_pixels_high();
  const std::int32_t wide = model.profile.token_pixels_wide();
  const std::int64_t canvas_height = detail::up_to_multiple(target.height, high);
  const std::int64_t canvas_width = detail::up_to_multiple(target.width, wide);
  if (canvas_height > max_side || canvas_width > max_side) return Errc::extra_too_large;

  EnlargementPlan plan;
  plan.target = target;
  plan.canvas = {static_cast<std::int32_t>(canvas_height), static_cast<std::int32_t>(canvas_width)};
  plan.crop_top = (plan.canvas.height - target.height) / 2;
  plan.crop_left = (plan.canvas.width - target.width) / 2;

  GenerationRequest at_bucket = request;
  at_bucket.pixels = model.group[model.group.snap(target)];
  at_bucket.grid_mode = GridMode::snap;
  const Result<GenerationPlan> generation = plan_generation(model, at_bucket);
  if (!generation) return {generation.error(), generation.position()};
  plan.generation = *generation;
  const Resolution bucket = generation->image.image_size();
  const Result<ResizeCrop> enlarged = resize_and_center_crop(bucket, plan.canvas);
  if (!enlarged) return enlarged.error();
  plan.enlarged = *enlarged;
  plan.scale = static_cast<double>(enlarged->resized_height) / bucket.height;
  plan.kept_share = static_cast<double>(target.pixel_count()) /
                    (static_cast<double>(enlarged->resized_height) * static_cast<double>(enlarged->resized_width));
  plan.is_refined = plan.scale > 1.0;
  plan.model_calls = generation->steps;
  plan.total_flop = generation->total_flop;
  plan.kv_bytes = generation->kv_bytes;

  if (plan.is_refined) {
    if (high != wide) return Errc::tiles_not_aligned;  // cells of a layout are squares
    const Result<TileLayout> tiles =
        TileLayout::create(plan.canvas, options.tile, options.overlap, high, options.profile);
    if (!tiles) return tiles.error();
    plan.tiles = *tiles;
    GenerationRequest of_a_tile = request;
    of_a_tile.pixels = tiles->tile_size();
    of_a_tile.grid_mode = GridMode::follow_request;  // a canvas narrower than a tile has no bucket of its own
    const Result<GenerationPlan> tile = plan_generation(model, of_a_tile);
    if (!tile) return {tile.error(), tile.position()};
    plan.tile = *tile;
    plan.tile_image = tile->image;
    const Result<FlowSchedule> schedule = FlowSchedule::create(tile->steps, tile->flow_shift);
    if (!schedule) return schedule.error();
    const Result<std::int32_t> first = schedule->first_step(options.strength);
    if (!first) return first.error();
    plan.first_step = *first;
    plan.refinement_steps = tile->steps - *first;
    // All tiles have the same tokens, so the first call of the first tile fills the cache for all of them.
    const std::int64_t calls = std::int64_t{tiles->size()} * plan.refinement_steps;
    plan.model_calls += calls;
    plan.total_flop += tile->first_step_flop + tile->later_step_flop * static_cast<double>(calls - 1);
    if (tile->kv_bytes > plan.kv_bytes) plan.kv_bytes = tile->kv_bytes;
  }
  const std::int64_t cells = plan.canvas.pixel_count() /
                             (std::int64_t{model.profile.vae_downsample_height} * model.profile.vae_downsample_width);
  plan.latent_bytes = detail::saturating_product(4 * std::int64_t{model.profile.latent_channels}, cells);
  if (options.flop_per_second > 0.0) plan.seconds = plan.total_flop / options.flop_per_second;
  detail::plan_direct(plan, model, request);
  return plan;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ENLARGE_HPP
