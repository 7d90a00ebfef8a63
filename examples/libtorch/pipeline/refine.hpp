// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_REFINE_HPP
#define HUNYUAN_GENERATE_REFINE_HPP

#include <ATen/ATen.h>  // Tensor

#include <utility>  // move
#include <vector>   // vector

#include "pipeline/conditioning.hpp"
#include "pipeline/devices.hpp"
#include "pipeline/request.hpp"
#include "pipeline/tiled_loop.hpp"
#include "pipeline/vae_tiles.hpp"

namespace hunyuan_generate {

/// What the refinement of one picture needs besides its latents.
struct RefineInputs {
  const Model& model;
  const PlannedRequest& planned;  ///< with an enlargement that is refined
  hunyuan_reso::TokenBatch rows;  ///< of as many tiles as go at once
  std::vector<Overwrite> conditioning;
  at::Tensor noise;  ///< standard normal, [1, C, H, W] of the canvas
  ComputeOptions compute;
  bool graph = true;
  StepReport report;  ///< hears of each call
};

/// A picture of the target's size, and what it cost.
struct Refined {
  at::Tensor pixels;           ///< uint8 [height, width, 3]
  LoopTimes times;             ///< of the calls
  std::int64_t calls = 0;      ///< each of `at_once` tiles
  double encode_seconds = 0;   ///< decoding the bucket's picture, enlarging and encoding it, or enlarging the latents
  double encoder_seconds = 0;  ///< of these in the image encoder
  double loop_seconds = 0, decode_seconds = 0;
};

inline const hunyuan_reso::EnlargementPlan& plan_of(const PlannedRequest& planned) {
  if (planned.enlargement() == nullptr) throw Error("the request has no target");
  return *planned.enlargement();
}

// Both axes are the same: see the plan, which refuses tiles of other cells.
inline std::int32_t latent_pixels(const PlannedRequest& planned) { return planned.profile().vae_downsample_height; }

inline hunyuan_reso::TileLayout latent_tiles(const PlannedRequest& planned) {
  return require(plan_of(planned).tiles.with_cells_of(latent_pixels(planned)), "tiles of latents");
}

// [.., h, w] continued to the right with its own first columns.
inline at::Tensor continued(const at::Tensor& values, std::int64_t axis, std::int64_t columns) {
  return columns > 0 ? at::cat({values, values.narrow(axis, 0, columns)}, axis) : values;
}

inline at::Tensor encoded(const RefineInputs& inputs, const at::Tensor& picture) {
  if (!inputs.model.vae_encoder) {
    throw Error("the checkpoint has no VAE encoder, so it enlarges latents only (--enlarge latent)");
  }
  const VaeEncoder& encoder = *inputs.model.vae_encoder;
  const at::Device device = inputs.model.backbone.device();
  const at::Tensor moments =
      encode_tiles(plan_of(inputs.planned).tiles, latent_pixels(inputs.planned), picture, [&](const at::Tensor& image) {
        inputs.model.parallel().get_on();
        return encoder.moments(image.to(device, inputs.model.options.vae_dtype), {});
      });
  // The mean: noise comes with the start of the refinement.
  return encoder.sample(moments, at::zeros_like(moments.chunk(2, 1)[0])).to(device);
}

/// The shape of the canvas's latents, [1, C, H, W].
inline std::vector<std::int64_t> canvas_shape(const PlannedRequest& planned) {
  const hunyuan_reso::Resolution cells = latent_tiles(planned).canvas_cells();
  return {1, planned.profile().latent_channels, cells.height, cells.width};
}
/// Noise for the canvas of a picture that wraps round: what goes on behind the right edge is what stands at the left.
inline at::Tensor wrapped_noise(const PlannedRequest& planned, const at::Tensor& noise) {
  const hunyuan_reso::EnlargementPlan& plan = plan_of(planned);
  const std::int64_t side = latent_pixels(planned), columns = plan.wrap_columns / side;
  // Columns between two latents cannot be repeated as noise.
  if (columns == 0 || plan.target.width % side != 0) return noise;
  return continued(noise.narrow(3, 0, noise.size(3) - columns), 3, columns);
}

/// A bucket's decoded picture, uint8 [h, w, 3], enlarged to the canvas, which it covers: Lanczos, cut, and continued
/// where the picture wraps round.
inline at::Tensor enlarged_picture(const PlannedRequest& planned, const at::Tensor& pixels) {
  const hunyuan_reso::EnlargementPlan& plan = plan_of(planned);
  const hunyuan_reso::ResizeCrop& how = plan.enlarged;
  const at::Tensor finished = wrap_round(pixels, planned.profile().wrap_pixels);
  const at::Tensor large = resize_picture(finished, how.resized_height, how.resized_width, ResizeFilter::lanczos);
  return continued(large.narrow(0, how.crop_top, plan.canvas.height)
                       .narrow(1, how.crop_left, plan.canvas.width - plan.wrap_columns),
                   1, plan.wrap_columns)
      .contiguous();
}
/// The same with latents [1, C, h, w], bicubic.
inline at::Tensor enlarged_latents(const PlannedRequest& planned, const at::Tensor& latents) {
  const hunyuan_reso::EnlargementPlan& plan = plan_of(planned);
  if (plan.wrap_columns > 0) throw Error("a picture that wraps round is enlarged as a picture, not as latents");
  const hunyuan_reso::Resolution canvas = latent_tiles(planned).canvas_cells();
  const hunyuan_reso::Resolution bucket{static_cast<std::int32_t>(latents.size(2)),
                                        static_cast<std::int32_t>(latents.size(3))};
  const hunyuan_reso::ResizeCrop how =
      require(hunyuan_reso::resize_and_center_crop(bucket, canvas), "enlarged latents");
  const at::Tensor large = at::upsample_bicubic2d(latents.to(at::kFloat), {how.resized_height, how.resized_width},
                                                  /*align_corners=*/false);
  return large.narrow(2, how.crop_top, canvas.height).narrow(3, how.crop_left, canvas.width).contiguous();
}
/// The canvas's pixels, or those of a bucket that covers the target: wrapped round and cut to the target.
inline at::Tensor cut_to_target(const PlannedRequest& planned, const at::Tensor& pixels) {
  const hunyuan_reso::EnlargementPlan& plan = plan_of(planned);
  const at::Tensor canvas = plan.is_refined ? wrap_round(pixels, plan.wrap_columns) : enlarged_picture(planned, pixels);
  return canvas.narrow(0, plan.crop_top, plan.target.height).narrow(1, plan.crop_left, plan.target.width).contiguous();
}

/// From the latents of the bucket's picture, [1, C, h, w], and, for enlarging in pixels, the picture, uint8 [h, w, 3],
/// to the refined picture. Throws Error.
inline Refined refine(const at::Tensor& latents, const at::Tensor& pixels, RefineInputs inputs) {
  const PlannedRequest& planned = inputs.planned;
  const hunyuan_reso::EnlargementPlan& plan = plan_of(planned);
  const at::Device device = inputs.model.backbone.device();
  Refined result;
  double begin = now();
  at::Tensor start;
  if (pixels.defined()) {
    const at::Tensor picture = enlarged_picture(planned, pixels);
    const double encodes = now();
    start = encoded(inputs, picture);
    result.encoder_seconds = now() - encodes;
  } else {
    start = enlarged_latents(planned, latents).to(device);
  }
  const ScheduleTensors schedule = schedule_tensors(plan.tile.steps, plan.tile.flow_shift);
  const at::Tensor sigma = schedule.sigmas.narrow(0, plan.first_step, 1).to(device);
  const at::Tensor noise = wrapped_noise(planned, inputs.noise.to(device, at::kFloat));
  start = (1 - sigma) * start + sigma * noise;
  result.encode_seconds = now() - begin;
  release_memory();  // what the encoder had, to the loop's stream
  begin = now();
  at::Tensor refined;
  {
    Denoiser denoiser(inputs.model, image_sequence(planned.profile(), inputs.rows, schedule, device),
                      std::move(inputs.conditioning), schedule, plan.tile.guidance, inputs.compute, plan.tiles_at_once);
    TiledCanvas canvas(latent_tiles(planned), start.size(1), plan.tiles_at_once, schedule, device);
    denoiser.start(at::zeros_like(denoiser.latents()), plan.first_step);
    canvas.start(start, plan.first_step);
    result.times = run_tiles(canvas, tile_model(denoiser), plan.refinement_steps, device, inputs.graph, inputs.report);
    result.calls = static_cast<std::int64_t>(result.times.steps.size());
    refined = canvas.latents();
  }  // the cache is gone before the VAE needs memory
  release_memory();
  if (!refined.isfinite().all().item<bool>()) throw Error("the latents after the last tile are not finite");
  result.loop_seconds = now() - begin;
  begin = now();
  if (!inputs.model.vae_decoder) throw Error("the checkpoint has no VAE decoder");
  const auto decode = [&](const at::Tensor& tile) {
    inputs.model.parallel().get_on();
    return inputs.model.vae_decoder->decode(tile);
  };
  result.pixels = cut_to_target(planned, decode_tiles(plan.tiles, latent_pixels(planned), refined, decode));
  result.decode_seconds = now() - begin;
  return result;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_REFINE_HPP
