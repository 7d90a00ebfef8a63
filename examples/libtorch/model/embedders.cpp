// SPDX-License-Identifier: MIT
#include "model/embedders.hpp"

#include <cmath>  // log

namespace hunyuan_generate {
namespace {

constexpr std::int64_t sinusoid_count = 256;
constexpr double norm_eps = 1e-5;  // unlike the autoencoder's 1e-6

at::Tensor sinusoid_frequencies() {
  const std::int64_t half = sinusoid_count / 2;
  return at::arange(half, at::kFloat).mul_(-std::log(10000.0)).div_(static_cast<double>(half)).exp_();
}

at::Tensor sinusoids_of(const at::Tensor& values, const at::Tensor& frequencies) {
  const at::Tensor angles = values.to(at::kFloat).unsqueeze(-1) * frequencies;
  return at::cat({angles.cos(), angles.sin()}, -1);
}

}  // namespace

at::Tensor sinusoids(const at::Tensor& values) {
  return sinusoids_of(values, sinusoid_frequencies().to(values.device()));
}

// The frequencies are computed on the CPU for every device: at arguments of 1000 their last bit shows.
ScalarEmbedder::ScalarEmbedder(const WeightLoader& loader, std::int64_t hidden_size)
    : first_(loader.at("mlp.0"), hidden_size, sinusoid_count, true),
      second_(loader.at("mlp.2"), hidden_size, hidden_size, true),
      frequencies_(sinusoid_frequencies().to(loader.device())) {}

at::Tensor ScalarEmbedder::operator()(const at::Tensor& values) const {
  return second_(at::gelu(first_(sinusoids_of(values, frequencies_))));
}

EmbeddedResidualBlock::EmbeddedResidualBlock(const WeightLoader& loader, std::int64_t in, std::int64_t out,
                                             std::int64_t hidden_size)
    : in_norm_(loader.at("in_layers.0"), in, norm_eps),
      out_norm_(loader.at("out_layers.0"), out, norm_eps),
      in_conv_(loader.at("in_layers.2"), out, in, 3, 2),
      out_conv_(loader.at("out_layers.3"), out, out, 3, 2),
      scale_shift_(loader.at("emb_layers.1"), 2 * out, hidden_size, true),
      has_skip_(in != out || loader.contains("skip_connection.weight")) {
  if (has_skip_) skip_ = Conv(loader.at("skip_connection"), out, in, 1, 2);
}

at::Tensor EmbeddedResidualBlock::operator()(const at::Tensor& x, const at::Tensor& embedding) const {
  if (grid_kernels_take(x)) {  // the first bias goes into the norm behind it, the second into the sum
    const at::Tensor v = in_conv_.without_bias(in_norm_.silu(x));
    const at::Tensor w = out_conv_.without_bias(out_norm_.silu(v, scale_shift_(at::silu(embedding)), in_conv_.bias()));
    return add_bias(has_skip_ ? skip_(x) : x, w, out_conv_.bias());
  }
  at::Tensor u = in_conv_(in_norm_.silu(x));
  u = out_conv_(out_norm_.silu(u, scale_shift_(at::silu(embedding))));
  return (has_skip_ ? skip_(x) : x.to(u.scalar_type())) + u;
}

PatchEmbed::PatchEmbed(const WeightLoader& loader, const ModelConfig& config)
    : conv_(loader.at("model.0"), config.patch_embed_hidden_dim, config.vae.latent_channels, 3, 2),
      block_(loader.at("model.1"), config.patch_embed_hidden_dim, config.hidden_size, config.hidden_size) {}

at::Tensor PatchEmbed::operator()(const at::Tensor& latents, const at::Tensor& embedding) const {
  return block_(conv_(latents), embedding).flatten(2).transpose(1, 2);
}

FinalLayer::FinalLayer(const WeightLoader& loader, const ModelConfig& config)
    : block_(loader.at("model.0"), config.hidden_size, config.patch_embed_hidden_dim, config.hidden_size),
      norm_(loader.at("model.1.0"), config.patch_embed_hidden_dim, norm_eps),
      conv_(loader.at("model.1.2"), config.vae.latent_channels, config.patch_embed_hidden_dim, 3, 2) {}

at::Tensor FinalLayer::operator()(const at::Tensor& tokens, const at::Tensor& embedding, std::int64_t height,
                                  std::int64_t width) const {
  at::Tensor grid = tokens.transpose(1, 2).reshape({tokens.size(0), tokens.size(2), height, width});
  // Rows of a batch lie apart where only some of their tokens are the image's; the kernels want them together.
  if (kernels_take(grid)) grid = grid.contiguous(at::MemoryFormat::ChannelsLast);
  return conv_(norm_.silu(block_(grid, embedding)));
}

}  // namespace hunyuan_generate
