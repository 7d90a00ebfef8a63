// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_VISION_HPP
#define HUNYUAN_GENERATE_VISION_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "model/config.hpp"
#include "model/modules.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// One layer of the vision tower.
class VisionLayer {
 public:
  /// `loader` stands at "vision_model.encoder.layers.{i}".
  VisionLayer(const WeightLoader& loader, const VisionConfig& config);
  /// x [n, M, m]; mask bool [n, 1, 1, M], true at the slots that may be attended.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& mask) const;

 private:
  [[nodiscard]] at::Tensor attend(const at::Tensor& x, const at::Tensor& mask) const;

  std::int64_t heads_;
  LayerNorm norm1_, norm2_;
  Linear q_, k_, v_, out_, fc1_, fc2_;
};

/// SigLIP2 tower and the aligner behind it: patches of conditioning images to vectors of the sequence.
class VisionTower {
 public:
  /// Reads "vision_model.*" (without the pooling head) and "vision_aligner.*"; `loader` has no prefix. `hidden_size` is
  /// the backbone's.
  VisionTower(const WeightLoader& loader, const VisionConfig& config, std::int64_t hidden_size);

  /// pixel_values [n, M, channels q q]: flattened patches, the true grid row by row first, zeros after; grids int64
  /// [n, 2] on the CPU: height and width in patches, at most M together; mask [n, M], nonzero at the true patches.
  /// Returns [n, M, H], padded slots included. The probe gets vit_embeddings, vit_last_hidden and vit_aligned.
  [[nodiscard]] at::Tensor forward(const at::Tensor& pixel_values, const at::Tensor& grids, const at::Tensor& mask,
                                   const Probe& probe) const;

 private:
  [[nodiscard]] at::Tensor positions(std::int64_t height, std::int64_t width, std::int64_t slots) const;

  VisionConfig config_;
  Linear patch_;
  at::Tensor position_table_;  // [1, m, side, side], float32
  std::vector<VisionLayer> layers_;
  LayerNorm post_norm_;
  std::vector<Linear> aligner_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_VISION_HPP
