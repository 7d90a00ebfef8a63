// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ROPE_HPP
#define HUNYUAN_GENERATE_ROPE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t

namespace hunyuan_generate {

/// Cosines and sines of the rotary angles, float32, [rows, tokens, D]; one row serves every row of a batch.
struct RotaryTable {
  at::Tensor cos, sin;

  /// The table at the given tokens, [B, n, D]. `positions` is int64, [B, n], in [0, tokens).
  [[nodiscard]] RotaryTable select(const at::Tensor& positions) const;
};

/// Table [1, tokens, D] for the position pairs (y, x) of every token, int64 [tokens, 2]: even components of the
/// angle take y, odd ones x, and the D / 2 angles are laid out twice. Computed on the CPU, then moved to `device`.
RotaryTable rotary_table(const at::Tensor& positions_yx, std::int64_t head_dim, double theta, at::Device device);

/// v cos + rot(v) sin with rot(v) = [-second half, first half]. `v` ends in [tokens, .., D]; `cos` and `sin` must
/// broadcast to it. The result is float32 when v is narrower.
at::Tensor rotate(const at::Tensor& v, const at::Tensor& cos, const at::Tensor& sin);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ROPE_HPP
