// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_EMBEDDERS_HPP
#define HUNYUAN_GENERATE_EMBEDDERS_HPP

#include <ATen/ATen.h>  // Tensor

#include <cmath>    // log
#include <cstdint>  // int64_t

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

inline constexpr std::int64_t sinusoid_count = 256;
inline constexpr double embedder_norm_eps = 1e-5;  // unlike the autoencoder's 1e-6

inline at::Tensor sinusoid_frequencies() {
  const std::int64_t half = sinusoid_count / 2;
  return at::arange(half, at::kFloat).mul_(-std::log(10000.0)).div_(static_cast<double>(half)).exp_();
}

inline at::Tensor sinusoids_of(const at::Tensor& values, const at::Tensor& frequencies) {
  const at::Tensor angles = values.to(at::kFloat).unsqueeze(-1) * frequencies;
  return at::cat({angles.cos(), angles.sin()}, -1);
}

/// The 256 sinusoids of scalar values, cosines first: [n] to [n, 256], float32.
inline at::Tensor sinusoids(const at::Tensor& values) {
  return sinusoids_of(values, sinusoid_frequencies().to(values.device()));
}

/// Turns a timestep or a guidance value into a vector: sinusoids, linear, exact gelu, linear.
class ScalarEmbedder {
 public:
  /// `loader` stands at the embedder's name, such as "time_embed".
  // The frequencies are computed on the CPU for every device: at arguments of 1000 their last bit shows.
  ScalarEmbedder(const WeightLoader& loader, std::int64_t hidden_size)
      : first_(loader.at("mlp.0"), hidden_size, sinusoid_count, true),
        second_(loader.at("mlp.2"), hidden_size, hidden_size, true),
        frequencies_(sinusoid_frequencies().to(loader.device())) {}
  /// [n] float32 to [n, H] in the type of the weights. Values are used as they are: timesteps run from 1000 to 0.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& values) const {
    return second_(at::gelu(first_(sinusoids_of(values, frequencies_))));
  }

 private:
  Linear first_, second_;
  at::Tensor frequencies_;  // [128], float32
};

/// Residual block of two convolutions whose second norm is scaled and shifted by an embedding.
class EmbeddedResidualBlock {
 public:
  EmbeddedResidualBlock(const WeightLoader& loader, std::int64_t in, std::int64_t out, std::int64_t hidden_size)
      : in_norm_(loader.at("in_layers.0"), in, embedder_norm_eps),
        out_norm_(loader.at("out_layers.0"), out, embedder_norm_eps),
        in_conv_(loader.at("in_layers.2"), out, in, 3, 2),
        out_conv_(loader.at("out_layers.3"), out, out, 3, 2),
        scale_shift_(loader.at("emb_layers.1"), 2 * out, hidden_size, true),
        has_skip_(in != out || loader.contains("skip_connection.weight")) {
    if (has_skip_) skip_ = Conv(loader.at("skip_connection"), out, in, 1, 2);
  }

  /// x [B, in, h, w], embedding [B or 1, H]; returns [B, out, h, w].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding) const {
    if (grid_kernels_take(x)) {  // the first bias goes into the norm behind it, the second into the sum
      const at::Tensor v = in_conv_.without_bias(in_norm_.silu(x));
      const at::Tensor w =
          out_conv_.without_bias(out_norm_.silu(v, scale_shift_(at::silu(embedding)), in_conv_.bias()));
      return add_bias(has_skip_ ? skip_(x) : x, w, out_conv_.bias());
    }
    at::Tensor u = in_conv_(in_norm_.silu(x));
    u = out_conv_(out_norm_.silu(u, scale_shift_(at::silu(embedding))));
    return (has_skip_ ? skip_(x) : x.to(u.scalar_type())) + u;
  }

 private:
  GroupNorm in_norm_, out_norm_;
  Conv in_conv_, out_conv_, skip_;
  Linear scale_shift_;
  bool has_skip_ = false;
};

/// Latents to tokens.
class PatchEmbed {
 public:
  PatchEmbed(const WeightLoader& loader, const ModelConfig& config)
      : conv_(loader.at("model.0"), config.patch_embed_hidden_dim, config.vae.latent_channels, 3, 2),
        block_(loader.at("model.1"), config.patch_embed_hidden_dim, config.hidden_size, config.hidden_size) {}
  /// latents [B, C, h, w], embedding of the timestep [B or 1, H]; returns [B, h * w, H], row by row.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& latents, const at::Tensor& embedding) const {
    return block_(conv_(latents), embedding).flatten(2).transpose(1, 2);
  }

 private:
  Conv conv_;
  EmbeddedResidualBlock block_;
};

/// Tokens to velocity.
class FinalLayer {
 public:
  FinalLayer(const WeightLoader& loader, const ModelConfig& config)
      : block_(loader.at("model.0"), config.hidden_size, config.patch_embed_hidden_dim, config.hidden_size),
        norm_(loader.at("model.1.0"), config.patch_embed_hidden_dim, embedder_norm_eps),
        conv_(loader.at("model.1.2"), config.vae.latent_channels, config.patch_embed_hidden_dim, 3, 2) {}
  /// tokens [B, height * width, H], embedding [B or 1, H]; returns the velocity [B, C, height, width].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& tokens, const at::Tensor& embedding, std::int64_t height,
                                      std::int64_t width) const {
    at::Tensor grid = tokens.transpose(1, 2).reshape({tokens.size(0), tokens.size(2), height, width});
    // Rows of a batch lie apart where only some of their tokens are the image's; the kernels want them together.
    if (kernels_take(grid)) grid = grid.contiguous(at::MemoryFormat::ChannelsLast);
    return conv_(norm_.silu(block_(grid, embedding)));
  }

 private:
  EmbeddedResidualBlock block_;
  GroupNorm norm_;
  Conv conv_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_EMBEDDERS_HPP
