// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ADAPTER_HPP
#define HUNYUAN_GENERATE_ADAPTER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <string>  // string
#include <vector>  // vector

#include "adapter/error.hpp"

namespace hunyuan_generate {

// The library's types as tensors, and nothing else: no network, no weights, no configuration. Whatever is written
// element by element is written once, on the CPU, straight into the tensor; then it moves to the device as it is.

/// The value of a library's result; throws Error with `what`, the library's message and the position at fault.
template <class T>
T require(hunyuan_reso::Result<T> result, const std::string& what) {
  if (result) return *std::move(result);
  throw Error(what + ": " + hunyuan_reso::message(result.error()) + " (at " + std::to_string(result.position()) + ")");
}
/// The same for functions that only succeed or fail.
void require(hunyuan_reso::Errc error, const std::string& what);

/// Token ids int64 [rows, length], and [1, length] of one row.
at::Tensor id_tensor(const hunyuan_reso::TokenBatch& batch);
at::Tensor id_tensor(const hunyuan_reso::TokenSequence& row);
/// The ids of one row as a list.
std::vector<hunyuan_reso::TokenId> ids_of(const hunyuan_reso::TokenSequence& row);

/// Position pairs (y, x) int64 [tokens, 2] of a sequence, and of `room` text tokens behind it.
at::Tensor position_tensor(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenLayout& layout,
                           std::int64_t room = 0);

/// Cosines and sines of the rotary angles, float32, [1, tokens, D]; one row serves every row of a batch.
struct RotaryTable {
  at::Tensor cos, sin;
  /// The table of `count` tokens from `start` on.
  [[nodiscard]] RotaryTable narrow(std::int64_t start, std::int64_t count) const {
    return {cos.narrow(1, start, count), sin.narrow(1, start, count)};
  }
};
/// The table of position pairs (y, x), int64 [tokens, 2], for the profile's head dimension and base: even components of
/// an angle take y, odd ones x, and the D / 2 angles are laid out twice. `base_rescale`: see rotary_rescale.
RotaryTable rotary_table(const hunyuan_reso::ModelProfile& profile, const at::Tensor& positions_yx, at::Device device,
                         double base_rescale = 1.0);
/// The same from frequencies [1, D / 2] and each token's coordinates [tokens, D / 2], float32, on their device.
RotaryTable rotary_table(const at::Tensor& frequencies, const at::Tensor& coordinates);
/// What the profile's rope scaling makes of a sequence's images at a noise level; 1 without scaling.
double rotary_rescale(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenLayout& layout,
                      double sigma = 1.0);

/// Who sees whom in a sequence.
hunyuan_reso::AttentionLayout attention_layout(const hunyuan_reso::ModelProfile& profile,
                                               const hunyuan_reso::TokenLayout& layout);
/// The rows `queries` of the mask, bool [1, 1, queries, length], true = may attend.
at::Tensor mask_tensor(const hunyuan_reso::AttentionLayout& attention, hunyuan_reso::Slice queries,
                       std::int64_t length);

/// Consecutive queries that look at the keys 0 .. keys - 1: all of them, or those that a small mask allows.
struct AttentionSegment {
  std::int64_t start = 0, count = 0, keys = 0;  ///< `start` counts the queries that are fed, not the whole sequence's
  at::Tensor mask;  ///< bool [1, 1, count, keys]; undefined = every query sees every one of the keys
};
/// The mask as segments, so that none of all queries and all keys is needed: a full slice is one segment without a
/// mask, causal tokens have a small one. A single causal token needs none either: it sees every key before it.
std::vector<AttentionSegment> attention_segments(const hunyuan_reso::AttentionLayout& attention,
                                                 const std::vector<hunyuan_reso::Slice>& queries, std::int64_t length,
                                                 at::Device device);

/// Everything that a denoising loop needs of a batch with one generated image in each row.
struct ImageSequence {
  at::Tensor ids;                                ///< int64 [rows, S]
  RotaryTable rope;                              ///< [1, S, D]
  hunyuan_reso::Slice scalars, image;            ///< what later steps feed: the image follows the scalar tokens
  std::int64_t grid_height = 0, grid_width = 0;  ///< tokens, which are also the size of the latents
  std::vector<AttentionSegment> first_segments;  ///< attention of the whole sequence
  std::vector<AttentionSegment> later_segments;  ///< attention of the tokens that later steps feed
  at::Tensor mask;                               ///< the whole mask, bool [1 or rows, 1, S, S]; only where asked for
  /// Only where the angles change with the noise level (RopeScaling::area_by_sigma with a factor above 1): the
  /// frequencies of each step, [steps, D / 2], and what they are multiplied with, [S, D / 2]. Every step then feeds the
  /// whole sequence.
  at::Tensor step_frequencies, positions;

  [[nodiscard]] std::int64_t length() const { return ids.size(1); }
  [[nodiscard]] std::int64_t rows() const { return ids.size(0); }
};
/// All rows must have their images at the same positions, which two-row guidance guarantees; throws Error otherwise.
ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenBatch& batch,
                             at::Device device);
/// The same from ids [rows, S] whose layout read_sequence found.
ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const at::Tensor& ids,
                             const hunyuan_reso::TokenLayout& layout, at::Device device);

/// Attention segments of the tokens from `start` on: what is fed where the keys before them are cached already.
std::vector<AttentionSegment> segments_from(const hunyuan_reso::ModelProfile& profile,
                                            const hunyuan_reso::TokenLayout& layout, std::int64_t start,
                                            at::Device device);

/// The library's schedule, float32 on the CPU.
struct ScheduleTensors {
  std::int64_t steps = 0;
  at::Tensor sigmas;          ///< [steps + 1], from 1 down to exactly 0
  at::Tensor timesteps_full;  ///< [steps + 1], 1000 times the sigmas

  /// [steps]: time of each step, 1000 at the first; the second time of meanflow, which is the next step's and 0 at the
  /// last; what a step multiplies the velocity with.
  [[nodiscard]] at::Tensor timesteps() const { return timesteps_full.narrow(0, 0, steps); }
  [[nodiscard]] at::Tensor timesteps_r() const { return timesteps_full.narrow(0, 1, steps); }
  [[nodiscard]] at::Tensor sigma_steps() const { return sigmas.narrow(0, 1, steps) - sigmas.narrow(0, 0, steps); }
};
ScheduleTensors schedule_tensors(std::int64_t steps, double flow_shift);

/// The sequence of a batch with what the noise levels of its schedule make of the angles, where the profile says so.
ImageSequence image_sequence(const hunyuan_reso::ModelProfile& profile, const hunyuan_reso::TokenBatch& batch,
                             const ScheduleTensors& schedule, at::Device device);

/// The shape of the latents of a plan, [batch, channels, height, width].
std::vector<std::int64_t> latent_shape(const hunyuan_reso::GenerationPlan& plan);

/// Logits of one position as the library's rules take them: float32 [V] on the CPU, contiguous and our own.
at::Tensor logits_row(const at::Tensor& logits);
/// Those of such a row that are the profile's ratio tokens', in the order of the ratios.
at::Tensor ratio_scores(const hunyuan_reso::ModelProfile& profile, const at::Tensor& row);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ADAPTER_HPP
