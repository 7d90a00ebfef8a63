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
                 const std::vector<at::Device>& devices, const Parallel& parallel)
    : length_(length) {
  const std::int64_t heads = parallel.tensor.part(config.key_value_heads, "key and value heads");
  for (const at::Device device : devices) {
    const auto options = at::TensorOptions().dtype(dtype).device(device);
    keys_.push_back(at::zeros({batch, heads, length, config.head_dim}, options));
    values_.push_back(at::zeros({batch, heads, length, config.head_dim}, options));
  }
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

DecoderLayer::DecoderLayer(const WeightLoader& loader, const ModelConfig& config, std::size_t index,
                           Precision precision)
    : index_(index),
      parallel_(loader.parallel()),
      heads_(parallel_->tensor.part(config.heads, "attention heads")),
      groups_(parallel_->tensor.part(config.key_value_heads, "key and value heads")),
      width_(config.head_dim),
      input_norm_(loader.at("input_layernorm"), config.hidden_size, config.rms_norm_eps),
      post_attention_norm_(loader.at("post_attention_layernorm"), config.hidden_size, config.rms_norm_eps),
      query_norm_(loader.at("self_attn.query_layernorm"), config.head_dim, config.rms_norm_eps),
      key_norm_(loader.at("self_attn.key_layernorm"), config.head_dim, config.rms_norm_eps),
      qkv_(loader.at("self_attn.qkv_proj").split(0), "weight",
           {(config.heads + 2 * config.key_value_heads) * width_, config.hidden_size}, precision),
      out_(loader.at("self_attn.o_proj").split(1), "weight", {config.hidden_size, config.heads * width_}, precision) {
  const LayerConfig& layer = config.layers[index];
  if (layer.dense) {
    dense_.emplace(loader.at("mlp"), config.hidden_size, layer.expert_width, precision);
  } else {
    moe_.emplace(loader.at("mlp"), config, layer, precision);
  }
}

at::Tensor DecoderLayer::attend(const Rows& x, std::int64_t batch, const Pass& pass, KvCache& cache,
                                const Probe& probe) const {
  const std::int64_t tokens = x.count() / batch;
  // Packed by key head: each group holds its query heads, one key head and one value head.
  const at::Tensor packed = qkv_(x).view({batch, tokens, groups_, heads_ / groups_ + 2, width_});
  std::vector<AttentionSegment> segments = pass.segments;
  if (segments.empty()) segments.push_back({0, tokens, pass.visible, pass.mask});
  const std::vector<at::Tensor> queries =
      rotate_norm_store(packed, pass.rope, {query_norm_.weight(), key_norm_.weight(), query_norm_.eps()},
                        cache.arrays(index_), pass.start, segments);
  if (probe) {
    observe(probe, "query", at::cat(queries, 2));
    observe(probe, "key", cache.keys(index_, cache.length()).narrow(2, pass.start, tokens));
  }
  const at::Tensor rows =
      parallel_->sum(out_(heads_to_rows(attention(queries, cache.arrays(index_), segments), out_.form())));
  const at::Tensor out = rows.view({batch, tokens, rows.size(1)});
  observe(probe, "attn_out", out);
  return out;
}

at::Tensor DecoderLayer::forward(const at::Tensor& x, const Pass& pass, KvCache& cache, const ComputeOptions& options,
                                 const Probe& probe) const {
  const Rows normed = input_norm_.add(x, {}, qkv_.form()).normed;
  const at::Tensor attended = attend(normed, x.size(0), pass, cache, probe);
  const NormedSum second = post_attention_norm_.add(x, attended, moe_ ? moe_->form() : dense_->form());
  if (!probe && moe_) return moe_->forward(second.normed, options.experts, options.drop_tokens, probe, second.sum);
  const at::Tensor mixed = moe_ ? moe_->forward(second.normed, options.experts, options.drop_tokens, probe)
                                : parallel_->sum((*dense_)(second.normed)).view(x.sizes());
  observe(probe, "mlp_out", mixed);
  const at::Tensor out = second.sum + mixed;
  observe(probe, "out", out);
  return out;
}

std::vector<at::Tensor*> DecoderLayer::weights() {
  std::vector<at::Tensor*> all = moe_ ? moe_->weights() : dense_->weights();
  for (at::Tensor* tensor : tensors_of({&qkv_, &out_})) all.push_back(tensor);
  return all;
}

Backbone::Backbone(const WeightLoader& loader, const ModelConfig& config, const std::vector<at::Device>& layer_devices,
                   Precision precision, std::size_t streamed, std::size_t threads)
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
    layers_[i] = std::make_unique<DecoderLayer>(loader.at("model.layers." + std::to_string(i)).on(layer_devices_[i]),
                                                config, i, precision);
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
