// SPDX-License-Identifier: MIT
#include "model/text_decoder.hpp"

#include "adapter/error.hpp"

namespace hunyuan_generate {

TextDecoder::TextDecoder(const Model& model, RotaryTable rope, const ComputeOptions& options)
    : model_(&model),
      rope_(std::move(rope)),
      options_(options),
      cache_(model.config, 1, rope_.cos.size(1), model.backbone.dtype(), model.backbone.layer_devices(),
             model.parallel()) {}

at::Tensor TextDecoder::feed(const at::Tensor& vectors, const std::vector<AttentionSegment>& attention,
                             const Probe& probe) {
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

at::Tensor TextDecoder::prefill(const at::Tensor& ids, const std::vector<AttentionSegment>& attention,
                                const std::vector<Overwrite>& conditioning, const Probe& probe) {
  if (ids.dim() != 2 || ids.size(0) != 1) throw Error("text mode: one row of ids is needed");
  fed_ = 0;
  at::Tensor vectors = model_->backbone.embed(ids);
  for (const Overwrite& replacement : conditioning) overwrite(vectors, replacement);
  return feed(vectors, attention, probe);
}

at::Tensor TextDecoder::decode(const at::Tensor& id, const Probe& probe) {
  return feed(model_->backbone.embed(id), {}, probe);
}

}  // namespace hunyuan_generate
