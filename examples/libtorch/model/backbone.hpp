// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_BACKBONE_HPP
#define HUNYUAN_GENERATE_BACKBONE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>   // int64_t
#include <memory>    // unique_ptr
#include <mutex>     // mutex
#include <optional>  // optional
#include <vector>    // vector

#include "adapter/error.hpp"
#include "model/attention.hpp"
#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/moe.hpp"
#include "model/stream.hpp"
#include "model/threads.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Keys and values of every layer, a run of positions at a time. Keys are stored rotated and normed.
class KvCache {
 public:
  /// Zeros for `batch` rows of `length` tokens and this process's heads; `devices` names the device of every layer.
  KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t length, at::ScalarType dtype,
          const std::vector<at::Device>& devices, const Parallel& parallel = {})
      : length_(length) {
    const std::int64_t heads = parallel.tensor.part(config.key_value_heads, "key and value heads");
    for (const at::Device device : devices) {
      const auto zeros = [&] {
        return at::zeros({batch, heads, length, config.head_dim}, at::TensorOptions().dtype(dtype).device(device));
      };
      layers_.push_back({zeros(), zeros()});
    }
  }

  /// A layer's whole arrays, to write into.
  [[nodiscard]] const LayerCache& arrays(std::size_t layer) const { return layers_[layer]; }
  [[nodiscard]] std::int64_t length() const noexcept { return length_; }

  /// One row as a cache of its own, which writes into this one.
  [[nodiscard]] KvCache row(std::int64_t index) const {
    KvCache view;
    view.length_ = length_;
    for (const auto& [keys, values] : layers_) {
      view.layers_.push_back({keys.narrow(0, index, 1), values.narrow(0, index, 1)});
    }
    return view;
  }

  /// Takes the first `count` positions of another cache's only row over into all rows of this one.
  void take_prefix(const KvCache& from, std::int64_t count) {
    const auto copy = [&](const at::Tensor& to, const at::Tensor& source) {
      const at::Tensor part = to.narrow(2, 0, count);
      part.copy_(source.narrow(2, 0, count).expand_as(part));
    };
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      copy(layers_[layer].keys, from.layers_[layer].keys);
      copy(layers_[layer].values, from.layers_[layer].values);
    }
  }

 private:
  KvCache() = default;
  std::int64_t length_ = 0;
  std::vector<LayerCache> layers_;
};

/// What one pass through the layers needs besides its vectors; all on the model's device.
struct Pass {
  std::int64_t start;    ///< the tokens fed have the positions start .. start + n - 1
  RotaryTable rope;      ///< at these positions, [1, n, D]
  at::Tensor mask;       ///< bool [B or 1, 1, n, visible], true = may attend; undefined = everything visible
  std::int64_t visible;  ///< cache entries attended: 0 .. visible - 1
  /// In place of the mask, where not empty: who sees what, without a mask of everything.
  std::vector<AttentionSegment> segments{};

  /// The same on another device; no copy where it is there already.
  [[nodiscard]] Pass to(at::Device device) const {
    const auto move = [&](const at::Tensor& x) { return x.defined() ? x.to(device) : x; };
    Pass moved{start, {move(rope.cos), move(rope.sin)}, move(mask), visible, segments};
    for (AttentionSegment& segment : moved.segments) segment.mask = move(segment.mask);
    return moved;
  }
};

/// Choices that change how a pass is computed, but (except dropping) not its result.
struct ComputeOptions {
  ExpertPath experts = ExpertPath::sorted;
  bool drop_tokens = false;
};

/// One decoder layer.
class DecoderLayer {
 public:
  /// `loader` stands at "model.layers.{i}".
  DecoderLayer(const WeightLoader& loader, const ModelConfig& config, std::size_t index,
               Precision precision = Precision::plain)
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

  /// x [B, n, H] to the same shape. The probe gets query [B, A, n, D], key [B, K, n, D] (of this process's heads),
  /// attn_out, what Moe::forward reports, mlp_out and out.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Pass& pass, KvCache& cache, const ComputeOptions& options,
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

  /// The weights of its products but the router's: nearly all that it holds.
  [[nodiscard]] std::vector<at::Tensor*> weights() {
    std::vector<at::Tensor*> all = moe_ ? moe_->weights() : dense_->weights();
    for (at::Tensor* tensor : tensors_of({&qkv_, &out_})) all.push_back(tensor);
    return all;
  }

  /// The mixture, or a null pointer in a dense layer.
  [[nodiscard]] const Moe* moe() const noexcept { return moe_ ? &*moe_ : nullptr; }

 private:
  [[nodiscard]] at::Tensor attend(const Rows& x, std::int64_t batch, const Pass& pass, KvCache& cache,
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
      observe(probe, "key", cache.arrays(index_).keys.narrow(2, pass.start, tokens));
    }
    const at::Tensor rows =
        parallel_->sum(out_(heads_to_rows(attention(queries, cache.arrays(index_), segments), out_.form())));
    const at::Tensor out = rows.view({batch, tokens, rows.size(1)});
    observe(probe, "attn_out", out);
    return out;
  }

  std::size_t index_;
  std::shared_ptr<const Parallel> parallel_;
  std::int64_t heads_, groups_, width_;
  RmsNorm input_norm_, post_attention_norm_, query_norm_, key_norm_;
  Weight qkv_, out_;
  std::optional<Moe> moe_;
  std::optional<Mlp> dense_;
};

/// Token table, decoder layers and text head.
class Backbone {
 public:
  /// Reads "model.*" and "lm_head.weight"; `loader` has no prefix. The layers go to `layer_devices` in equal runs, in
  /// order; none = all to the loader's device, where the token table and the text head are in any case. `precision` is
  /// that of the layers' products; routers, norms, token table and text head stay as they are. `streamed` layers stay
  /// in host memory (see LayerStream); then the layers must be on one device. Layers are loaded by several threads.
  Backbone(const WeightLoader& loader, const ModelConfig& config, const std::vector<at::Device>& layer_devices = {},
           Precision precision = Precision::plain, std::size_t streamed = 0, std::size_t threads = 0)
      : table_(loader.at("model.wte").tensor("weight", {config.vocab_size, config.hidden_size})),
        final_norm_(loader.at("model.ln_f"), config.hidden_size, config.rms_norm_eps),
        head_(loader.at("lm_head"), config.vocab_size, config.hidden_size, false) {
    const std::size_t count = config.layers.size();
    for (std::size_t i = 0; i < count; ++i) {
      layer_devices_.push_back(layer_devices.empty() ? loader.device()
                                                     : layer_devices[i * layer_devices.size() / count]);
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

  /// Rows of the token table: int64 [B, n] to [B, n, H]. Ids must be in the vocabulary.
  [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const { return at::embedding(table_, ids); }
  /// Through all layers: [B, n, H] to [B, n, H], not normalised. With a grouped or every_expert path nothing in here
  /// waits for the device, and all shapes depend on the shapes given only.
  [[nodiscard]] at::Tensor forward(const at::Tensor& vectors, const Pass& pass, KvCache& cache,
                                   const ComputeOptions& options, const Probe& probe) const {
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

  /// Text head: final norm and vocabulary product, [.., H] to float32 [.., V].
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const { return head_(final_norm_(hidden)).to(at::kFloat); }

  /// The mixture of a layer; throws Error when the layer is dense or does not exist.
  [[nodiscard]] const Moe& moe(std::size_t layer) const {
    const Moe* moe = layer < layers_.size() ? layers_[layer]->moe() : nullptr;
    if (moe == nullptr) throw Error("layer " + std::to_string(layer) + " has no experts");
    return *moe;
  }

  [[nodiscard]] at::ScalarType dtype() const { return table_.scalar_type(); }
  [[nodiscard]] at::Device device() const { return table_.device(); }
  /// The device of every layer.
  [[nodiscard]] const std::vector<at::Device>& layer_devices() const noexcept { return layer_devices_; }
  /// Bytes of weights in host memory that every pass copies; 0: no layer is streamed.
  [[nodiscard]] std::int64_t streamed_bytes() const noexcept { return stream_ ? stream_->host_bytes() : 0; }

 private:
  at::Tensor table_;  // [V, H]
  std::vector<at::Device> layer_devices_;
  std::vector<std::unique_ptr<DecoderLayer>> layers_;
  std::unique_ptr<LayerStream> stream_;
  RmsNorm final_norm_;
  Linear head_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_BACKBONE_HPP
