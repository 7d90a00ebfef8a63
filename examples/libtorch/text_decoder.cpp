// SPDX-License-Identifier: MIT
#include "text_decoder.hpp"

#include "error.hpp"

namespace hunyuan_generate {

TextDecoder::TextDecoder(const Model& model, RotaryTable rope, const ComputeOptions& options)
    : model_(&model),
      rope_(std::move(rope)),
      options_(options),
      cache_(model.config, 1, rope_.cos.size(1), model.backbone.dtype(), model.backbone.layer_devices()) {}

at::Tensor TextDecoder::feed(const at::Tensor& vectors, const at::Tensor& mask, const Probe& probe) {
  const std::int64_t count = vectors.size(1);
  if (count > cache_.length() - fed_) {
    throw Error("text mode: " + std::to_string(fed_ + count) + " tokens, but room for " +
                std::to_string(cache_.length()));
  }
  const auto options = at::TensorOptions().dtype(at::kLong).device(vectors.device());
  const at::Tensor positions = at::arange(fed_, fed_ + count, options).unsqueeze(0);
  fed_ += count;
  const Pass pass{positions, rope_.select(positions), mask, fed_};
  observe(probe, "position_ids", positions);
  observe(probe, "rope_cos", pass.rope.cos);
  observe(probe, "rope_sin", pass.rope.sin);
  observe(probe, "inputs_embeds", vectors);
  const at::Tensor hidden = model_->backbone.forward(vectors, pass, cache_, options_, probe);
  return model_->backbone.logits(hidden.select(1, -1));
}

at::Tensor TextDecoder::prefill(const at::Tensor& ids, const at::Tensor& mask,
                                const std::vector<Overwrite>& conditioning, const Probe& probe) {
  if (ids.dim() != 2 || ids.size(0) != 1) throw Error("text mode: one row of ids is needed");
  fed_ = 0;
  at::Tensor vectors = model_->backbone.embed(ids);
  for (const Overwrite& replacement : conditioning) overwrite(vectors, replacement);
  return feed(vectors, mask, probe);
}

at::Tensor TextDecoder::decode(const at::Tensor& id, const Probe& probe) {
  return feed(model_->backbone.embed(id), at::Tensor(), probe);
}

at::Tensor ratio_scores(const at::Tensor& logits, const std::vector<std::pair<std::int64_t, std::int64_t>>& slices) {
  std::vector<at::Tensor> kept;
  for (const auto& [start, stop] : slices) {
    if (start < 0 || stop <= start || stop > logits.size(-1)) {
      throw Error("ratio slice [" + std::to_string(start) + ", " + std::to_string(stop) +
                  ") is outside the vocabulary");
    }
    kept.push_back(logits.narrow(-1, start, stop - start));
  }
  if (kept.empty()) throw Error("there is no ratio slice");
  return at::cat(kept, -1);
}

}  // namespace hunyuan_generate
