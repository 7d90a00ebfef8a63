// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_BACKBONE_HPP
#define HUNYUAN_GENERATE_BACKBONE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>   // int64_t
#include <memory>    // unique_ptr
#include <optional>  // optional
#include <vector>    // vector

#include "model/attention.hpp"
#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/moe.hpp"
#include "model/rope.hpp"
#include "model/stream.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// Keys and values of every layer, a run of positions at a time. Keys are stored rotated and normed.
class KvCache {
 public:
  /// Zeros for `batch` rows of `length` tokens and this process's heads; `devices` names the device of every layer.
  KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t length, at::ScalarType dtype,
          const std::vector<at::Device>& devices, const Parallel& parallel = {});

  /// A layer's whole arrays, to write into.
  [[nodiscard]] LayerCache arrays(std::size_t layer) const { return {keys_[layer], values_[layer]}; }
  /// Entries 0 .. visible - 1 of a layer, [B, K, visible, D].
  [[nodiscard]] at::Tensor keys(std::size_t layer, std::int64_t visible) const;
  [[nodiscard]] at::Tensor values(std::size_t layer, std::int64_t visible) const;
  [[nodiscard]] std::int64_t length() const noexcept { return length_; }

  /// One row as a cache of its own, which writes into this one.
  [[nodiscard]] KvCache row(std::int64_t index) const;
  /// Takes the first `count` positions of another cache's only row over into all rows of this one.
  void take_prefix(const KvCache& from, std::int64_t count);

 private:
  KvCache() = default;
  std::int64_t length_ = 0;
  std::vector<at::Tensor> keys_, values_;
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
  [[nodiscard]] Pass to(at::Device device) const;
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
               Precision precision = Precision::plain);

  /// x [B, n, H] to the same shape. The probe gets query [B, A, n, D], key [B, K, n, D] (of this process's heads),
  /// attn_out, what Moe::forward reports, mlp_out and out.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Pass& pass, KvCache& cache, const ComputeOptions& options,
                                   const Probe& probe) const;

  /// The weights of its products but the router's: nearly all that it holds.
  [[nodiscard]] std::vector<at::Tensor*> weights();
  /// The mixture, or a null pointer in a dense layer.
  [[nodiscard]] const Moe* moe() const noexcept { return moe_ ? &*moe_ : nullptr; }

 private:
  [[nodiscard]] at::Tensor attend(const Rows& x, std::int64_t batch, const Pass& pass, KvCache& cache,
                                  const Probe& probe) const;

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
           Precision precision = Precision::plain, std::size_t streamed = 0, std::size_t threads = 0);

  /// Rows of the token table: int64 [B, n] to [B, n, H]. Ids must be in the vocabulary.
  [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const;
  /// Through all layers: [B, n, H] to [B, n, H], not normalised. With a grouped or every_expert path nothing in here
  /// waits for the device, and all shapes depend on the shapes given only.
  [[nodiscard]] at::Tensor forward(const at::Tensor& vectors, const Pass& pass, KvCache& cache,
                                   const ComputeOptions& options, const Probe& probe) const;
  /// Text head: final norm and vocabulary product, [.., H] to float32 [.., V].
  [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const;

  /// The mixture of a layer; throws Error when the layer is dense or does not exist.
  [[nodiscard]] const Moe& moe(std::size_t layer) const;

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
