// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ADAPTER_HPP
#define HUNYUAN_GENERATE_ADAPTER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <string>  // string
#include <vector>  // vector

#include "denoiser.hpp"
#include "error.hpp"
#include "vocabulary.hpp"

namespace hunyuan_generate {

// From the library's types to tensors. Whatever is written element by element is written once, on the CPU, straight
// into the tensor; masks, tables and ids then move to the device as they are.

/// The value of a library's result; throws Error with `what`, the library's message and the position at fault.
template <class T>
T require(hunyuan_reso::Result<T> result, const std::string& what) {
  if (result) return *std::move(result);
  throw Error(what + ": " + std::string(hunyuan_reso::message(result.error())) + " (at " +
              std::to_string(result.position()) + ")");
}

/// How conditioning images attend; the published checkpoints' way.
inline constexpr auto conditioning_attention = hunyuan_reso::ConditioningAttention::joint_full;

/// Token ids int64 [rows, length] in the checkpoint's own numbering.
at::Tensor id_tensor(const hunyuan_reso::TokenBatch& batch, const Vocabulary& vocabulary);

/// Who sees whom in a sequence.
hunyuan_reso::AttentionLayout attention_layout(const hunyuan_reso::TokenSequence& sequence);
/// The rows `queries` of the mask, bool [1, 1, queries, length], true = may attend.
at::Tensor mask_tensor(const hunyuan_reso::AttentionLayout& layout, hunyuan_reso::Slice queries, std::int64_t length);
/// The same as segments: a full slice is one segment without a mask, the causal tokens between two slices one with a
/// small mask. A single causal token needs none either: it sees every key before it.
std::vector<AttentionSegment> attention_segments(const hunyuan_reso::AttentionLayout& layout,
                                                 const std::vector<hunyuan_reso::Slice>& queries, at::Device device);

/// Position pairs (y, x) int64 [tokens, 2] of a sequence, and of `room` text tokens behind it.
at::Tensor position_tensor(const hunyuan_reso::TokenSequence& sequence, std::int64_t room = 0);

/// Positions of the tokens that the later steps feed, int64 [1, n]: scalar tokens, then the image.
at::Tensor refeed_tensor(const hunyuan_reso::TokenSequence& sequence, const hunyuan_reso::ModelProfile& profile);

/// Everything that the denoising loop needs of a batch with one generated image in each row. All rows must have their
/// image and their attention at the same positions, which two-row guidance guarantees; throws Error otherwise.
ImageSequence image_sequence_of(const hunyuan_reso::TokenBatch& batch, const hunyuan_reso::ModelProfile& profile,
                                const ModelConfig& config, const Vocabulary& vocabulary, at::Device device);

/// The shape of the latents of a plan, [batch, channels, height, width].
std::vector<std::int64_t> latent_shape(const hunyuan_reso::GenerationPlan& plan);

/// Logits of the published vocabulary, float32 on the CPU, for the library's rules on logits: [V] in the checkpoint's
/// numbering to as many values as the profile's vocabulary has. A view where both numberings are the same.
at::Tensor published_logits(const at::Tensor& logits, const Vocabulary& vocabulary,
                            const hunyuan_reso::ModelProfile& profile);
/// The compact ratio logits of such a row; their argmax is the ratio index.
at::Tensor compact_ratio_logits(const at::Tensor& published, const hunyuan_reso::RatioSlices& slices);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ADAPTER_HPP
