// SPDX-License-Identifier: MIT
#include "model/model.hpp"

#include "adapter/error.hpp"

namespace hunyuan_generate {
Model::Model(const Checkpoint& checkpoint, const ModelConfig& model_config, const LoadOptions& load_options)
    : config(model_config),
      options(load_options),
      backbone(WeightLoader(checkpoint, options.dtype, options.device, options.parallel), config, options.layer_devices,
               options.precision, options.streamed_layers, options.threads),
      timestep_emb(WeightLoader(checkpoint, options.dtype, options.device).at("timestep_emb"), config.hidden_size),
      time_embed(WeightLoader(checkpoint, options.dtype, options.device).at("time_embed"), config.hidden_size),
      time_embed_2(WeightLoader(checkpoint, options.dtype, options.device).at("time_embed_2"), config.hidden_size),
      patch_embed(WeightLoader(checkpoint, options.dtype, options.device).at("patch_embed"), config),
      final_layer(WeightLoader(checkpoint, options.dtype, options.device).at("final_layer"), config) {
  const WeightLoader loader(checkpoint, options.dtype, options.device);
  if (config.cfg_distilled) guidance_emb.emplace(loader.at("guidance_emb"), config.hidden_size);
  if (config.use_meanflow) timestep_r_emb.emplace(loader.at("timestep_r_emb"), config.hidden_size);
  const WeightLoader vae_loader = loader.as(options.vae_dtype);
  if (!config.vae.only_encoder) vae_decoder.emplace(vae_loader, config.vae);
  const bool encodes = options.conditioning || options.image_encoder;
  if (encodes && !config.vae.only_decoder) vae_encoder.emplace(vae_loader, config.vae);
  if (options.conditioning && config.vision) vision.emplace(loader, *config.vision, config.hidden_size);
}

void overwrite(at::Tensor& vectors, const Overwrite& replacement) {
  at::Tensor rows = vectors.narrow(1, replacement.start, replacement.vectors.size(1));
  rows.copy_(replacement.vectors.expand_as(rows));
}

std::vector<Overwrite> conditioning_vectors(const Model& model, const hunyuan_reso::TokenLayout& layout,
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
