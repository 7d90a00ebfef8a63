// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_KERNELS_HPP
#define HUNYUAN_GENERATE_KERNELS_HPP

#include <cstdint>  // int64_t, int32_t

struct CUstream_st;  // what a cudaStream_t points to

/// The CUDA kernels between the products, as plain functions over device memory: no Torch, and no CUDA header for their
/// callers. fused.hpp has the same for tensors, and beside each what it computes in ATen operations.
///
/// Everywhere: `bf16` rows are contiguous and start at multiples of 16 bytes; widths are multiples of 8, and of 16
/// where e4m3 is written; nothing is allocated, nothing waits. Sums are taken in an order that depends on the shapes
/// only, so that the same input gives the same bits. A failed launch is left for the caller's cudaGetLastError.
namespace hunyuan_generate::kernels {

using Stream = CUstream_st*;
using bf16 = void;  ///< bfloat16 in memory
using e4m3 = void;  ///< 8-bit floats in memory, 4 bits of exponent and 3 of mantissa, largest 448

/// The widest row of the kernels that keep a row in registers, and the most experts that `route` takes.
inline constexpr std::int64_t largest_width = 8192, most_experts = 256, most_choices = 16;
/// Widths of a head that rotate_norm_store takes: powers of two from 8 to 256.
constexpr bool head_fits(std::int64_t width) { return width >= 8 && width <= 256 && (width & (width - 1)) == 0; }

/// Where a row of results goes; a null pointer leaves that form out.
struct RowOut {
  bf16* plain = nullptr;   ///< [rows, width]
  e4m3* small = nullptr;   ///< [rows, width]: plain / scale
  float* scale = nullptr;  ///< [rows]: the row's largest magnitude / 448
};

/// sum = x + delta (where there is a delta), out = rms_norm(sum) * weight.
void add_rms_norm(const bf16* x, const bf16* delta, bf16* sum, const bf16* weight, float eps, const RowOut& out,
                  std::int64_t rows, std::int64_t width, Stream stream);

/// packed [rows, 2 width]: out = first half * silu(second half). Where `limit` is no null pointer, rows from *limit on
/// are left out; it is in device memory.
void gated_silu(const bf16* packed, const RowOut& out, std::int64_t rows, std::int64_t width, const std::int32_t* limit,
                Stream stream);

/// Attention's results of `count` tokens, [batch, heads, count, head], to rows `first ..` of each batch's `tokens`
/// rows.
struct HeadShape {
  std::int64_t batch, heads, count, head, tokens, first;
};
void heads_to_rows(const bf16* mixed, const HeadShape& shape, const RowOut& out, Stream stream);

/// Rotates and norms query and key heads of the tokens first .. first + count - 1 of `tokens`, as they come out of the
/// packed product [batch, tokens, groups, group + 2, head].
struct QkShape {
  std::int64_t batch, tokens, first, count, groups, group, head;
  std::int64_t cache_length;  ///< entries of the cache, [batch, groups, cache_length, head]
  std::int64_t position;      ///< the entry of token `first`
};
struct QkOut {
  bf16* q;                  ///< [batch, groups * group, count, head]
  bf16 *k_cache, *v_cache;  ///< entries position .. position + count - 1 are written
};
void rotate_norm_store(const bf16* packed, const float* cos, const float* sin, const bf16* q_weight,
                       const bf16* k_weight, float eps, const QkShape& shape, const QkOut& out, Stream stream);

/// Softmax over the experts' logits, the `choices` largest and their weights. logits [tokens, parts, experts]: the
/// parts are added up. index and weight [tokens, choices], best first; of equal ones the lower index.
struct RouteShape {
  std::int64_t tokens, parts, experts, choices;
  bool normalise;  ///< weights divided by their sum, else multiplied by `scaling`
  float scaling;
};
void route(const float* logits, const RouteShape& shape, std::int32_t* index, float* weight, Stream stream);

/// Where each of `count` entries of index lies when they are sorted by expert, in their order inside each; stops
/// [experts]: where an expert's entries end.
void place_by_expert(const std::int32_t* index, std::int64_t count, std::int64_t experts, std::int32_t* place,
                     std::int32_t* stops, Stream stream);

/// Copies row t of `from` to the rows place[t, 0 .. choices - 1] of `to`; `bytes` a row, a multiple of 16. Scales,
/// where there are any, go the same way; rows from *limit on are left out as in gated_silu.
void gather(const void* from, const float* from_scale, const std::int32_t* place, std::int64_t tokens,
            std::int64_t choices, std::int64_t bytes, void* to, float* to_scale, const std::int32_t* limit,
            Stream stream);

/// out[t] = residual[t] + (shared[t] + sum over j of weight[t, j] parts[place[t, j]]); shared and residual may be null.
/// Rows of weight 0 count as zeros, whatever they hold.
void combine(const bf16* parts, const std::int32_t* place, const float* weight, const bf16* shared,
             const bf16* residual, std::int64_t tokens, std::int64_t choices, std::int64_t width, bf16* out,
             Stream stream);

/// Group norm with 32 groups of x (+ `added` [channels], which may be null), [batch, places, channels], channels last,
/// bfloat16 or (`half`) float16:
/// out = act(norm(x) * gamma + beta), or with `scale_shift` float [batch, 2 channels]
/// act((norm(x) * gamma + beta) * (1 + scale) + shift); act is silu or nothing. channels: a multiple of 32, up to 4096.
struct GroupNormShape {
  std::int64_t batch, places, channels;
  float eps;
  bool silu, half;
};
/// Numbers of `work` (double) that group_norm needs.
std::int64_t group_norm_work(const GroupNormShape& shape);
void group_norm(const void* x, const void* added, const float* gamma, const float* beta, const float* scale_shift,
                const GroupNormShape& shape, double* work, void* out, Stream stream);

/// out = a + b + bias; a and b [places, channels], bias [channels].
void add_bias(const void* a, const void* b, const void* bias, std::int64_t places, std::int64_t channels, bool half,
              void* out, Stream stream);

/// The autoencoder's way up: moved [batch, time, height, width, 4 frames channels] plus bias plus the channels of x
/// [.., source], each repeated side by side, all moved into space and time: out [batch, time frames, 2 height, 2 width,
/// channels]; see channels_to_space.
struct ExpandShape {
  std::int64_t batch, time, height, width, frames, channels, source;
};
void expand_channels(const void* moved, const void* bias, const void* x, const ExpandShape& shape, bool half, void* out,
                     Stream stream);

}  // namespace hunyuan_generate::kernels

#endif  // HUNYUAN_GENERATE_KERNELS_HPP
