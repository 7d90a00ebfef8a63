// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_COST_HPP
#define HUNYUAN_RESO_COST_HPP

#include "request.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

namespace detail {

inline constexpr std::int64_t most_bytes = 0x7FFFFFFFFFFFFFFF;

[[nodiscard]] constexpr std::int64_t saturating_product(std::int64_t a, std::int64_t b) noexcept {
  if (a <= 0 || b <= 0) return 0;
  return a > most_bytes / b ? most_bytes : a * b;
}
[[nodiscard]] constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) noexcept {
  return a > most_bytes - b ? most_bytes : a + b;
}

/// The linear layers of one decoder layer, by parts: parameters, and rows of their weights (output channels).
struct LayerShape {
  std::int64_t attention = 0;  ///< query, key, value and output projections
  std::int64_t expert = 0;     ///< up, gate and down of one expert
  std::int64_t router = 0;
  std::int64_t norms = 0;
  std::int64_t output_channels = 0;  ///< of all of them but the router
};

[[nodiscard]] constexpr LayerShape layer_shape(const ModelProfile& p) noexcept {
  const std::int64_t hidden = p.hidden_size;
  const std::int64_t heads = saturating_product(p.attention_heads, p.head_dimension);
  const std::int64_t keys_and_values = saturating_product(std::int64_t{2} * p.key_value_heads, p.head_dimension);
  const std::int64_t qkv = saturating_sum(heads, keys_and_values);
  const std::int64_t experts = std::int64_t{p.experts} + p.shared_experts;
  LayerShape shape;
  shape.attention = saturating_sum(saturating_product(hidden, qkv), saturating_product(heads, hidden));
  shape.expert = saturating_product(3 * hidden, p.expert_intermediate_size);
  shape.router = saturating_product(hidden, p.experts);
  shape.norms = 2 * hidden + std::int64_t{2} * p.head_dimension;
  const std::int64_t of_an_expert = 2 * std::int64_t{p.expert_intermediate_size} + hidden;
  shape.output_channels = saturating_sum(qkv + hidden, saturating_product(experts, of_an_expert));
  return shape;
}

/// Parameters of the embedders of timesteps and guidance and of the layers that latents enter and leave through.
[[nodiscard]] constexpr std::int64_t embedder_parameters(const ModelProfile& p) noexcept {
  const std::int64_t h = p.hidden_size, w = p.patch_embed_hidden_size, c = p.latent_channels;
  const std::int64_t scalars = 3 + (p.cfg_distilled ? 1 : 0) + (p.use_meanflow ? 1 : 0);
  const std::int64_t scalar = saturating_product(h, 256 + 2 + h);
  const std::int64_t channels_in = saturating_sum(saturating_product(9 * c, w), saturating_product(9 * w, h));
  const std::int64_t block_in = saturating_sum(saturating_product(9 * h, h), saturating_product(2 * h, h));
  const std::int64_t block_out = saturating_sum(saturating_product(9 * w, w), saturating_product(2 * h, w));
  const std::int64_t skips = saturating_product(2 * h, w);
  std::int64_t sum = saturating_product(scalars, scalar);
  const std::int64_t parts[] = {channels_in, channels_in, block_in, block_out, skips};
  for (const std::int64_t part : parts) sum = saturating_sum(sum, part);
  return sum;
}

/// Bytes of `linear` parameters with `channels` output channels, which small formats quantise, and of `rest` others.
[[nodiscard]] constexpr std::int64_t backbone_bytes(Precision precision, std::int64_t linear, std::int64_t rest,
                                                    std::int64_t channels) noexcept {
  const std::int64_t all = saturating_sum(linear, rest);
  switch (precision) {
    case Precision::fp32:
      return saturating_product(all, 4);
    case Precision::bf16:
    case Precision::fp16:
      return saturating_product(all, 2);
    case Precision::int8:
      return all;
    case Precision::fp8:
      return saturating_sum(saturating_sum(linear, saturating_product(4, channels)), saturating_product(2, rest));
    case Precision::nf4:
      return saturating_sum(linear / 2 + linear / 32, saturating_product(2, rest));
  }
  return most_bytes;
}

}  // namespace detail

/// Bytes of the weights, by what holds them. Counts follow from the published shapes; those of the vision tower and of
/// the image encoder and decoder are rounded to millions (ModelProfile).
struct WeightBytes {
  std::int64_t backbone = 0;  ///< decoder layers, token embedding and vocabulary head, with the scales of small formats
  std::int64_t embedders = 0;     ///< of timesteps and guidance, and the layers that latents enter and leave through
  std::int64_t vision_tower = 0;  ///< with its aligner
  std::int64_t vae = 0;           ///< image encoder and decoder

  [[nodiscard]] constexpr std::int64_t total() const noexcept {
    return detail::saturating_sum(detail::saturating_sum(backbone, embedders),
                                  detail::saturating_sum(vision_tower, vae));
  }
};

/// Parameters of the language backbone: decoder layers, token embedding, vocabulary head.
[[nodiscard]] constexpr std::int64_t backbone_parameters(const ModelProfile& profile) noexcept {
  const detail::LayerShape layer = detail::layer_shape(profile);
  const std::int64_t experts =
      detail::saturating_product(std::int64_t{profile.experts} + profile.shared_experts, layer.expert);
  const std::int64_t of_a_layer = detail::saturating_sum(layer.attention + layer.router + layer.norms, experts);
  const std::int64_t vocabulary =
      detail::saturating_product(std::int64_t{2} * profile.hidden_size, profile.vocabulary_size);
  return detail::saturating_sum(detail::saturating_product(of_a_layer, profile.layers),
                                vocabulary + profile.hidden_size);
}

/// Bytes that the weights take. fp32, bf16 and fp16 store everything alike. int8 holds the backbone in one byte a
/// parameter, as people measure it (80.8 to 81 GB). fp8 quantises the decoder's linear layers, with a binary32 scale
/// for each output channel; nf4 the same in 4 bits, with a 16-bit scale for each 64 weights. Routers, norms,
/// embeddings, the vocabulary head and everything outside the backbone then stay in 16 bits.
[[nodiscard]] constexpr WeightBytes weight_bytes(const ModelProfile& profile, Precision precision) noexcept {
  const detail::LayerShape layer = detail::layer_shape(profile);
  const std::int64_t all = backbone_parameters(profile);
  const std::int64_t experts =
      detail::saturating_product(std::int64_t{profile.experts} + profile.shared_experts, layer.expert);
  const std::int64_t linear =
      detail::saturating_product(detail::saturating_sum(layer.attention, experts), profile.layers);
  const std::int64_t rest = all > linear ? all - linear : 0;
  const std::int64_t channels = detail::saturating_product(layer.output_channels, profile.layers);
  const std::int64_t wide = precision == Precision::fp32 ? 4 : 2;
  WeightBytes bytes;
  bytes.backbone = detail::backbone_bytes(precision, linear, rest, channels);
  bytes.embedders = detail::saturating_product(detail::embedder_parameters(profile), wide);
  bytes.vision_tower = detail::saturating_product(profile.vision_parameters, wide);
  bytes.vae = detail::saturating_product(profile.vae_parameters, wide);
  return bytes;
}

/// Decoder layers whose weights stay in host memory: each is copied to one of two buffers on the device while the
/// layers before it run. Every step copies all of them once.
struct LayerStreaming {
  std::int32_t layers = 0;        ///< that stay on the host: none, or at least three, since two buffers hold two layers
  std::int64_t layer_bytes = 0;   ///< weights of one layer
  std::int64_t device_bytes = 0;  ///< weights on the device, buffers included
  std::int64_t host_bytes = 0;    ///< weights on the host, which is also what a step copies

  /// Seconds that the copies of a step take over a link of so many bytes a second: no step is shorter.
  [[nodiscard]] constexpr double step_seconds(double link_bytes_a_second) const noexcept {
    return static_cast<double>(host_bytes) / link_bytes_a_second;
  }
};

/// What `layers` such layers take; numbers outside 0 .. profile.layers count as the nearest of these.
[[nodiscard]] constexpr LayerStreaming stream_layers(const ModelProfile& profile, Precision precision,
                                                     std::int32_t layers) noexcept {
  ModelProfile without = profile;
  without.layers = 0;
  const std::int64_t all = weight_bytes(profile, precision).total();
  const std::int64_t rest = weight_bytes(without, precision).total();
  LayerStreaming streaming;
  streaming.layers = layers < 0 ? 0 : layers > profile.layers ? profile.layers : layers;
  streaming.layer_bytes = profile.layers > 0 ? (all - rest) / profile.layers : 0;
  streaming.host_bytes = streaming.layer_bytes * streaming.layers;
  const std::int32_t buffers = streaming.layers < 2 ? streaming.layers : 2;
  streaming.device_bytes = all - streaming.host_bytes + streaming.layer_bytes * buffers;
  return streaming;
}

/// The fewest such layers with which the weights take at most `room` bytes of the device. Where even all of them are
/// not enough, all of them: `device_bytes` is then above `room`.
[[nodiscard]] constexpr LayerStreaming fewest_streamed_layers(const ModelProfile& profile, Precision precision,
                                                              std::int64_t room) noexcept {
  LayerStreaming streaming = stream_layers(profile, precision, 0);
  for (std::int32_t layers = 3; streaming.device_bytes > room && layers <= profile.layers; ++layers)
    streaming = stream_layers(profile, precision, layers);
  return streaming;
}

/// Bytes of keys and values of all layers, for `rows` rows of `length` tokens. Caches are not quantised.
[[nodiscard]] constexpr std::int64_t cache_bytes(const ModelProfile& profile, Precision precision, std::int64_t length,
                                                 std::int64_t rows) noexcept {
  const std::int64_t element = precision == Precision::fp32 ? 4 : 2;
  const std::int64_t heads = detail::saturating_product(profile.key_value_heads, profile.head_dimension);
  const std::int64_t per_token = detail::saturating_product(2 * element * profile.layers, heads);
  return detail::saturating_product(detail::saturating_product(per_token, length), rows);
}

/// FLOP of the decoder layers for one pass of `rows` rows: `tokens` of each are fed, and `pairs` of a query and a key
/// attend to one another. Embedders, the vocabulary head and the image decoder are not counted.
[[nodiscard]] constexpr double pass_flop(const ModelProfile& profile, double rows, double tokens,
                                         double pairs) noexcept {
  const detail::LayerShape layer = detail::layer_shape(profile);
  const std::int64_t used = std::int64_t{profile.experts_per_token} + profile.shared_experts;
  const double per_token = 2.0 * static_cast<double>(layer.attention + layer.router) +
                           2.0 * static_cast<double>(used) * static_cast<double>(layer.expert);
  const double per_pair = 4.0 * static_cast<double>(profile.attention_heads) * profile.head_dimension;
  return rows * profile.layers * (per_token * tokens + per_pair * pairs);
}

/// Bytes of the dispatch mask and weights that the published (eager) expert code makes: experts x capacity x tokens
/// elements, experts_per_token * tokens^2 where no token is dropped, of 8 bytes together. About 37 GB were measured at
/// 3 megapixels and two rows.
[[nodiscard]] constexpr double eager_moe_mask_bytes(const ModelProfile& profile, double tokens_of_all_rows) noexcept {
  return 8.0 * profile.experts_per_token * tokens_of_all_rows * tokens_of_all_rows;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_COST_HPP
