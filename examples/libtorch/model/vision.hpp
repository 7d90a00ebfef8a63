// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VISION_HPP
#define HUNYUAN_GENERATE_VISION_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "adapter/error.hpp"
#include "model/attention.hpp"
#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// One layer of the vision tower.
class VisionLayer {
 public:
  /// `loader` stands at "vision_model.encoder.layers.{i}".
  VisionLayer(const WeightLoader& loader, const VisionConfig& config)
      : heads_(config.heads),
        norm1_(loader.at("layer_norm1"), config.hidden_size, config.layer_norm_eps),
        norm2_(loader.at("layer_norm2"), config.hidden_size, config.layer_norm_eps),
        q_(loader.at("self_attn.q_proj"), config.hidden_size, config.hidden_size, true),
        k_(loader.at("self_attn.k_proj"), config.hidden_size, config.hidden_size, true),
        v_(loader.at("self_attn.v_proj"), config.hidden_size, config.hidden_size, true),
        out_(loader.at("self_attn.out_proj"), config.hidden_size, config.hidden_size, true),
        fc1_(loader.at("mlp.fc1"), config.intermediate_size, config.hidden_size, true),
        fc2_(loader.at("mlp.fc2"), config.hidden_size, config.intermediate_size, true) {}
  /// x [n, M, m]; mask bool [n, 1, 1, M], true at the slots that may be attended.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& mask) const {
    const at::Tensor attended = x + attend(norm1_(x), mask);
    return attended + fc2_(at::gelu(fc1_(norm2_(attended)), "tanh"));
  }

 private:
  [[nodiscard]] at::Tensor attend(const at::Tensor& x, const at::Tensor& mask) const {
    const auto heads = [&](const at::Tensor& y) {
      return y.unflatten(-1, {heads_, y.size(-1) / heads_}).transpose(1, 2);
    };
    // Only keys are masked: padded queries still produce values.
    const at::Tensor mixed = attention(heads(q_(x)), heads(k_(x)), heads(v_(x)), mask);
    return out_(mixed.transpose(1, 2).flatten(2));
  }

  std::int64_t heads_;
  LayerNorm norm1_, norm2_;
  Linear q_, k_, v_, out_, fc1_, fc2_;
};

/// SigLIP2 tower and the aligner behind it: patches of conditioning images to vectors of the sequence.
class VisionTower {
 public:
  /// Reads "vision_model.*" (without the pooling head) and "vision_aligner.*"; `loader` has no prefix. `hidden_size` is
  /// the backbone's.
  VisionTower(const WeightLoader& loader, const VisionConfig& config, std::int64_t hidden_size)
      : config_(config),
        patch_(loader.at("vision_model.embeddings.patch_embedding"), config.hidden_size,
               config.channels * config.patch_size * config.patch_size, true),
        post_norm_(loader.at("vision_model.post_layernorm"), config.hidden_size, config.layer_norm_eps) {
    const std::int64_t side = config.position_side;
    position_table_ = loader.as(at::kFloat)
                          .at("vision_model.embeddings.position_embedding")
                          .tensor("weight", {side * side, config.hidden_size})
                          .t()
                          .reshape({1, config.hidden_size, side, side});
    for (std::int64_t i = 0; i < config.layers; ++i) {
      layers_.emplace_back(loader.at("vision_model.encoder.layers." + std::to_string(i)), config);
    }
    for (std::int64_t i = 0; i < config.aligner_depth; ++i) {
      const std::int64_t in = i == 0 ? config.hidden_size : hidden_size;
      aligner_.emplace_back(loader.at("vision_aligner.layers." + std::to_string(2 * i)), hidden_size, in, true);
    }
  }

  /// pixel_values [n, M, channels q q]: flattened patches, the true grid row by row first, zeros after; grids int64
  /// [n, 2] on the CPU: height and width in patches, at most M together; mask [n, M], nonzero at the true patches.
  /// Returns [n, M, H], padded slots included. The probe gets vit_embeddings, vit_last_hidden and vit_aligned.
  [[nodiscard]] at::Tensor forward(const at::Tensor& pixel_values, const at::Tensor& grids, const at::Tensor& mask,
                                   const Probe& probe) const {
    const at::Tensor projected = patch_(pixel_values);
    const at::Tensor host = grids.to(at::kCPU, at::kLong).contiguous();
    std::vector<at::Tensor> rows;
    for (std::int64_t i = 0; i < host.size(0); ++i) {
      const auto* grid = host.data_ptr<std::int64_t>() + 2 * i;
      rows.push_back(positions(grid[0], grid[1], projected.size(1)));
    }
    at::Tensor x = projected + at::stack(rows).to(projected.scalar_type());
    observe(probe, "vit_embeddings", x);

    const at::Tensor visible = mask.to(x.device()).ne(0).unsqueeze(1).unsqueeze(1);
    for (const VisionLayer& layer : layers_) x = layer(x, visible);
    x = post_norm_(x);
    observe(probe, "vit_last_hidden", x);
    for (std::size_t i = 0; i < aligner_.size(); ++i) x = aligner_[i](i == 0 ? x : at::gelu(x));
    observe(probe, "vit_aligned", x);
    return x;
  }

 private:
  [[nodiscard]] at::Tensor positions(std::int64_t height, std::int64_t width, std::int64_t slots) const {
    if (height < 1 || width < 1 || height > slots || width > slots / height) {
      throw Error("a patch grid of " + std::to_string(height) + " x " + std::to_string(width) + " does not fit " +
                  std::to_string(slots) + " slots");
    }
    const at::Tensor resized = at::_upsample_bilinear2d_aa(position_table_, {height, width}, /*align_corners=*/false);
    const at::Tensor laid = resized.squeeze(0).flatten(1).t();
    // Slots behind the grid carry the first entry.
    return at::cat({laid, laid.narrow(0, 0, 1).expand({slots - height * width, -1})});
  }

  VisionConfig config_;
  Linear patch_;
  at::Tensor position_table_;  // [1, m, side, side], float32
  std::vector<VisionLayer> layers_;
  LayerNorm post_norm_;
  std::vector<Linear> aligner_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VISION_HPP
