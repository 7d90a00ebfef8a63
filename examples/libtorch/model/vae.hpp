// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VAE_HPP
#define HUNYUAN_GENERATE_VAE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>   // int64_t
#include <optional>  // optional
#include <vector>    // vector

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Moves channels into space and time. Input [B, f c, T, h, w] with f = 4 `frames`; the channel index is read as
/// (a, b, d, ch), ch fastest, and lands at frame t frames + a, row 2 i + b, column 2 j + d of [B, c, T frames, 2h, 2w].
at::Tensor channels_to_space(const at::Tensor& x, std::int64_t frames);
/// The inverse. Frames must be a multiple of `frames`, height and width even.
at::Tensor space_to_channels(const at::Tensor& x, std::int64_t frames);

/// Two 3-D convolutions with a shortcut.
class VaeResidualBlock {
 public:
  VaeResidualBlock(const WeightLoader& loader, std::int64_t in, std::int64_t out);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

 private:
  GroupNorm norm1_, norm2_;
  Conv conv1_, conv2_;
  std::optional<Conv> shortcut_;
};

/// Residual block, attention over all positions of all frames, residual block.
class VaeMiddle {
 public:
  VaeMiddle(const WeightLoader& loader, std::int64_t channels);
  /// The probe gets mid_block_1, mid_attn_1 and mid_block_2.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const Probe& probe) const;

 private:
  [[nodiscard]] at::Tensor attend(const at::Tensor& x) const;

  VaeResidualBlock block_1_, block_2_;
  GroupNorm norm_;
  Conv q_, k_, v_, proj_out_;
};

/// One resolution of the encoder or the decoder: blocks, then a change of resolution where there is one.
struct VaeLevel {
  std::vector<VaeResidualBlock> blocks;
  std::optional<Conv> resample;
  std::int64_t frames = 1;    ///< 2 where the change of resolution also halves or doubles the frames
  std::int64_t channels = 0;  ///< after the change of resolution
};

/// Latents to pixels. Arithmetic is in the loader's type, group norms in float32.
class VaeDecoder {
 public:
  /// Reads "vae.decoder.*"; `loader` has no prefix. Throws Error when the configuration says there is no decoder.
  VaeDecoder(const WeightLoader& loader, const VaeConfig& config);

  /// Model latents [B, C, h, w] to the decoder's input, unscaled and unshifted, with one frame: [B, C, 1, h, w],
  /// float32.
  [[nodiscard]] at::Tensor unscale(const at::Tensor& latents) const;
  /// Decoder input [B, C, T, h, w] to every frame [B, 3, T ft, h fs, w fs], about -1 .. 1. The probe gets conv_in, what
  /// VaeMiddle reports, and up{l}_block_{j}, up{l}_upsample for each level l.
  [[nodiscard]] at::Tensor frames(const at::Tensor& z, const Probe& probe) const;
  /// Model latents [B, C, h, w] to the image [B, 3, h fs, w fs], float32: the last frame.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;

 private:
  VaeConfig config_;
  Conv conv_in_, conv_out_;
  VaeMiddle middle_;
  std::vector<VaeLevel> levels_;
  GroupNorm norm_out_;
};

/// Pixels to latents, for conditioning images.
class VaeEncoder {
 public:
  /// Reads "vae.encoder.*"; `loader` has no prefix. Throws Error when the configuration says there is no encoder.
  VaeEncoder(const WeightLoader& loader, const VaeConfig& config);

  /// Pixels [B, 3, H, W] in -1 .. 1 to mean and log variance (unclamped), one after the other: [B, 2C, H / fs, W / fs],
  /// float32. H and W must be multiples of fs.
  [[nodiscard]] at::Tensor moments(const at::Tensor& pixels, const Probe& probe) const;
  /// Latents as the backbone takes them, [B, C, h, w], float32: mean + exp(logvar / 2) noise with the log variance
  /// clamped to -30 .. 20, shifted and scaled. `noise` is standard normal, [B, C, h, w].
  [[nodiscard]] at::Tensor sample(const at::Tensor& moments, const at::Tensor& noise) const;

 private:
  VaeConfig config_;
  Conv conv_in_, conv_out_;
  std::vector<VaeLevel> levels_;
  VaeMiddle middle_;
  GroupNorm norm_out_;
};

/// Image [B, 3, H, W], about -1 .. 1, to 8-bit pixels [B, H, W, 3]: clamped, halves rounded to even.
at::Tensor to_pixels(const at::Tensor& image);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VAE_HPP
