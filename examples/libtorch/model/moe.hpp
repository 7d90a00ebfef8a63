// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MOE_HPP
#define HUNYUAN_GENERATE_MOE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>   // int64_t
#include <memory>    // shared_ptr
#include <optional>  // optional
#include <vector>    // vector

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/products.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Ways to compute the same sum over the chosen experts.
enum class ExpertPath {
  sorted,        ///< tokens sorted by expert, one product a non-empty expert; waits for the device once a layer
  every_expert,  ///< every expert sees every token: E / k times the arithmetic, but no wait and fixed shapes
  grouped,       ///< tokens sorted, all experts in one grouped product: no wait and fixed shapes; see grouped_available
};

/// The experts of each of T tokens.
struct Routing {
  at::Tensor logits;  ///< [T, E], float32
  at::Tensor index;   ///< [T, k], int64 or int32, best first
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
  Mlp(const WeightLoader& loader, std::int64_t hidden, std::int64_t width, Precision precision = Precision::plain);
  /// To [rows, hidden].
  [[nodiscard]] at::Tensor operator()(const Rows& x) const;
  /// What its input must have.
  [[nodiscard]] Form form() const { return gate_and_up_.form(); }
  [[nodiscard]] std::vector<at::Tensor*> weights() { return tensors_of({&gate_and_up_, &down_}); }

 private:
  Weight gate_and_up_, down_;
};

/// The mixture of one layer: a shared MLP plus the chosen experts. Weights of the experts are kept stacked,
/// [E, 2 I, H] and [E, H, I], so that grouped products need no copy. Where processes share the layer, E counts those
/// of this one, and of the shared MLP it has a part of the width; the router is whole on each.
class Moe {
 public:
  /// `loader` stands at the layer's "mlp"; `layer` must not be dense.
  Moe(const WeightLoader& loader, const ModelConfig& config, const LayerConfig& layer,
      Precision precision = Precision::plain);

  /// x [.., H] to the same shape; x.plain must be there. T counts all tokens given; `drop` leaves out entries beyond
  /// the capacity. The probe gets router_logits, topk_index, topk_weight and, in one process, shared_mlp_out (in the
  /// shape of x). With a `residual` [.., H] the result is residual + mixture.
  [[nodiscard]] at::Tensor forward(const Rows& x, ExpertPath path, bool drop, const Probe& probe,
                                   const at::Tensor& residual = {}) const;
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, ExpertPath path, bool drop, const Probe& probe) const {
    return forward(Rows{x, {}}, path, drop, probe);
  }
  /// What its input should have, so that nothing is made twice.
  [[nodiscard]] Form form() const { return {true, gate_and_up_.is_small()}; }

  /// The experts' weights, shared ones included.
  [[nodiscard]] std::vector<at::Tensor*> weights();

  /// x [T, H]. The router computes in float32 whatever the type of x.
  [[nodiscard]] Routing route(const at::Tensor& x) const;

 private:
  [[nodiscard]] at::Tensor every_expert(const at::Tensor& x, const Routing& routing) const;

  LayerConfig layer_;
  std::shared_ptr<const Parallel> parallel_;
  std::int64_t first_, count_;  // this process's experts
  bool normalise_ = true;
  double scaling_ = 1, capacity_factor_ = 1;
  at::Tensor router_, router_parts_;  // [E, H], float32; its three bfloat16 parts, see split_product
  Weight gate_and_up_, down_;         // [E, 2 I, H], [E, H, I]
  Mlp shared_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MOE_HPP
