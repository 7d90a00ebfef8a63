// SPDX-License-Identifier: MIT
#include "model/modules.hpp"

namespace hunyuan_generate {

void observe(const Probe& probe, const std::string& name, const at::Tensor& value) {
  if (probe) probe(name, value);
}

Probe with_prefix(const Probe& probe, const std::string& prefix) {
  if (!probe) return {};
  return [probe, prefix](const std::string& name, const at::Tensor& value) { probe(prefix + name, value); };
}

Linear::Linear(const WeightLoader& loader, std::int64_t out, std::int64_t in, bool bias)
    : weight_(loader.tensor("weight", {out, in})) {
  if (bias) bias_ = loader.tensor("bias", {out});
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x.to(weight_.scalar_type()), weight_, bias_);
}

Conv::Conv(const WeightLoader& loader, std::int64_t out, std::int64_t in, std::int64_t kernel, std::int64_t axes) {
  std::vector<std::int64_t> shape{out, in};
  shape.insert(shape.end(), static_cast<std::size_t>(axes), kernel);
  weight_ = loader.tensor("weight", shape);
  bias_ = loader.tensor("bias", {out});
  if (kernels_used() && weight_.is_cuda() && c10::elementSize(weight_.scalar_type()) == 2) {
    weight_ = weight_.contiguous(axes == 2 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d);
  }
}

at::Tensor Conv::with_bias(const at::Tensor& x, const at::Tensor& bias) const {
  const at::Tensor input = x.to(weight_.scalar_type());
  const std::int64_t padding = (weight_.size(-1) - 1) / 2;
  if (weight_.dim() == 4) return at::conv2d(input, weight_, bias, /*stride=*/1, padding);
  return at::conv3d(input, weight_, bias, /*stride=*/1, padding);
}

GroupNorm::GroupNorm(const WeightLoader& loader, std::int64_t channels, double eps)
    : weight_(loader.as(at::kFloat).tensor("weight", {channels})),
      bias_(loader.as(at::kFloat).tensor("bias", {channels})),
      eps_(eps) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const { return group_norm(x, {weight_, bias_, eps_, false}, {}); }

at::Tensor GroupNorm::silu(const at::Tensor& x, const at::Tensor& scale_shift, const at::Tensor& added) const {
  return group_norm(x, {weight_, bias_, eps_, true}, scale_shift, added);
}

LayerNorm::LayerNorm(const WeightLoader& loader, std::int64_t width, double eps)
    : weight_(loader.tensor("weight", {width})), bias_(loader.tensor("bias", {width})), eps_(eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_);
}

RmsNorm::RmsNorm(const WeightLoader& loader, std::int64_t width, double eps)
    : weight_(loader.tensor("weight", {width})), eps_(eps) {}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const { return add(x, {}, {}).normed.plain; }

NormedSum RmsNorm::add(const at::Tensor& x, const at::Tensor& delta, Form form) const {
  return add_rms_norm(x, delta, weight_, eps_, form);
}

}  // namespace hunyuan_generate
