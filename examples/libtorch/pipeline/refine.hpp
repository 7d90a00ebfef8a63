// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_REFINE_HPP
#define HUNYUAN_GENERATE_REFINE_HPP

#include <ATen/ATen.h>  // Tensor

#include <vector>  // vector

#include "pipeline/request.hpp"
#include "pipeline/tiled_loop.hpp"

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

/// The shape of the canvas's latents, [1, C, H, W].
std::vector<std::int64_t> canvas_shape(const PlannedRequest& planned);
/// Noise for the canvas of a picture that wraps round: what goes on behind the right edge is what stands at the left.
at::Tensor wrapped_noise(const PlannedRequest& planned, const at::Tensor& noise);

/// A bucket's decoded picture, uint8 [h, w, 3], enlarged to the canvas, which it covers: Lanczos, cut, and continued
/// where the picture wraps round.
at::Tensor enlarged_picture(const PlannedRequest& planned, const at::Tensor& pixels);
/// The same with latents [1, C, h, w], bicubic.
at::Tensor enlarged_latents(const PlannedRequest& planned, const at::Tensor& latents);
/// The canvas's pixels, or those of a bucket that covers the target: wrapped round and cut to the target.
at::Tensor cut_to_target(const PlannedRequest& planned, const at::Tensor& pixels);

/// From the latents of the bucket's picture, [1, C, h, w], and, for enlarging in pixels, the picture, uint8 [h, w, 3],
/// to the refined picture. Throws Error.
Refined refine(const at::Tensor& latents, const at::Tensor& pixels, RefineInputs inputs);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_REFINE_HPP
