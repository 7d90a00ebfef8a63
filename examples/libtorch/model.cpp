// SPDX-License-Identifier: MIT
#include "model.hpp"

#include "error.hpp"

namespace hunyuan_generate {
namespace {

// Vectors of all images in a row, [n, tokens, H] or several of these, as rows of a sequence with `positions` [B, m].
// One set of images serves every row; a set for each row is told apart by its size.
at::Tensor as_rows(const at::Tensor& vectors, const at::Tensor& positions, const char* what) {
  const at::Tensor flat = vectors.reshape({-1, vectors.size(-1)});
  const std::int64_t rows = positions.size(0), tokens = positions.size(1);
  if (flat.size(0) == tokens) return flat.unsqueeze(0);
  if (flat.size(0) == rows * tokens) return flat.view({rows, tokens, flat.size(1)});
  throw Error(std::string(what) + " of the conditioning images give " + std::to_string(flat.size(0)) + " vectors for " +
              std::to_string(tokens) + " tokens");
}

}  // namespace

Model::Model(const Checkpoint& checkpoint, const ModelConfig& model_config, const LoadOptions& load_options)
    : config(model_config),
      options(load_options),
      backbone(WeightLoader(checkpoint, options.dtype, options.device), config, options.layer_devices),
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
  if (!options.conditioning) return;
  if (!config.vae.only_decoder) vae_encoder.emplace(vae_loader, config.vae);
  if (config.vision) vision.emplace(loader, *config.vision, config.hidden_size);
}

void overwrite(at::Tensor& vectors, const Overwrite& replacement) {
  const std::vector<std::int64_t> shape{vectors.size(0), replacement.positions.size(1), vectors.size(2)};
  const at::Tensor index = replacement.positions.unsqueeze(-1).expand(shape);
  vectors.scatter_(1, index, replacement.vectors.to(vectors.scalar_type()).expand(shape));
}

std::vector<Overwrite> conditioning_vectors(const Model& model, const ConditioningImages& images, const Probe& probe) {
  std::vector<Overwrite> result;
  const auto zero = at::zeros({1}, at::TensorOptions().dtype(at::kFloat).device(model.options.device));
  if (images.vae_positions.defined()) {
    const at::Tensor embedding = model.time_embed(zero);
    observe(probe, "time_embed_cond", embedding);
    std::vector<at::Tensor> vectors;
    for (const at::Tensor& latents : images.latents) {
      vectors.push_back(model.patch_embed(latents, embedding).flatten(0, 1));
    }
    if (vectors.empty()) throw Error("the sequence has tokens of conditioning images, but no latents are given");
    result.push_back({images.vae_positions, as_rows(at::cat(vectors), images.vae_positions, "the latents")});
  }
  if (images.timestep_positions.defined()) {
    const at::Tensor token = model.timestep_emb(zero);
    observe(probe, "timestep_emb_cond", token);
    result.push_back(
        {images.timestep_positions, token.unsqueeze(0).expand({1, images.timestep_positions.size(1), -1})});
  }
  if (images.vit_positions.defined()) {
    if (!model.vision) throw Error("the sequence has tokens of a vision tower, but the checkpoint has none");
    const at::Tensor vectors = model.vision->forward(images.vit_pixel_values, images.vit_grids, images.vit_mask, probe);
    result.push_back({images.vit_positions, as_rows(vectors, images.vit_positions, "the patches")});
  }
  return result;
}

}  // namespace hunyuan_generate
