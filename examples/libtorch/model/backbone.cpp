// SPDX-License-Identifier: MIT
#include "model/backbone.hpp"

#include <mutex>  // mutex

#include "adapter/error.hpp"
#include "model/attention.hpp"
#include "model/threads.hpp"

namespace hunyuan_generate {

Pass Pass::to(at::Device device) const {
  const auto move = [&](const at::Tensor& x) { return x.defined() ? x.to(device) : x; };
  Pass moved{start, {move(rope.cos), move(rope.sin)}, move(mask), visible, segments};
  for (AttentionSegment& segment : moved.segments) segment.mask = move(segment.mask);
  return moved;
}

KvCache::KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t length, at::ScalarType dtype,
                 const std::vector<at::Device>& devices)
    : length_(length) {
  for (const at::Device device : devices) {
    const auto options = at::TensorOptions().dtype(dtype).device(device);
    keys_.push_back(at::zeros({batch, config.key_value_heads, length, config.head_dim}, options));
    values_.push_back(at::zeros({batch, config.key_value_heads, length, config.head_dim}, options));
  }
}

void KvCache::write(std::size_t layer, std::int64_t start, const at::Tensor& k, const at::Tensor& v) {
  keys_[layer].narrow(2, start, k.size(2)).copy_(k);
  values_[layer].narrow(2, start, v.size(2)).copy_(v);
}

KvCache KvCache::row(std::int64_t index) const {
  KvCache view;
  view.length_ = length_;
  for (const at::Tensor& keys : keys_) view.keys_.push_back(keys.narrow(0, index, 1));
  for (const at::Tensor& values : values_) view.values_.push_back(values.narrow(0, index, 1));
  return view;
}

void KvCache::take_prefix(const KvCache& from, std::int64_t count) {
  for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
    keys_[layer].narrow(2, 0, count).copy_(from.keys(layer, count).expand_as(keys(layer, count)));
    values_[layer].narrow(2, 0, count).copy_(from.values(layer, count).expand_as(values(layer, count)));
  }
}

at::Tensor KvCache::keys(std::size_t layer, std::int64_t visible) const { return keys_[layer].narrow(2, 0, visible); }

at::Tensor KvCache::values(std::size_t layer, std::int64_t visible) const {
  return values_[layer].narrow(2, 0, visible);
}

DecoderLayer::DecoderLayer(const WeightLoader& loader, const ModelConfig& config, std::size_t index)
    : index_(index),
      heads_(config.heads),
      groups_(config.key_value_heads),
      width_(config.head_dim),
      input_norm_(loader.at("input_layernorm"), config.hidden_size, config.rms_norm_eps),
      post_attention_norm_(loader.at("post_attention_layernorm"), config.hidden_size, config.rms_norm_eps),
      query_norm_(loader.at("self_attn.query_layernorm"), config.head_dim, config.rms_norm_eps),
      key_norm_(loader.at("self_attn.key_layernorm"), config.head_dim, config.rms_norm_eps),
      qkv_(loader.at("self_attn.qkv_proj"), (heads_ + 2 * groups_) * width_, config.hidden_size, false),
      out_(loader.at("self_attn.o_proj"), config.hidden_size, heads_ * width_, false) {
  const LayerConfig& layer = config.layers[index];
  if (layer.dense) {
    dense_.emplace(loader.at("mlp"), config.hidden_size, layer.expert_width);
  } else {
    moe_.emplace(loader.at("mlp"), config, layer);
  }
}

at::Tensor DecoderLayer::attend(const at::Tensor& x, const Pass& pass, KvCache& cache, const Probe& probe) const {
  const std::int64_t batch = x.size(0), tokens = x.size(1), group = heads_ / groups_;
  // Packed by key head: each group holds its query heads, one key head and one value head.
  const at::Tensor packed = qkv_(x).view({batch, tokens, groups_, group + 2, width_});
  at::Tensor q = packed.narrow(3, 0, group).reshape({batch, tokens, heads_, width_});
  at::Tensor k = packed.select(3, group);
  const at::Tensor v = packed.select(3, group + 1);

  // Rotation first, then the head norms: their weights are per component, so the order matters.
  const at::Tensor cos = pass.rope.cos.unsqueeze(2), sin = pass.rope.sin.unsqueeze(2);
  q = query_norm_(rotate(q, cos, sin)).to(v.scalar_type()).transpose(1, 2);
  k = key_norm_(rotate(k, cos, sin)).to(v.scalar_type()).transpose(1, 2);
  observe(probe, "query", q);
  observe(probe, "key", k);

  cache.write(index_, pass.start, k, v.transpose(1, 2));
  const at::Tensor mixed =
      pass.segments.empty()
          ? attention(q, cache.keys(index_, pass.visible), cache.values(index_, pass.visible), pass.mask)
          : segmented_attention(q, cache.keys(index_, pass.visible), cache.values(index_, pass.visible), pass.segments);
  const at::Tensor out = out_(mixed.transpose(1, 2).reshape({batch, tokens, heads_ * width_}));
  observe(probe, "attn_out", out);
  return out;
}

at::Tensor DecoderLayer::forward(const at::Tensor& x, const Pass& pass, KvCache& cache, const ComputeOptions& options,
                                 const Probe& probe) const {
  const at::Tensor attended = x + attend(input_norm_(x), pass, cache, probe);
  const at::Tensor normed = post_attention_norm_(attended);
  const at::Tensor mixed =
      moe_ ? moe_->forward(normed, options.experts, options.drop_tokens, probe) : (*dense_)(normed);
  observe(probe, "mlp_out", mixed);
  const at::Tensor out = attended + mixed;
  observe(probe, "out", out);
  return out;
}

std::vector<at::Tensor*> DecoderLayer::weights() {
  std::vector<at::Tensor*> all = moe_ ? moe_->weights() : dense_->weights();
  all.insert(all.end(), {qkv_.weight(), out_.weight()});
  return all;
}

Backbone::Backbone(const WeightLoader& loader, const ModelConfig& config, const std::vector<at::Device>& layer_devices,
                   std::size_t streamed, std::size_t threads)
    : table_(loader.at("model.wte").tensor("weight", {config.vocab_size, config.hidden_size})),
      final_norm_(loader.at("model.ln_f"), config.hidden_size, config.rms_norm_eps),
      head_(loader.at("lm_head"), config.vocab_size, config.hidden_size, false) {
  const std::size_t count = config.layers.size();
  for (std::size_t i = 0; i < count; ++i) {
    layer_devices_.push_back(layer_devices.empty() ? loader.device() : layer_devices[i * layer_devices.size() / count]);
  }
  if (streamed > count)
    throw Error(std::to_string(streamed) + " layers cannot be streamed: there are " + std::to_string(count));
  if (streamed > 0 && layer_devices.size() > 1) throw Error("layers are streamed to one device, not to several");
  if (streamed > 0) stream_ = std::make_unique<LayerStream>(layer_devices_.front());
  layers_.resize(count);
  std::mutex one_at_a_time;  // of the streamed ones, which pass through the device
  const auto load = [&](std::size_t i) {
    const bool passes = is_streamed(i, count, streamed);
    const std::unique_lock<std::mutex> lock =
        passes ? std::unique_lock<std::mutex>(one_at_a_time) : std::unique_lock<std::mutex>();
    layers_[i] =
        std::make_unique<DecoderLayer>(loader.at("model.layers." + std::to_string(i)).on(layer_devices_[i]), config, i);
    if (passes) stream_->take(i, layers_[i]->weights());
  };
  // Random weights come from one generator, in order.
  in_threads(count, loader.is_random() ? 1 : threads, load);
  if (stream_) stream_->finish();
}

at::Tensor Backbone::embed(const at::Tensor& ids) const { return at::embedding(table_, ids); }

at::Tensor Backbone::forward(const at::Tensor& vectors, const Pass& pass, KvCache& cache, const ComputeOptions& options,
                             const Probe& probe) const {
  at::Tensor x = vectors;
  Pass here = pass;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (x.device() != layer_devices_[i]) {
      x = x.to(layer_devices_[i]);
      here = pass.to(layer_devices_[i]);
    }
    const Probe layer_probe = probe ? with_prefix(probe, "layer" + std::to_string(i) + ".") : Probe();
    if (stream_) stream_->before(i);
    x = layers_[i]->forward(x, here, cache, options, layer_probe);
    if (stream_) stream_->after(i);
  }
  return x.to(vectors.device());
}

at::Tensor Backbone::logits(const at::Tensor& hidden) const { return head_(final_norm_(hidden)).to(at::kFloat); }

const Moe& Backbone::moe(std::size_t layer) const {
  const Moe* moe = layer < layers_.size() ? layers_[layer]->moe() : nullptr;
  if (moe == nullptr) throw Error("layer " + std::to_string(layer) + " has no experts");
  return *moe;
}

}  // namespace hunyuan_generate
