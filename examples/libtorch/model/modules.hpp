// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MODULES_HPP
#define HUNYUAN_GENERATE_MODULES_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>     // int64_t
#include <functional>  // function
#include <string>      // string
#include <vector>      // vector

#include "model/fused.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Receives inner values by name while a module runs ("layer0.query"); an empty function costs nothing. The tensor is
/// only valid as long as the module has not run again: clone it to keep it.
using Probe = std::function<void(const std::string& name, const at::Tensor& value)>;

/// Reports `value` when somebody listens.
inline void observe(const Probe& probe, const std::string& name, const at::Tensor& value) {
  if (probe) probe(name, value);
}
/// A probe that puts `prefix` in front of every name; empty when `probe` is.
inline Probe with_prefix(const Probe& probe, const std::string& prefix) {
  if (!probe) return {};
  return [probe, prefix](const std::string& name, const at::Tensor& value) { probe(prefix + name, value); };
}

/// y = x W^T + b over the last axis; the input is cast to the type of the weight.
class Linear {
 public:
  Linear() = default;
  /// Reads "weight" [out, in] and, if `bias`, "bias" [out] under the loader's prefix.
  Linear(const WeightLoader& loader, std::int64_t out, std::int64_t in, bool bias)
      : weight_(loader.tensor("weight", {out, in})) {
    if (bias) bias_ = loader.tensor("bias", {out});
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return at::linear(x.to(weight_.scalar_type()), weight_, bias_);
  }

 private:
  at::Tensor weight_, bias_;
};

/// Convolution with stride 1 and zero padding (k - 1) / 2 on every side; the input is cast to the type of the weight.
/// On a GPU in 16 bits, where group_norm has a kernel, channels come last in memory: the fastest convolutions want them
/// so.
class Conv {
 public:
  Conv() = default;
  /// Reads "weight" [out, in, k, ..] with `axes` (2 or 3) spatial axes and "bias" [out].
  Conv(const WeightLoader& loader, std::int64_t out, std::int64_t in, std::int64_t kernel, std::int64_t axes) {
    std::vector<std::int64_t> shape{out, in};
    shape.insert(shape.end(), static_cast<std::size_t>(axes), kernel);
    weight_ = loader.tensor("weight", shape);
    bias_ = loader.tensor("bias", {out});
    if (kernels_used() && weight_.is_cuda() && c10::elementSize(weight_.scalar_type()) == 2) {
      weight_ = weight_.contiguous(axes == 2 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d);
    }
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const { return with_bias(x, bias_); }
  /// The same without the bias [out], for who adds it later.
  [[nodiscard]] at::Tensor without_bias(const at::Tensor& x) const { return with_bias(x, {}); }
  [[nodiscard]] const at::Tensor& bias() const noexcept { return bias_; }

 private:
  [[nodiscard]] at::Tensor with_bias(const at::Tensor& x, const at::Tensor& bias) const {
    const at::Tensor input = x.to(weight_.scalar_type());
    const std::int64_t padding = (weight_.size(-1) - 1) / 2;
    if (weight_.dim() == 4) return at::conv2d(input, weight_, bias, /*stride=*/1, padding);
    return at::conv3d(input, weight_, bias, /*stride=*/1, padding);
  }

  at::Tensor weight_, bias_;
};

/// Group norm with 32 groups, computed in float32. The result is float32, or, where group_norm has a kernel, of the
/// type of x.
class GroupNorm {
 public:
  GroupNorm() = default;
  /// Reads "weight" and "bias", both [channels].
  GroupNorm(const WeightLoader& loader, std::int64_t channels, double eps)
      : weight_(loader.as(at::kFloat).tensor("weight", {channels})),
        bias_(loader.as(at::kFloat).tensor("bias", {channels})),
        eps_(eps) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return group_norm(x, {weight_, bias_, eps_, false}, {});
  }

  /// silu of the norm of x (+ `added` [channels]), or of norm * (1 + scale) + shift with `scale_shift` [B, 2 channels].
  [[nodiscard]] at::Tensor silu(const at::Tensor& x, const at::Tensor& scale_shift = {},
                                const at::Tensor& added = {}) const {
    return group_norm(x, {weight_, bias_, eps_, true}, scale_shift, added);
  }

 private:
  at::Tensor weight_, bias_;
  double eps_ = 0;
};

/// Layer norm over the last axis; returns the type of its input.
class LayerNorm {
 public:
  LayerNorm() = default;
  /// Reads "weight" and "bias", both [width].
  LayerNorm(const WeightLoader& loader, std::int64_t width, double eps)
      : weight_(loader.tensor("weight", {width})), bias_(loader.tensor("bias", {width})), eps_(eps) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_);
  }

 private:
  at::Tensor weight_, bias_;
  double eps_ = 0;
};

/// RMS norm over the last axis. Statistics are float32; the normalised value is cast to the type of x before it is
/// multiplied by the weight, so the result has the wider of the two types.
class RmsNorm {
 public:
  RmsNorm() = default;
  /// Reads "weight" [width].
  RmsNorm(const WeightLoader& loader, std::int64_t width, double eps)
      : weight_(loader.tensor("weight", {width})), eps_(eps) {}
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const { return add(x, {}, {}).normed.plain; }
  /// x + delta (x itself without one) and its norm, in the form asked for.
  [[nodiscard]] NormedSum add(const at::Tensor& x, const at::Tensor& delta, Form form) const {
    return add_rms_norm(x, delta, weight_, eps_, form);
  }

  [[nodiscard]] const at::Tensor& weight() const noexcept { return weight_; }
  [[nodiscard]] double eps() const noexcept { return eps_; }

 private:
  at::Tensor weight_;
  double eps_ = 0;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MODULES_HPP
