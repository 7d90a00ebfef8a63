// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_PARALLEL_HPP
#define HUNYUAN_RESO_PARALLEL_HPP

#include <string_view>  // string_view

#include "cost.hpp"
#include "detail/decimal.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// How a model is spread over devices that compute at the same time: sets of `tensor` devices share the heads and the
/// experts of every layer, and `guidance` such sets share the rows of the batch.
struct ParallelLayout {
  std::int32_t tensor = 1;
  std::int32_t guidance = 1;

  [[nodiscard]] constexpr std::int64_t devices() const noexcept { return std::int64_t{tensor} * guidance; }
  friend constexpr bool operator==(ParallelLayout a, ParallelLayout b) noexcept {
    return a.tensor == b.tensor && a.guidance == b.guidance;
  }
  friend constexpr bool operator!=(ParallelLayout a, ParallelLayout b) noexcept { return !(a == b); }
};

/// Reads "tpN", "cfgN" or "tpNcfgM". Errc::expected_parallel_layout with the position of what was not expected.
[[nodiscard]] constexpr Result<ParallelLayout> parse_parallel_layout(std::string_view text) noexcept {
  constexpr std::int64_t most = 65536;
  ParallelLayout layout;
  std::size_t at = 0;
  for (const bool tensor : {true, false}) {
    const std::string_view name = tensor ? "tp" : "cfg";
    if (!detail::starts_with(text.substr(at), name)) continue;
    at += name.size();
    const detail::Decimal number = detail::parse_decimal(text.substr(at));
    if (number.value < 1 || number.value > most) return {Errc::expected_parallel_layout, at};
    (tensor ? layout.tensor : layout.guidance) = static_cast<std::int32_t>(number.value);
    at += number.digits;
  }
  if (at == 0 || at != text.size()) return {Errc::expected_parallel_layout, at};
  return layout;
}

/// The sizes of a loop that its costs follow from.
struct LoopShape {
  std::int64_t rows = 1;    ///< guidance rows times pictures
  std::int64_t length = 0;  ///< tokens of a row, whose keys and values are kept
  std::int64_t tokens = 0;  ///< fed by a step, of each row
};

/// What one of the devices of a layout holds and sends. Everything outside the decoder's heads and experts (norms,
/// routers, embeddings, vocabulary head, embedders, vision tower, VAE) is on every device.
struct DeviceShare {
  std::int64_t attention_heads = 0;
  std::int64_t key_value_heads = 0;
  std::int64_t experts = 0;  ///< of a layer; the shared expert is split by its width
  std::int64_t rows = 0;
  WeightBytes weights{};
  std::int64_t cache_bytes = 0;
  /// Bytes sent in a step for the two sums of each layer, as a ring of n devices sends them: 2 (n - 1) / n of the
  /// values.
  std::int64_t layer_link_bytes = 0;
  /// Bytes sent in a step for the velocities of all rows, which every device needs for the guidance: summed likewise.
  std::int64_t velocity_link_bytes = 0;

  [[nodiscard]] constexpr std::int64_t link_bytes() const noexcept {
    return detail::saturating_sum(layer_link_bytes, velocity_link_bytes);
  }
};

namespace detail {

/// Bytes that each device of a ring of `devices` sends to sum `bytes`.
[[nodiscard]] constexpr std::int64_t ring_bytes(std::int64_t bytes, std::int64_t devices) noexcept {
  return saturating_product(bytes / devices, 2 * (devices - 1));
}

[[nodiscard]] constexpr std::int64_t device_backbone_bytes(const ModelProfile& p, Precision precision,
                                                           std::int64_t devices) noexcept {
  const LayerShape layer = layer_shape(p);
  const std::int64_t experts = saturating_product(std::int64_t{p.experts} + p.shared_experts, layer.expert);
  const std::int64_t linear = saturating_product(saturating_sum(layer.attention, experts), p.layers);
  const std::int64_t all = backbone_parameters(p);
  // Output channels of the products whose inputs are split (output projection, shared down) are whole on each device.
  const std::int64_t whole = std::int64_t{p.hidden_size} * (std::int64_t{1} + p.shared_experts);
  const std::int64_t split = layer.output_channels > whole ? layer.output_channels - whole : 0;
  const std::int64_t channels = saturating_product(split / devices + whole, p.layers);
  return backbone_bytes(precision, linear / devices, all > linear ? all - linear : 0, channels);
}

}  // namespace detail

/// The share of one device, or why the model or the rows cannot be split so: Errc::key_value_heads_not_divisible,
/// experts_not_divisible, expert_width_not_divisible, rows_not_divisible. Layouts with a number below 1 are
/// Errc::expected_parallel_layout, negative sizes Errc::count_out_of_range.
[[nodiscard]] constexpr Result<DeviceShare> device_share(const ModelProfile& profile, Precision precision,
                                                         ParallelLayout layout, const LoopShape& loop) noexcept {
  if (layout.tensor < 1 || layout.guidance < 1) return Errc::expected_parallel_layout;
  if (loop.rows < 1 || loop.length < 0 || loop.tokens < 0) return Errc::count_out_of_range;
  const std::int64_t n = layout.tensor;
  const std::int64_t width = std::int64_t{profile.shared_experts} * profile.expert_intermediate_size;
  if (profile.key_value_heads % n != 0 || profile.attention_heads % n != 0) return Errc::key_value_heads_not_divisible;
  if (profile.experts % n != 0) return Errc::experts_not_divisible;
  if (width % n != 0) return Errc::expert_width_not_divisible;
  if (loop.rows % layout.guidance != 0) return Errc::rows_not_divisible;

  DeviceShare share;
  share.attention_heads = profile.attention_heads / n;
  share.key_value_heads = profile.key_value_heads / n;
  share.experts = profile.experts / n;
  share.rows = loop.rows / layout.guidance;
  share.weights = weight_bytes(profile, precision);
  share.weights.backbone = detail::device_backbone_bytes(profile, precision, n);
  share.cache_bytes = cache_bytes(profile, precision, loop.length, share.rows) / n;

  const std::int64_t element = precision == Precision::fp32 ? 4 : 2;
  const std::int64_t fed = detail::saturating_product(share.rows, loop.tokens);
  const std::int64_t hidden = detail::saturating_product(fed, element * profile.hidden_size);
  share.layer_link_bytes = detail::saturating_product(detail::ring_bytes(hidden, n), std::int64_t{2} * profile.layers);
  const std::int64_t velocities = detail::saturating_product(detail::saturating_product(loop.rows, loop.tokens),
                                                             std::int64_t{4} * profile.latent_channels);
  share.velocity_link_bytes = detail::ring_bytes(velocities, layout.guidance);
  return share;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_PARALLEL_HPP
