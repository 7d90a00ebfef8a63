// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MODULES_HPP
#define HUNYUAN_GENERATE_MODULES_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>     // int64_t
#include <functional>  // function
#include <string>      // string

#include "model/fused.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Receives inner values by name while a module runs ("layer0.query"); an empty function costs nothing. The tensor is
/// only valid as long as the module has not run again: clone it to keep it.
using Probe = std::function<void(const std::string& name, const at::Tensor& value)>;

/// Reports `value` when somebody listens.
void observe(const Probe& probe, const std::string& name, const at::Tensor& value);
/// A probe that puts `prefix` in front of every name; empty when `probe` is.
Probe with_prefix(const Probe& probe, const std::string& prefix);

/// y = x W^T + b over the last axis; the input is cast to the type of the weight.
class Linear {
 public:
  Linear() = default;
  /// Reads "weight" [out, in] and, if `bias`, "bias" [out] under the loader's prefix.
  Linear(const WeightLoader& loader, std::int64_t out, std::int64_t in, bool bias);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor* weight() noexcept { return &weight_; }

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
  Conv(const WeightLoader& loader, std::int64_t out, std::int64_t in, std::int64_t kernel, std::int64_t axes);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const { return with_bias(x, bias_); }
  /// The same without the bias [out], for who adds it later.
  [[nodiscard]] at::Tensor without_bias(const at::Tensor& x) const { return with_bias(x, {}); }
  [[nodiscard]] const at::Tensor& bias() const noexcept { return bias_; }

 private:
  [[nodiscard]] at::Tensor with_bias(const at::Tensor& x, const at::Tensor& bias) const;

  at::Tensor weight_, bias_;
};

/// Group norm with 32 groups, computed in float32. The result is float32, or, where group_norm has a kernel, of the
/// type of x.
class GroupNorm {
 public:
  GroupNorm() = default;
  /// Reads "weight" and "bias", both [channels].
  GroupNorm(const WeightLoader& loader, std::int64_t channels, double eps);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// silu of the norm of x (+ `added` [channels]), or of norm * (1 + scale) + shift with `scale_shift` [B, 2 channels].
  [[nodiscard]] at::Tensor silu(const at::Tensor& x, const at::Tensor& scale_shift = {},
                                const at::Tensor& added = {}) const;

 private:
  at::Tensor weight_, bias_;
  double eps_ = 0;
};

/// Layer norm over the last axis; returns the type of its input.
class LayerNorm {
 public:
  LayerNorm() = default;
  /// Reads "weight" and "bias", both [width].
  LayerNorm(const WeightLoader& loader, std::int64_t width, double eps);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

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
  RmsNorm(const WeightLoader& loader, std::int64_t width, double eps);
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  /// x + delta (x itself without one) and its norm, in the form asked for.
  [[nodiscard]] NormedSum add(const at::Tensor& x, const at::Tensor& delta, Form form) const;
  [[nodiscard]] const at::Tensor& weight() const noexcept { return weight_; }
  [[nodiscard]] double eps() const noexcept { return eps_; }

 private:
  at::Tensor weight_;
  double eps_ = 0;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MODULES_HPP
