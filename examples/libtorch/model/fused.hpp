// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_FUSED_HPP
#define HUNYUAN_GENERATE_FUSED_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "adapter/adapter.hpp"
#include "model/products.hpp"

/// What lies between the products, each as one function. On a GPU with bfloat16 tensors, in a program built with nvcc,
/// each is one kernel (kernels.hpp); everywhere else its twin: the same in ATen operations, rounded at the same places.
namespace hunyuan_generate {

/// Whether this program has the kernels.
[[nodiscard]] bool kernels_built() noexcept;
/// Whether they are used where they can be; true at first. For comparisons and measurements, not while others run.
void use_kernels(bool used) noexcept;
[[nodiscard]] bool kernels_used() noexcept;
/// Whether they take this tensor: used, on a GPU, in bfloat16.
[[nodiscard]] bool kernels_take(const at::Tensor& x);

/// x + delta and its norm; without a delta the sum is x.
struct NormedSum {
  at::Tensor sum;
  Rows normed;
};
/// x and delta [.., width], weight [width].
NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps, Form form);

/// The gated MLP's product: the first half of the last axis times silu of the second half.
/// Rows from `limit` (int32 [1]) on may be left out, where it is defined.
Rows gated_silu(const at::Tensor& packed, Form form, const at::Tensor& limit = {});

/// Keys and values of one layer: [B, K, length, D].
struct LayerCache {
  at::Tensor keys, values;
};
/// packed [B, n, K, G + 2, D] holds for each key head its G query heads, one key head and one value head. Rotates, then
/// norms queries and keys, writes keys and values at start .. start + n - 1 of the cache, and returns the queries of
/// each segment, [B, K G, count, D].
struct QkNorm {
  at::Tensor query, key;  ///< [D]
  double eps;
};
std::vector<at::Tensor> rotate_norm_store(const at::Tensor& packed, const RotaryTable& rope, const QkNorm& norm,
                                          const LayerCache& cache, std::int64_t start,
                                          const std::vector<AttentionSegment>& segments);

/// Attention's results, one [B, heads, count, D] for each segment, as rows: [B, n, heads D].
Rows heads_to_rows(const std::vector<at::Tensor>& mixed, Form form);

/// The chosen experts of T tokens.
struct Chosen {
  at::Tensor index;   ///< [T, k], best first; int32 from the kernel, int64 from ATen
  at::Tensor weight;  ///< [T, k], float32
};
/// logits float32 [T, parts E], the parts to be added up. Weights are divided by their sum with `normalise`, else
/// multiplied by `scaling`.
struct RouteRule {
  std::int64_t experts, choices;
  bool normalise;
  double scaling;
};
Chosen route(const at::Tensor& logits, const RouteRule& rule);

/// Where entry (token, choice) lies among the entries sorted by expert.
struct ExpertPlaces {
  at::Tensor place;  ///< int32 [T, k]
  at::Tensor stops;  ///< int32 [E], where an expert's entries end
};
ExpertPlaces place_by_expert(const at::Tensor& index, std::int64_t experts);
/// Rows in the order of their experts, [T k, width], in the form asked for; `limit` as in gated_silu.
Rows gather(const Rows& rows, const at::Tensor& place, Form form, const at::Tensor& limit = {});
/// residual + (shared + sum over the choices of weight * parts[place]); parts [T k, width], the others [T, width] or
/// undefined. Rows of weight 0 count as zeros, whatever they hold.
at::Tensor combine(const at::Tensor& parts, const at::Tensor& place, const at::Tensor& weight, const at::Tensor& shared,
                   const at::Tensor& residual);

// Over grids [B, C, ..]. The kernels take 16-bit tensors with their channels last, and return such.

/// Whether they take this one: used, on a GPU, in 16 bits, channels last and a multiple of 32 of them, up to 4096.
[[nodiscard]] bool grid_kernels_take(const at::Tensor& x);
/// Group norm with 32 groups of x (+ `added` [C] where it is defined), then act(.. * (1 + scale) + shift) with
/// `scale_shift` [1 or B, 2 C] where it is defined, act being silu or nothing. ATen returns float32.
struct GroupNormRule {
  at::Tensor weight, bias;  ///< float32 [C]
  double eps;
  bool silu;
};
at::Tensor group_norm(const at::Tensor& x, const GroupNormRule& rule, const at::Tensor& scale_shift,
                      const at::Tensor& added = {});
/// a + (b + bias), bias [C]. Only for what grid_kernels_take takes.
at::Tensor add_bias(const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias);
/// moved [B, 4 frames c, T, h, w] + bias + the channels of x, each repeated side by side, in space and time as
/// channels_to_space has them: [B, c, T frames, 2h, 2w]. Only for what grid_kernels_take takes.
at::Tensor expand_channels(const at::Tensor& moved, const at::Tensor& bias, const at::Tensor& x, std::int64_t frames);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_FUSED_HPP
