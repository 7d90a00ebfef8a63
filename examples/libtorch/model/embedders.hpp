// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_EMBEDDERS_HPP
#define HUNYUAN_GENERATE_EMBEDDERS_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// The 256 sinusoids of scalar values, cosines first: [n] to [n, 256], float32.
at::Tensor sinusoids(const at::Tensor& values);

/// Turns a timestep or a guidance value into a vector: sinusoids, linear, exact gelu, linear.
class ScalarEmbedder {
 public:
  /// `loader` stands at the embedder's name, such as "time_embed".
  ScalarEmbedder(const WeightLoader& loader, std::int64_t hidden_size);
  /// [n] float32 to [n, H] in the type of the weights. Values are used as they are: timesteps run from 1000 to 0.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& values) const;

 private:
  Linear first_, second_;
  at::Tensor frequencies_;  // [128], float32
};

/// Residual block of two convolutions whose second norm is scaled and shifted by an embedding.
class EmbeddedResidualBlock {
 public:
  EmbeddedResidualBlock(const WeightLoader& loader, std::int64_t in, std::int64_t out, std::int64_t hidden_size);
  /// x [B, in, h, w], embedding [B or 1, H]; returns [B, out, h, w].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding) const;

 private:
  GroupNorm in_norm_, out_norm_;
  Conv in_conv_, out_conv_, skip_;
  Linear scale_shift_;
  bool has_skip_ = false;
};

/// Latents to tokens.
class PatchEmbed {
 public:
  PatchEmbed(const WeightLoader& loader, const ModelConfig& config);
  /// latents [B, C, h, w], embedding of the timestep [B or 1, H]; returns [B, h * w, H], row by row.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& latents, const at::Tensor& embedding) const;

 private:
  Conv conv_;
  EmbeddedResidualBlock block_;
};

/// Tokens to velocity.
class FinalLayer {
 public:
  FinalLayer(const WeightLoader& loader, const ModelConfig& config);
  /// tokens [B, height * width, H], embedding [B or 1, H]; returns the velocity [B, C, height, width].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& tokens, const at::Tensor& embedding, std::int64_t height,
                                      std::int64_t width) const;

 private:
  EmbeddedResidualBlock block_;
  GroupNorm norm_;
  Conv conv_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_EMBEDDERS_HPP
