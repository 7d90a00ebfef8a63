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
  double strength = 0.35;          ///< share of the schedule that the refinement runs; see FlowSchedule::first_step
  bool enlarges_latents = false;   ///< the latents are enlarged; else the decoded picture, which is then encoded
  std::int32_t tiles_at_once = 1;  ///< at most, in one call of the model
  /// Rates of the device, as measured; 0: no seconds are given, or none for what has no rate.
  double flop_per_second = 0.0;
  double decoded_pixels_per_second = 0.0;  ///< of the image decoder
  double encoded_pixels_per_second = 0.0;  ///< of the image encoder

  /// Tiles of the square that a profile was trained at, with an overlap of a quarter: the defaults above for the
  /// published checkpoints.
  [[nodiscard]] static constexpr EnlargementOptions of(const ModelProfile& profile) noexcept {
    const std::int32_t high = profile.token_pixels_high();
    const std::int32_t wide = profile.token_pixels_wide();
    const std::int32_t base = profile.trained_base_size;
    EnlargementOptions options;
    options.tile = {base < high ? high : base / high * high, base < wide ? wide : base / wide * wide};
    options.overlap = options.tile.height / 4 / high * high;
    return options;
  }
};

/// The plan of an enlargement. Sizes in pixels.
struct EnlargementPlan {
  GenerationPlan generation{};  ///< the picture at the trained bucket
  Resolution finished{};        ///< that picture; less wide than the bucket where its edges are blended
  Resolution target{};
  bool is_refined = false;    ///< false: the finished picture covers the target, and no tile is needed
  double scale = 1.0;         ///< from the finished to the enlarged picture
  ResizeCrop enlarged{};      ///< the bucket's finished picture, enlarged, and where the canvas lies in it
  Resolution canvas{};        ///< the target, up to whole tokens where it is refined
  std::int32_t crop_top = 0;  ///< where the target lies in the canvas
  std::int32_t crop_left = 0;
  /// Of a picture that wraps round (ModelProfile::wrap_pixels): the canvas goes on to the right of the target with its
  /// first columns once more, so many of them, to be blended into the left edge at the end. 0 where nothing wraps.
  std::int32_t wrap_columns = 0;
  double kept_share = 1.0;            ///< of the bucket's picture that the target shows, by area
  TileLayout tiles{};                 ///< of the refinement, and of the image encoder and decoder
  std::int32_t tiles_at_once = 1;     ///< tiles of a call: the largest number that divides theirs and was allowed
  ImageInfo tile_image{};             ///< of every tile, with its own size and ratio tokens
  GenerationPlan tile{};              ///< what one tile's sequence costs
  std::int32_t first_step = 0;        ///< of the refinement, on the same schedule
  double first_sigma = 0.0;           ///< the noise level there: latents begin as (1 - sigma) * x0 + sigma * noise
  std::int32_t refinement_steps = 0;  ///< steps for each tile; 0 where nothing is refined
  std::int64_t model_calls = 0;       ///< passes through the backbone, each of one picture or one tile
  double total_flop = 0.0;            ///< of these passes
  std::int64_t decoded_pixels = 0;    ///< that go through the image decoder, the overlaps of tiles each time
  std::int64_t encoded_pixels = 0;    ///< likewise, through the encoder
  double seconds = 0.0;               ///< at the rates that were given; 0 without them
  std::int64_t latent_bytes = 0;      ///< of the canvas's latents, in binary32; of a batch all
  std::int64_t picture_bytes = 0;     ///< of the enlarged pictures: three channels, in binary32
  std::int64_t kv_bytes = 0;          ///< the largest cache that is alive at once: of the generation or of the tiles
  std::int64_t memory_bytes = 0;      ///< weights, image coder, cache, pictures, latents and their weighted sum; not
                                      ///< what the layers hold while they run

  /// The other way, where the profile has a base size whose bucket reaches the target's area: a larger base size, drawn
  /// at once. An error says why there is none; direct.feasible() whether upstream's limits let it run, and
  /// direct.scale_report what people saw of it.
  Result<std::int32_t> direct_base_size = Errc::no_size_token;
  GenerationPlan direct{};
  double direct_seconds = 0.0;

  /// Whether the published model can run all passes of the way in tiles.
  [[nodiscard]] constexpr bool feasible() const noexcept {
    return generation.feasible() && (!is_refined || tile.feasible());
  }
};

/// The image that each tile is to the model: its tokens, and the size and ratio tokens that go into its prompt. A
/// canvas narrower than a tile has tiles that are no bucket; they take the tokens of the nearest one.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ImageInfo> tile_image_info(const Model& model,
                                                                          const TileLayout& layout) noexcept {
  return build_gen_image_info(model, layout.tile_size(), GridMode::follow_request);
}

namespace detail {

[[nodiscard]] constexpr std::int64_t up_to_multiple(std::int64_t side, std::int32_t unit) noexcept {
  return (side + unit - 1) / unit * unit;
}

[[nodiscard]] constexpr double seconds_at(double amount, double rate) noexcept {
  return rate > 0.0 ? amount / rate : 0.0;
}

/// One picture at base size `direct_base_size`, if there is one.
constexpr void plan_direct(EnlargementPlan& plan, const Model& model, const GenerationRequest& request,
                           const EnlargementOptions& options) noexcept {
  plan.direct_base_size = base_size_by_area(model.profile, plan.target);
  if (!plan.direct_base_size) return;
  const Result<Model> larger = Model::create(model.profile, *plan.direct_base_size, ExtraScaling::scaled);
  if (!larger) {
    plan.direct_base_size = larger.error();
    return;
  }
  GenerationRequest direct = request;
  direct.pixels = plan.target;
  direct.grid_mode = GridMode::snap;
  const Result<GenerationPlan> planned = plan_generation(*larger, direct);
  if (planned) {
    plan.direct = *planned;
    const double pixels = static_cast<double>(planned->image.image_size().pixel_count()) * planned->batch;
    plan.direct_seconds = seconds_at(planned->total_flop, options.flop_per_second) +
                          seconds_at(pixels, options.decoded_pixels_per_second);
  } else {
    plan.direct_base_size = planned.error();
  }
}

/// The bucket whose finished picture has the ratio nearest to the target's: of one that wraps round the finished
/// picture is narrower.
[[nodiscard]] constexpr Result<std::size_t> enlargement_bucket(const Model& model, Resolution target) noexcept {
  if (model.profile.wrap_pixels == 0) return model.group.snap(target);
  Resolution rows[published_group_capacity]{};
  for (std::size_t i = 0; i < model.group.size(); ++i) {
    const Result<Resolution> finished = wrapped_size(model.profile, model.group[i]);
    if (!finished) return {finished.error(), i};
    rows[i] = *finished;
  }
  const Result<ResolutionGroup> finished = ResolutionGroup::from_rows(rows, model.group.size());
  if (!finished) return {finished.error(), finished.position()};
  return finished->snap(target);
}

/// Sizes of an enlargement from a finished picture: the canvas, how the picture covers it, where the target lies.
constexpr Errc place_target(EnlargementPlan& plan, const ModelProfile& profile, Resolution finished) noexcept {
  const std::int32_t high = profile.token_pixels_high();
  const std::int32_t wide = profile.token_pixels_wide();
  const Result<ResizeCrop> exact = resize_and_center_crop(finished, plan.target);
  if (!exact) return exact.error();
  plan.is_refined = plan.target.height > finished.height || plan.target.width > finished.width;
  // A picture that is cut at its sides wraps round no longer.
  const bool wraps = profile.wrap_pixels > 0 && plan.is_refined && exact->resized_width == plan.target.width;
  const std::int64_t wrap = wraps ? profile.wrap_pixels : 0;
  const std::int64_t height = up_to_multiple(plan.target.height, high);
  const std::int64_t width = up_to_multiple(plan.target.width + wrap, wide);
  if (height > max_side || width > max_side) return Errc::target_too_large;
  plan.canvas = plan.target;
  if (plan.is_refined) plan.canvas = {static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)};
  plan.crop_top = (plan.canvas.height - plan.target.height) / 2;
  if (wraps) {
    plan.wrap_columns = plan.canvas.width - plan.target.width;
    plan.enlarged = *exact;  // exactly as wide as the target; rows up to a whole token are stretched to
    if (plan.enlarged.resized_height < height) plan.enlarged.resized_height = height;
    plan.enlarged.crop_top = half_margin(plan.enlarged.resized_height, plan.canvas.height);
  } else {
    plan.crop_left = (plan.canvas.width - plan.target.width) / 2;
    const Result<ResizeCrop> enlarged = resize_and_center_crop(finished, plan.canvas);
    if (!enlarged) return enlarged.error();
    plan.enlarged = *enlarged;
  }
  plan.scale = static_cast<double>(plan.enlarged.resized_height) / finished.height;
  plan.kept_share =
      static_cast<double>(plan.target.pixel_count()) /
      (static_cast<double>(plan.enlarged.resized_height) * static_cast<double>(plan.enlarged.resized_width));
  return Errc::none;
}

/// Tiles, their steps and their calls. Options are checked also where there are no tiles.
constexpr Result<bool> plan_tiles(EnlargementPlan& plan, const Model& model, const GenerationRequest& request,
                                  const EnlargementOptions& options) noexcept {
  const std::int32_t high = model.profile.token_pixels_high();
  if (high != model.profile.token_pixels_wide()) return Errc::tiles_not_aligned;  // cells of a layout are squares
  if (options.tiles_at_once < 1) return Errc::count_out_of_range;
  const Resolution canvas = plan.is_refined ? plan.canvas : options.tile;
  const Result<TileLayout> tiles = TileLayout::create(canvas, options.tile, options.overlap, high, options.profile);
  if (!tiles) return tiles.error();
  const Result<FlowSchedule> schedule = FlowSchedule::create(plan.generation.steps, plan.generation.flow_shift);
  if (!schedule) return schedule.error();
  const Result<std::int32_t> first = schedule->first_step(options.strength);
  if (!first) return first.error();
  if (!plan.is_refined) return true;
  plan.tiles = *tiles;
  const std::int32_t count = tiles->size();
  plan.tiles_at_once = options.tiles_at_once < count ? options.tiles_at_once : count;
  while (count % plan.tiles_at_once != 0) --plan.tiles_at_once;
  GenerationRequest of_a_tile = request;
  of_a_tile.pixels = tiles->tile_size();
  of_a_tile.grid_mode = GridMode::follow_request;  // a canvas narrower than a tile has no bucket of its own
  const Result<GenerationPlan> tile = plan_generation(model, of_a_tile);
  if (!tile) return {tile.error(), tile.position()};
  plan.tile = *tile;
  plan.tile_image = tile->image;
  plan.first_step = *first;
  plan.first_sigma = schedule->sigma(*first);
  plan.refinement_steps = tile->steps - *first;
  // All tiles have the same tokens, so the first call fills the cache for all of them.
  const std::int64_t calls = std::int64_t{count} * plan.refinement_steps;
  plan.model_calls += calls;
  plan.total_flop += tile->first_step_flop * plan.tiles_at_once +
                     tile->later_step_flop * static_cast<double>(calls - plan.tiles_at_once);
  const std::int64_t cache = saturating_product(tile->kv_bytes, plan.tiles_at_once);
  if (cache > plan.kv_bytes) plan.kv_bytes = cache;
  const std::int64_t pixels =
      saturating_product(saturating_product(tiles->tile_size().pixel_count(), count), tile->batch);
  plan.decoded_pixels = saturating_sum(options.enlarges_latents ? 0 : plan.decoded_pixels, pixels);
  plan.encoded_pixels = options.enlarges_latents ? 0 : pixels;
  return true;
}

constexpr void count_bytes(EnlargementPlan& plan, const ModelProfile& profile) noexcept {
  const std::int64_t pixels = saturating_product(plan.canvas.pixel_count(), plan.generation.batch);
  const std::int64_t cells = pixels / (std::int64_t{profile.vae_downsample_height} * profile.vae_downsample_width);
  plan.latent_bytes = saturating_product(4 * std::int64_t{profile.latent_channels}, cells);
  plan.picture_bytes = saturating_product(12, pixels);
  plan.memory_bytes = saturating_sum(plan.generation.weight_bytes, plan.generation.vae_bytes);
  const std::int64_t rest[] = {plan.kv_bytes, plan.picture_bytes, plan.latent_bytes, plan.latent_bytes};
  for (const std::int64_t bytes : rest) plan.memory_bytes = saturating_sum(plan.memory_bytes, bytes);
}

}  // namespace detail

/// Plans a picture of exactly `target` pixels. The request's own size is not used; its prompt, images, steps and
/// precision are. `model` has the base size to draw at, the profile's trained one unless another is meant. Errors:
/// those of plan_generation, FlowSchedule and TileLayout; Errc::side_not_positive, Errc::target_too_large for a canvas
/// beyond 2^31 - 1 a side; Errc::count_out_of_range for less than one tile at once.
[[nodiscard]] constexpr Result<EnlargementPlan> plan_enlargement(const Model& model, const GenerationRequest& request,
                                                                 Resolution target,
                                                                 const EnlargementOptions& options) noexcept {
  if (!target.is_positive()) return Errc::side_not_positive;
  EnlargementPlan plan;
  plan.target = target;
  GenerationRequest at_bucket = request;
  const Result<std::size_t> row = detail::enlargement_bucket(model, target);
  if (!row) return {row.error(), row.position()};
  at_bucket.pixels = model.group[*row];
  at_bucket.grid_mode = GridMode::snap;
  const Result<GenerationPlan> generation = plan_generation(model, at_bucket);
  if (!generation) return {generation.error(), generation.position()};
  plan.generation = *generation;
  const Resolution bucket = generation->image.image_size();
  const Result<Resolution> finished = wrapped_size(model.profile, bucket);
  if (!finished) return finished.error();
  plan.finished = *finished;
  const Errc placed = detail::place_target(plan, model.profile, *finished);
  if (placed != Errc::none) return placed;
  plan.model_calls = generation->steps;
  plan.total_flop = generation->total_flop;
  plan.kv_bytes = generation->kv_bytes;
  plan.decoded_pixels = bucket.pixel_count() * plan.generation.batch;
  const Result<bool> tiled = detail::plan_tiles(plan, model, request, options);
  if (!tiled) return {tiled.error(), tiled.position()};
  detail::count_bytes(plan, model.profile);
  plan.seconds = detail::seconds_at(plan.total_flop, options.flop_per_second) +
                 detail::seconds_at(static_cast<double>(plan.decoded_pixels), options.decoded_pixels_per_second) +
                 detail::seconds_at(static_cast<double>(plan.encoded_pixels), options.encoded_pixels_per_second);
  detail::plan_direct(plan, model, request, options);
  return plan;
}

/// The same with the profile's own tiles: EnlargementOptions::of.
[[nodiscard]] constexpr Result<EnlargementPlan> plan_enlargement(const Model& model, const GenerationRequest& request,
                                                                 Resolution target) noexcept {
  return plan_enlargement(model, request, target, EnlargementOptions::of(model.profile));
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ENLARGE_HPP
