// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEXT_DECODER_HPP
#define HUNYUAN_GENERATE_TEXT_DECODER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <utility>  // move
#include <vector>   // vector

#include "adapter/error.hpp"
#include "model/model.hpp"

namespace hunyuan_generate {

/// Text mode for one row: a prompt, then one token after the other with the cache.
class TextDecoder {
 public:
  /// `rope` covers the prompt and every token to come, [1, length, D]; its image sections are those of the prompt.
  TextDecoder(const Model& model, RotaryTable rope, const ComputeOptions& options)
      : model_(&model),
        rope_(std::move(rope)),
        options_(options),
        cache_(model.config, 1, rope_.cos.size(1), model.backbone.dtype(), model.backbone.layer_devices(),
               model.parallel()) {}

  /// Feeds the prompt: ids int64 [1, S], its attention, vectors of conditioning images. Returns float32 logits of the
  /// last position, [1, V]. The probe gets position_ids, rope_cos, rope_sin, inputs_embeds and the layers.
  at::Tensor prefill(const at::Tensor& ids, const std::vector<AttentionSegment>& attention,
                     const std::vector<Overwrite>& conditioning, const Probe& probe = {}) {
    if (ids.dim() != 2 || ids.size(0) != 1) throw Error("text mode: one row of ids is needed");
    fed_ = 0;
    at::Tensor vectors = model_->backbone.embed(ids);
    for (const Overwrite& replacement : conditioning) overwrite(vectors, replacement);
    return feed(vectors, attention, probe);
  }

  /// Feeds one token, int64 [1, 1], behind all tokens so far, all of which it sees. Returns logits [1, V]. Throws Error
  /// when the table's length is used up.
  at::Tensor decode(const at::Tensor& id, const Probe& probe = {}) {
    return feed(model_->backbone.embed(id), {}, probe);
  }

  /// Keys and values of everything fed so far.
  [[nodiscard]] const KvCache& cache() const noexcept { return cache_; }

 private:
  at::Tensor feed(const at::Tensor& vectors, const std::vector<AttentionSegment>& attention, const Probe& probe) {
    const std::int64_t count = vectors.size(1);
    if (count > cache_.length() - fed_) {
      throw Error("text mode: " + std::to_string(fed_ + count) + " tokens, but room for " +
                  std::to_string(cache_.length()));
    }
    const Pass pass{fed_, rope_.narrow(fed_, count), {}, fed_ + count, attention};
    fed_ += count;
    if (probe) probe("position_ids", at::arange(pass.start, fed_, at::kLong).unsqueeze(0));
    observe(probe, "rope_cos", pass.rope.cos);
    observe(probe, "rope_sin", pass.rope.sin);
    observe(probe, "inputs_embeds", vectors);
    const at::Tensor hidden = model_->backbone.forward(vectors, pass, cache_, options_, probe);
    return model_->backbone.logits(hidden.select(1, -1));
  }

  const Model* model_;
  RotaryTable rope_;
  ComputeOptions options_;
  KvCache cache_;
  std::int64_t fed_ = 0;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEXT_DECODER_HPP
