// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MOE_HPP
#define HUNYUAN_GENERATE_MOE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cmath>     // floor
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

// One product an expert that has rows; `stops` must be on the CPU.
inline at::Tensor product_per_expert(const Rows& rows, const Weight& weights, const at::Tensor& stops) {
  const auto* stop = stops.data_ptr<std::int32_t>();
  const auto& any = rows.plain.defined() ? rows.plain : rows.small.values;
  at::Tensor out = at::empty({rows.count(), weights.outputs()}, any.options().dtype(weights.type()));
  std::int64_t begin = 0;
  for (std::int64_t e = 0; e < weights.experts(); ++e) {
    const std::int64_t count = stop[e] - begin;
    if (count == 0) continue;
    Rows part;
    if (rows.plain.defined()) part.plain = rows.plain.narrow(0, begin, count);
    if (rows.small.defined()) {
      part.small = {rows.small.values.narrow(0, begin, count), rows.small.scale.narrow(0, begin, count)};
    }
    out.narrow(0, begin, count).copy_(weights.select(e)(part));
    begin = stop[e];
  }
  return out;
}

/// Entries an expert takes when tokens are dropped at full experts: floor(max(k, floor(k T / E)) * factor).
[[nodiscard]] inline std::int64_t expert_capacity(std::int64_t tokens, const LayerConfig& layer, double factor) {
  const std::int64_t even = std::max(layer.topk, layer.topk * tokens / layer.experts);
  return static_cast<std::int64_t>(std::floor(static_cast<double>(even) * factor));
}

/// Sets the weights of entries that come after their expert is full to zero; the others are not renormalised. Entries
/// come in the order: first choices of all tokens, then all second choices, and so on.
[[nodiscard]] inline Routing drop_tokens(const Routing& routing, std::int64_t experts, std::int64_t capacity) {
  // All first choices come before all second ones, so the places are those of the transposed index.
  const ExpertPlaces places = place_by_expert(routing.index.t().contiguous(), experts);
  const at::Tensor first = at::cat({at::zeros({1}, places.stops.options()), places.stops.narrow(0, 0, experts - 1)});
  const at::Tensor rank = places.place.t() - first.index_select(0, routing.index.reshape({-1})).view_as(routing.index);
  Routing result = routing;
  result.weight = routing.weight * rank.lt(capacity);
  return result;
}

/// Gated MLP: down( first * silu(second) ) with both halves in one product.
class Mlp {
 public:
  Mlp() = default;
  /// Reads "gate_and_up_proj.weight" [2 width, hidden] and "down_proj.weight" [hidden, width].
  Mlp(const WeightLoader& loader, std::int64_t hidden, std::int64_t width, Precision precision = Precision::plain)
      : gate_and_up_(loader.at("gate_and_up_proj").split(0, 2), "weight", {2 * width, hidden}, precision),
        down_(loader.at("down_proj").split(1), "weight", {hidden, width}, precision) {}
  /// To [rows, hidden].
  [[nodiscard]] at::Tensor operator()(const Rows& x) const { return down_(gated_silu(gate_and_up_(x), down_.form())); }
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
      Precision precision = Precision::plain)
      : layer_(layer),
        parallel_(loader.parallel()),
        first_(parallel_->tensor.index * parallel_->tensor.part(layer.experts, "experts")),
        count_(layer.experts / parallel_->tensor.count),
        normalise_(config.norm_topk_prob && layer.topk > 1),
        scaling_(config.routed_scaling_factor),
        capacity_factor_(config.capacity_factor),
        router_(loader.as(at::kFloat).tensor("gate.wg.weight", {layer.experts, config.hidden_size})),
        router_parts_(split_parts(router_)),
        gate_and_up_(Weight::stacked(loader.at("experts"), "gate_and_up_proj.weight", layer.experts,
                                     {2 * layer.expert_width, config.hidden_size}, precision)),
        down_(Weight::stacked(loader.at("experts"), "down_proj.weight", layer.experts,
                              {config.hidden_size, layer.expert_width}, precision)),
        shared_(loader.at("shared_mlp"), config.hidden_size, layer.shared_width, precision) {}

  /// x [.., H] to the same shape; x.plain must be there. T counts all tokens given; `drop` leaves out entries beyond
  /// the capacity. The probe gets router_logits, topk_index, topk_weight and, in one process, shared_mlp_out (in the
  /// shape of x). With a `residual` [.., H] the result is residual + mixture.
  [[nodiscard]] at::Tensor forward(const Rows& x, ExpertPath path, bool drop, const Probe& probe,
                                   const at::Tensor& residual = {}) const {
    const auto flat = [](const at::Tensor& y) { return y.defined() ? y.reshape({-1, y.size(-1)}) : y; };
    const Rows rows{flat(x.plain), form().small && !x.small.defined() ? make_small(flat(x.plain)) : x.small};
    Routing routing = route(rows.plain);
    if (probe) {
      if (!routing.logits.defined()) routing.logits = at::linear(rows.plain.to(at::kFloat), router_);
      observe(probe, "router_logits", routing.logits);
      observe(probe, "topk_index", routing.index.to(at::kLong));
      observe(probe, "topk_weight", routing.weight);
    }
    if (drop) {
      routing = drop_tokens(routing, layer_.experts, expert_capacity(rows.plain.size(0), layer_, capacity_factor_));
    }
    const at::Tensor shared = shared_(rows);
    if (!parallel_->tensor_team) observe(probe, "shared_mlp_out", shared.view(x.plain.sizes()));
    // Of processes that share the layer, the first one's part of the sum has the residual.
    const at::Tensor base = parallel_->tensor.index == 0 ? flat(residual) : at::Tensor();
    if (path == ExpertPath::every_expert) {
      const at::Tensor mixed = shared + every_expert(rows.plain, routing).to(shared.scalar_type());
      return parallel_->sum(base.defined() ? base + mixed : mixed).view(x.plain.sizes());
    }
    at::Tensor index = routing.index.contiguous(), weight = routing.weight, limit;
    const bool is_part = count_ < layer_.experts;
    if (is_part) {  // the experts of other processes come last in the order, and nothing is computed for them
      index = (index - first_).remainder(layer_.experts);
      weight = weight.masked_fill(index.ge(count_), 0);
    }
    ExpertPlaces places = place_by_expert(index, layer_.experts);
    if (is_part) {
      places.stops = places.stops.narrow(0, 0, count_);
      limit = places.stops.narrow(0, count_ - 1, 1);
    }
    const bool grouped = path == ExpertPath::grouped;
    const at::Tensor stops = grouped ? places.stops : places.stops.to(at::kCPU);  // the only wait for the device
    const auto product = [&](const Rows& from, const Weight& weights) {
      return grouped ? weights.grouped(from, stops) : product_per_expert(from, weights, stops);
    };
    const Rows gathered = gather(rows, places.place, gate_and_up_.form(), limit);
    const at::Tensor parts = product(gated_silu(product(gathered, gate_and_up_), down_.form(), limit), down_);
    return parallel_->sum(combine(parts, places.place, weight, shared, base)).view(x.plain.sizes());
  }

  [[nodiscard]] at::Tensor forward(const at::Tensor& x, ExpertPath path, bool drop, const Probe& probe) const {
    return forward(Rows{x, {}}, path, drop, probe);
  }

  /// What its input should have, so that nothing is made twice.
  [[nodiscard]] Form form() const { return {true, gate_and_up_.is_small()}; }

  /// The experts' weights, shared ones included.
  [[nodiscard]] std::vector<at::Tensor*> weights() {
    std::vector<at::Tensor*> all = shared_.weights();
    for (at::Tensor* tensor : tensors_of({&gate_and_up_, &down_})) all.push_back(tensor);
    return all;
  }

  /// x [T, H]. The router computes in float32 whatever the type of x.
  [[nodiscard]] Routing route(const at::Tensor& x) const {
    const RouteRule rule{layer_.experts, layer_.topk, normalise_, scaling_};
    const bool split = router_parts_.defined() && kernels_take(x);
    const at::Tensor logits = split ? split_product(x, router_parts_) : at::linear(x.to(at::kFloat), router_);
    const Chosen chosen = hunyuan_generate::route(logits, rule);
    return {split ? at::Tensor() : logits, chosen.index, chosen.weight};
  }

 private:
  [[nodiscard]] at::Tensor every_expert(const at::Tensor& x, const Routing& routing) const {
    at::Tensor sum = at::zeros(x.sizes(), x.options().dtype(at::kFloat));
    for (std::int64_t e = 0; e < count_; ++e) {
      const at::Tensor weight = (routing.weight * routing.index.eq(first_ + e)).sum(-1, /*keepdim=*/true);
      const Weight down = down_.select(e);
      sum.add_(down(gated_silu(gate_and_up_.select(e)(Rows{x, {}}), down.form())) * weight);
    }
    return sum;
  }

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
