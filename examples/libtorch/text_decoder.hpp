// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEXT_DECODER_HPP
#define HUNYUAN_GENERATE_TEXT_DECODER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <utility>  // pair
#include <vector>   // vector

#include "backbone.hpp"
#include "model.hpp"
#include "rope.hpp"

namespace hunyuan_generate {

/// Text mode for one row: a prompt, then one token after the other with the cache.
class TextDecoder {
 public:
  /// `rope` covers the prompt and every token to come, [1, length, D]; its image sections are those of the prompt.
  TextDecoder(const Model& model, RotaryTable rope, const ComputeOptions& options);

  /// Feeds the prompt: ids int64 [1, S], mask bool [1, 1, S, S], vectors of conditioning images. Returns float32 logits
  /// of the last position, [1, V]. The probe gets position_ids, rope_cos, rope_sin, inputs_embeds and the layers.
  at::Tensor prefill(const at::Tensor& ids, const at::Tensor& mask, const std::vector<Overwrite>& conditioning,
                     const Probe& probe = {});
  /// Feeds one token, int64 [1, 1], behind all tokens so far, all of which it sees. Returns logits [1, V]. Throws Error
  /// when the table's length is used up.
  at::Tensor decode(const at::Tensor& id, const Probe& probe = {});

 private:
  at::Tensor feed(const at::Tensor& vectors, const at::Tensor& mask, const Probe& probe);

  const Model* model_;
  RotaryTable rope_;
  ComputeOptions options_;
  KvCache cache_;
  std::int64_t fed_ = 0;
};

/// Logits [.., V] of the ratio slices [start, stop) only, concatenated in order: the argmax is the ratio index.
at::Tensor ratio_scores(const at::Tensor& logits, const std::vector<std::pair<std::int64_t, std::int64_t>>& slices);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEXT_DECODER_HPP
