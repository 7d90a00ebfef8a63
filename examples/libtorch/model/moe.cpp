// SPDX-License-Identifier: MIT
#include "model/moe.hpp"

#include <torch/version.h>  // TORCH_VERSION_MAJOR

#include <cmath>  // floor

#include "adapter/error.hpp"

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 8)
#define HUNYUAN_GENERATE_HAS_GROUPED_MM 1
#else
#define HUNYUAN_GENERATE_HAS_GROUPED_MM 0
#endif

namespace hunyuan_generate {
namespace {

constexpr double smallest_divisor = 1.1920929e-7;

// Entries (choice, token) of a routing in the order of their experts; entry number = choice * T + token.
struct ExpertOrder {
  at::Tensor entry;   // [k T], entry numbers sorted by expert, stable
  at::Tensor expert;  // [k T], their experts, ascending
  at::Tensor start;   // [E + 1], where each expert's entries start; the last is k T
};

ExpertOrder order_by_expert(const at::Tensor& index, std::int64_t experts) {
  const at::Tensor flat = index.t().reshape({-1});
  const auto sorted = at::sort(flat, /*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor& expert = std::get<0>(sorted);
  return {std::get<1>(sorted), expert, at::searchsorted(expert, at::arange(experts + 1, expert.options()))};
}

// One product an expert that has entries; `start` must be on the CPU.
at::Tensor product_per_expert(const at::Tensor& x, const at::Tensor& weights, const at::Tensor& start) {
  const auto* begin = start.data_ptr<std::int64_t>();
  at::Tensor out = at::empty({x.size(0), weights.size(1)}, x.options());
  for (std::int64_t e = 0; e < weights.size(0); ++e) {
    const std::int64_t rows = begin[e + 1] - begin[e];
    if (rows == 0) continue;
    at::Tensor part = out.narrow(0, begin[e], rows);
    at::mm_out(part, x.narrow(0, begin[e], rows), weights.select(0, e).t());
  }
  return out;
}

at::Tensor grouped_product(const at::Tensor& x, const at::Tensor& weights, const at::Tensor& start) {
#if HUNYUAN_GENERATE_HAS_GROUPED_MM
  const at::Tensor stops = start.narrow(0, 1, weights.size(0)).to(at::kInt);
  return at::_grouped_mm(x, weights.transpose(1, 2), stops);
#else
  (void)x, (void)weights, (void)start;
  throw Error("grouped expert products need LibTorch 2.8 or later");
#endif
}

}  // namespace

bool grouped_available() noexcept { return HUNYUAN_GENERATE_HAS_GROUPED_MM != 0; }

std::int64_t expert_capacity(std::int64_t tokens, const LayerConfig& layer, double factor) {
  const std::int64_t even = std::max(layer.topk, layer.topk * tokens / layer.experts);
  return static_cast<std::int64_t>(std::floor(static_cast<double>(even) * factor));
}

Routing drop_tokens(const Routing& routing, std::int64_t experts, std::int64_t capacity) {
  const ExpertOrder order = order_by_expert(routing.index, experts);
  const at::Tensor place = at::arange(order.entry.size(0), order.entry.options());
  const at::Tensor kept_sorted = (place - order.start.index_select(0, order.expert)).lt(capacity);
  const at::Tensor kept = at::empty_like(kept_sorted).scatter_(0, order.entry, kept_sorted);
  Routing result = routing;
  result.weight = routing.weight * kept.view({routing.index.size(1), routing.index.size(0)}).t();
  return result;
}

Mlp::Mlp(const WeightLoader& loader, std::int64_t hidden, std::int64_t width)
    : gate_and_up_(loader.at("gate_and_up_proj"), 2 * width, hidden, false),
      down_(loader.at("down_proj"), hidden, width, false) {}

at::Tensor Mlp::operator()(const at::Tensor& x) const { return down_(gated_silu(gate_and_up_(x))); }

Moe::Moe(const WeightLoader& loader, const ModelConfig& config, const LayerConfig& layer)
    : layer_(layer),
      normalise_(config.norm_topk_prob && layer.topk > 1),
      scaling_(config.routed_scaling_factor),
      capacity_factor_(config.capacity_factor),
      router_(loader.as(at::kFloat).tensor("gate.wg.weight", {layer.experts, config.hidden_size})),
      gate_and_up_(loader.at("experts").stacked("gate_and_up_proj.weight", layer.experts,
                                                {2 * layer.expert_width, config.hidden_size})),
      down_(loader.at("experts").stacked("down_proj.weight", layer.experts, {config.hidden_size, layer.expert_width})),
      shared_(loader.at("shared_mlp"), config.hidden_size, layer.shared_width) {}

std::vector<at::Tensor*> Moe::weights() {
  std::vector<at::Tensor*> all = shared_.weights();
  all.insert(all.end(), {&gate_and_up_, &down_});
  return all;
}

at::Tensor Moe::forward(const at::Tensor& x, ExpertPath path, bool drop, const Probe& probe) const {
  const at::Tensor tokens = x.reshape({-1, x.size(-1)});
  Routing routing = route(tokens);
  observe(probe, "router_logits", routing.logits);
  observe(probe, "topk_index", routing.index);
  observe(probe, "topk_weight", routing.weight);
  if (drop) {
    routing = drop_tokens(routing, layer_.experts, expert_capacity(tokens.size(0), layer_, capacity_factor_));
  }
  const at::Tensor shared = shared_(x);
  observe(probe, "shared_mlp_out", shared);
  return shared + routed(tokens, routing, path).view(x.sizes()).to(x.scalar_type());
}

Routing Moe::route(const at::Tensor& x) const {
  Routing routing;
  routing.logits = at::linear(x.to(at::kFloat), router_);
  const auto best =
      at::topk(at::softmax(routing.logits, -1), layer_.topk, /*dim=*/-1, /*largest=*/true, /*sorted=*/true);
  routing.index = std::get<1>(best);
  const at::Tensor& chosen = std::get<0>(best);
  routing.weight =
      normalise_ ? chosen / chosen.sum(-1, /*keepdim=*/true).clamp_min(smallest_divisor) : chosen * scaling_;
  return routing;
}

at::Tensor Moe::routed(const at::Tensor& x, const Routing& routing, ExpertPath path) const {
  return path == ExpertPath::every_expert ? every_expert(x, routing) : by_expert(x, routing, path);
}

at::Tensor Moe::expert(std::int64_t index, const at::Tensor& x) const {
  return at::linear(gated_silu(at::linear(x, gate_and_up_.select(0, index))), down_.select(0, index));
}

at::Tensor Moe::every_expert(const at::Tensor& x, const Routing& routing) const {
  at::Tensor sum = at::zeros(x.sizes(), x.options().dtype(at::kFloat));
  for (std::int64_t e = 0; e < layer_.experts; ++e) {
    const at::Tensor weight = (routing.weight * routing.index.eq(e)).sum(-1, /*keepdim=*/true);
    sum.add_(expert(e, x) * weight);
  }
  return sum;
}

at::Tensor Moe::by_expert(const at::Tensor& x, const Routing& routing, ExpertPath path) const {
  const std::int64_t tokens = x.size(0);
  const ExpertOrder order = order_by_expert(routing.index, layer_.experts);
  const bool grouped = path == ExpertPath::grouped;
  const auto product = grouped ? grouped_product : product_per_expert;
  const at::Tensor start = grouped ? order.start : order.start.to(at::kCPU);  // the only wait for the device
  const at::Tensor rows = x.index_select(0, order.entry.remainder(tokens));
  const at::Tensor out = product(gated_silu(product(rows, gate_and_up_, start)), down_, start);

  // Back to the order of the entries; gathering instead of adding in place keeps the sum's order fixed.
  const at::Tensor place =
      at::empty_like(order.entry).scatter_(0, order.entry, at::arange(order.entry.size(0), order.entry.options()));
  at::Tensor sum = at::zeros(x.sizes(), x.options().dtype(at::kFloat));
  for (std::int64_t choice = 0; choice < layer_.topk; ++choice) {
    const at::Tensor part = out.index_select(0, place.narrow(0, choice * tokens, tokens));
    sum.add_(part * routing.weight.select(1, choice).unsqueeze(-1));
  }
  return sum;
}

}  // namespace hunyuan_generate
