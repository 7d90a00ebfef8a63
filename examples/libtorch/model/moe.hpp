// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MOE_HPP
#define HUNYUAN_GENERATE_MOE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>   // int64_t
#include <optional>  // optional
#include <vector>    // vector

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Ways to compute the same sum over the chosen experts.
enum class ExpertPath {
  sorted,        ///< tokens sorted by expert, one product a non-empty expert; waits for the device once a layer
  every_expert,  ///< every expert sees every token: E / k times the arithmetic, but no wait and fixed shapes
  grouped,       ///< tokens sorted, all experts in one grouped product: no wait and fixed shapes; see grouped_available
};

/// Whether this LibTorch has grouped products (2.8 and later). They want bfloat16 tensors on a CUDA device of compute
/// capability 9.0 and widths that are multiples of 8.
[[nodiscard]] bool grouped_available() noexcept;

/// The experts of each of T tokens.
struct Routing {
  at::Tensor logits;  ///< [T, E], float32
  at::Tensor index;   ///< [T, k], int64, best first
  at::Tensor weight;  ///< [T, k], float32
};

/// Entries an expert takes when tokens are dropped at full experts: floor(max(k, floor(k T / E)) * factor).
[[nodiscard]] std::int64_t expert_capacity(std::int64_t tokens, const LayerConfig& layer, double factor);

/// Sets the weights of entries that come after their expert is full to zero; the others are not renormalised. Entries
/// come in the order: first choices of all tokens, then all second choices, and so on.
[[nodiscard]] Routing drop_tokens(const Routing& routing, std::int64_t experts, std::int64_t capacity);

/// Gated MLP: down( first * silu(second) ) with both halves in one product.
class Mlp {
 public:
  Mlp() = default;
  /// Reads "gate_and_up_proj.weight" [2 width, hidden] and "down_proj.weight" [hidden, width].
  Mlp(const WeightLoader& loader, std::int64_t hidden, std::int64_t width);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] std::vector<at::Tensor*> weights() { return {gate_and_up_.weight(), down_.weight()}; }

 private:
  Linear gate_and_up_, down_;
};

/// The mixture of one layer: a shared MLP plus the chosen experts. Weights of the experts are kept stacked,
/// [E, 2 I, H] and [E, H, I], so that grouped products need no copy.
class Moe {
 public:
  /// `loader` stands at the layer's "mlp"; `layer` must not be dense.
  Moe(const WeightLoader& loader, const ModelConfig& config, const LayerConfig& layer);

  /// x [.., H] to the same shape. T counts all tokens given; `drop` leaves out entries beyond the capacity. The probe
  /// gets router_logits, topk_index, topk_weight and shared_mlp_out (the last in the shape of x).
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, ExpertPath path, bool drop, const Probe& probe) const;

  /// The experts' weights, shared ones included.
  [[nodiscard]] std::vector<at::Tensor*> weights();

  /// x [T, H]. The router computes in float32 whatever the type of x.
  [[nodiscard]] Routing route(const at::Tensor& x) const;
  /// The weighted sum over the chosen experts: x [T, H] to float32 [T, H].
  [[nodiscard]] at::Tensor routed(const at::Tensor& x, const Routing& routing, ExpertPath path) const;

 private:
  [[nodiscard]] at::Tensor expert(std::int64_t index, const at::Tensor& x) const;
  [[nodiscard]] at::Tensor every_expert(const at::Tensor& x, const Routing& routing) const;
  [[nodiscard]] at::Tensor by_expert(const at::Tensor& x, const Routing& routing, ExpertPath path) const;

  LayerConfig layer_;
  bool normalise_ = true;
  double scaling_ = 1, capacity_factor_ = 1;
  at::Tensor router_;              // [E, H], float32
  at::Tensor gate_and_up_, down_;  // [E, 2 I, H], [E, H, I]
  Mlp shared_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MOE_HPP
