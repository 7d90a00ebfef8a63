// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_MODEL_HPP
#define HUNYUAN_GENERATE_MODEL_HPP

#include <ATen/ATen.h>  // Tensor

#include <memory>    // shared_ptr
#include <optional>  // optional
#include <vector>    // vector

#include "adapter/error.hpp"
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

  [[nodiscard]] std::vector<at::Device> devices() const {
    return layer_devices.empty() ? std::vector<at::Device>{device} : layer_devices;
  }
};

/// All networks of a checkpoint. Nothing in here changes after loading.
struct Model {
  /// Throws Error naming the tensor when one is missing or has a wrong shape.
  Model(const Checkpoint& checkpoint, const ModelConfig& model_config, const LoadOptions& load)
      : Model(WeightLoader(checkpoint, load.dtype, load.device, load.parallel), model_config, load) {}

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

 private:
  Model(const WeightLoader& loader, const ModelConfig& model_config, const LoadOptions& load)
      : config(model_config),
        options(load),
        backbone(loader, config, options.layer_devices, options.precision, options.streamed_layers, options.threads),
        timestep_emb(loader.at("timestep_emb"), config.hidden_size),
        time_embed(loader.at("time_embed"), config.hidden_size),
        time_embed_2(loader.at("time_embed_2"), config.hidden_size),
        patch_embed(loader.at("patch_embed"), config),
        final_layer(loader.at("final_layer"), config) {
    if (config.cfg_distilled) guidance_emb.emplace(loader.at("guidance_emb"), config.hidden_size);
    if (config.use_meanflow) timestep_r_emb.emplace(loader.at("timestep_r_emb"), config.hidden_size);
    const WeightLoader vae_loader = loader.as(options.vae_dtype);
    if (!config.vae.only_encoder) vae_decoder.emplace(vae_loader, config.vae);
    const bool encodes = options.conditioning || options.image_encoder;
    if (encodes && !config.vae.only_decoder) vae_encoder.emplace(vae_loader, config.vae);
    if (options.conditioning && config.vision) vision.emplace(loader, *config.vision, config.hidden_size);
  }
};

/// Vectors that replace a sequence's token rows.
struct Overwrite {
  std::int64_t start;  ///< position of the first of them
  at::Tensor vectors;  ///< [1 or B, n, H]
};

/// Replaces rows of `vectors` [B, S, H] in place, in the type of `vectors`.
inline void overwrite(at::Tensor& vectors, const Overwrite& replacement) {
  at::Tensor rows = vectors.narrow(1, replacement.start, replacement.vectors.size(1));
  rows.copy_(replacement.vectors.expand_as(rows));
}

/// The conditioning images of a sequence, in its order.
struct ConditioningImages {
  std::vector<at::Tensor> latents;  ///< each [1, C, h, w]: clean, scaled latents as they enter patch_embed
  at::Tensor vit_pixel_values;      ///< [images, M, 3 q q], see VisionTower::forward
  at::Tensor vit_grids, vit_mask;   ///< int64 [images, 2], [images, M]
};

/// Their vectors, at the positions that `layout` has for them. The probe gets time_embed_cond, timestep_emb_cond and
/// what VisionTower reports. Throws Error when the numbers of images and positions disagree or the checkpoint has no
/// vision tower.
inline std::vector<Overwrite> conditioning_vectors(const Model& model, const hunyuan_reso::TokenLayout& layout,
                                                   const ConditioningImages& images, const Probe& probe) {
  using hunyuan_reso::ImageRunKind;
  std::vector<Overwrite> result;
  const auto place = [&](hunyuan_reso::Slice slice, const at::Tensor& vectors, const char* what) {
    if (vectors.size(1) != slice.length()) {
      throw Error(std::string(what) + " of a conditioning image give " + std::to_string(vectors.size(1)) +
                  " vectors for " + std::to_string(slice.length()) + " tokens");
    }
    result.push_back({slice.start, vectors});
  };
  const auto vae = layout.image_slices(ImageRunKind::vae), vit = layout.image_slices(ImageRunKind::vit);
  if (vae.size() != images.latents.size()) {
    throw Error("the sequence has " + std::to_string(vae.size()) + " conditioning images for " +
                std::to_string(images.latents.size()) + " latents");
  }
  const auto zero = at::zeros({1}, at::TensorOptions().dtype(at::kFloat).device(model.options.device));
  if (!vae.empty()) {
    const at::Tensor embedding = model.time_embed(zero);
    observe(probe, "time_embed_cond", embedding);
    for (std::size_t i = 0; i < vae.size(); ++i)
      place(vae[i], model.patch_embed(images.latents[i], embedding), "the latents");
  }
  if (!layout.cond_timestep_positions.empty()) {
    const at::Tensor token = model.timestep_emb(zero);
    observe(probe, "timestep_emb_cond", token);
    for (const std::int32_t position : layout.cond_timestep_positions) result.push_back({position, token.unsqueeze(0)});
  }
  if (!vit.empty()) {
    if (!model.vision) throw Error("the sequence has tokens of a vision tower, but the checkpoint has none");
    const at::Tensor vectors = model.vision->forward(images.vit_pixel_values, images.vit_grids, images.vit_mask, probe);
    if (vectors.size(0) != static_cast<std::int64_t>(vit.size())) throw Error("not one row of patches for each image");
    for (std::size_t i = 0; i < vit.size(); ++i) {
      const std::int64_t tokens = std::min<std::int64_t>(vit[i].length(), vectors.size(1));
      place(vit[i], vectors.narrow(0, static_cast<std::int64_t>(i), 1).narrow(1, 0, tokens), "the patches");
    }
  }
  return result;
}

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_MODEL_HPP
