// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEXT_DECODER_HPP
#define HUNYUAN_GENERATE_TEXT_DECODER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "model/backbone.hpp"
#include "model/model.hpp"

namespace hunyuan_generate {

/// Text mode for one row: a prompt, then one token after the other with the cache.
class TextDecoder {
 public:
  /// `rope` covers the prompt and every token to come, [1, length, D]; its image sections are those of the prompt.
  TextDecoder(const Model& model, RotaryTable rope, const ComputeOptions& options);

  /// Feeds the prompt: ids int64 [1, S], its attention, vectors of conditioning images. Returns float32 logits of the
  /// last position, [1, V]. The probe gets position_ids, rope_cos, rope_sin, inputs_embeds and the layers.
  at::Tensor prefill(const at::Tensor& ids, const std::vector<AttentionSegment>& attention,
                     const std::vector<Overwrite>& conditioning, const Probe& probe = {});
  /// Feeds one token, int64 [1, 1], behind all tokens so far, all of which it sees. Returns logits [1, V]. Throws Error
  /// when the table's length is used up.
  at::Tensor decode(const at::Tensor& id, const Probe& probe = {});
  /// Keys and values of everything fed so far, and how many tokens that is.
  [[nodiscard]] const KvCache& cache() const noexcept { return cache_; }
  [[nodiscard]] std::int64_t fed() const noexcept { return fed_; }

 private:
  at::Tensor feed(const at::Tensor& vectors, const std::vector<AttentionSegment>& attention, const Probe& probe);

  const Model* model_;
  RotaryTable rope_;
  ComputeOptions options_;
  KvCache cache_;
  std::int64_t fed_ = 0;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEXT_DECODER_HPP
