// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MODEL_HPP
#define HUNYUAN_GENERATE_MODEL_HPP

#include <ATen/ATen.h>  // Tensor

#include <memory>    // shared_ptr
#include <optional>  // optional
#include <vector>    // vector

#include "model/backbone.hpp"
#include "model/config.hpp"
#include "model/embedders.hpp"
#include "model/vae.hpp"
#include "model/vision.hpp"
#include "model/weights.hpp"

namespace hunyuan_generate {

/// How a checkpoint is loaded.
struct LoadOptions {
  at::Device device = at::kCPU;
  std::vector<at::Device> layer_devices;   ///< the decoder layers, in equal runs; none: all on `device`
  at::ScalarType dtype = at::kFloat;       ///< of everything but the autoencoder
  at::ScalarType vae_dtype = at::kFloat;   ///< of the autoencoder
  Precision precision = Precision::plain;  ///< of the decoder layers' products
  bool conditioning = true;                ///< also what conditioning images need, where the checkpoint has it
  bool image_encoder = false;              ///< the image encoder also without that
  std::size_t streamed_layers = 0;         ///< decoder layers that stay in host memory, see LayerStream
  std::size_t threads = 0;                 ///< that load layers; 0: one a core, at most four
  std::shared_ptr<const Parallel> parallel = Parallel::alone();  ///< the part of the model that is loaded
};

/// All networks of a checkpoint. Nothing in here changes after loading.
struct Model {
  /// Throws Error naming the tensor when one is missing or has a wrong shape.
  Model(const Checkpoint& checkpoint, const ModelConfig& config, const LoadOptions& options);

  [[nodiscard]] const Parallel& parallel() const noexcept { return *options.parallel; }

  ModelConfig config;
  LoadOptions options;
  Backbone backbone;
  ScalarEmbedder timestep_emb;  ///< the vector of the timestep token
  ScalarEmbedder time_embed;    ///< drives patch_embed
  ScalarEmbedder time_embed_2;  ///< drives final_layer
  std::optional<ScalarEmbedder> guidance_emb, timestep_r_emb;
  PatchEmbed patch_embed;
  FinalLayer final_layer;
  std::optional<VaeDecoder> vae_decoder;
  std::optional<VaeEncoder> vae_encoder;
  std::optional<VisionTower> vision;
};

/// Vectors that replace a sequence's token rows.
struct Overwrite {
  std::int64_t start;  ///< position of the first of them
  at::Tensor vectors;  ///< [1 or B, n, H]
};

/// Replaces rows of `vectors` [B, S, H] in place, in the type of `vectors`.
void overwrite(at::Tensor& vectors, const Overwrite& replacement);

/// The conditioning images of a sequence, in its order.
struct ConditioningImages {
  std::vector<at::Tensor> latents;  ///< each [1, C, h, w]: clean, scaled latents as they enter patch_embed
  at::Tensor vit_pixel_values;      ///< [images, M, 3 q q], see VisionTower::forward
  at::Tensor vit_grids, vit_mask;   ///< int64 [images, 2], [images, M]
};

/// Their vectors, at the positions that `layout` has for them. The probe gets time_embed_cond, timestep_emb_cond and
/// what VisionTower reports. Throws Error when the numbers of images and positions disagree or the checkpoint has no
/// vision tower.
std::vector<Overwrite> conditioning_vectors(const Model& model, const hunyuan_reso::TokenLayout& layout,
                                            const ConditioningImages& images, const Probe& probe);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MODEL_HPP
