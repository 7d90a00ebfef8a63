// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_CONFIG_HPP
#define HUNYUAN_GENERATE_CONFIG_HPP

#include <cstdint>     // int64_t
#include <filesystem>  // path
#include <optional>    // optional
#include <string>      // string
#include <vector>      // vector

namespace hunyuan_generate {

/// What one decoder layer has after its attention.
struct LayerConfig {
  bool dense = false;             ///< one MLP of width `expert_width` instead of experts
  std::int64_t experts = 0;       ///< E
  std::int64_t topk = 0;          ///< k, experts a token is sent to
  std::int64_t expert_width = 0;  ///< I
  std::int64_t shared_width = 0;  ///< I times the number of shared experts
};

/// Autoencoder between pixels and latents.
struct VaeConfig {
  std::int64_t in_channels = 3, out_channels = 3, latent_channels = 0;
  std::vector<std::int64_t> block_out_channels;  ///< in the order of the encoder, high resolution first
  std::int64_t layers_per_block = 0;
  std::int64_t ffactor_spatial = 0, ffactor_temporal = 0;  ///< powers of two
  double scaling_factor = 1;
  std::optional<double> shift_factor;
  bool downsample_match_channel = true, upsample_match_channel = true;
  bool only_encoder = false, only_decoder = false;  ///< which half the checkpoint lacks
};

/// Vision tower for conditioning images.
struct VisionConfig {
  std::int64_t hidden_size = 0, layers = 0, heads = 0, intermediate_size = 0;
  std::int64_t patch_size = 0, channels = 3;
  std::int64_t slots = 1024;       ///< patches of an image, padding included
  std::int64_t position_side = 0;  ///< side of the square table of positions
  double layer_norm_eps = 1e-6;
  std::int64_t aligner_depth = 2;  ///< linear layers between tower and backbone
};

/// The part of a checkpoint's config.json that changes the computation.
struct ModelConfig {
  std::int64_t vocab_size = 0, hidden_size = 0, heads = 0, key_value_heads = 0, head_dim = 0;
  std::vector<LayerConfig> layers;
  double rms_norm_eps = 1e-5, rope_theta = 10000;
  std::int64_t max_position_embeddings = 22800;
  bool norm_topk_prob = true;
  double routed_scaling_factor = 1;  ///< only used when `norm_topk_prob` is false or a layer's `topk` is 1
  bool moe_drop_tokens = false;
  double capacity_factor = 1;
  bool cfg_distilled = false, use_meanflow = false;
  std::int64_t patch_embed_hidden_dim = 1024;
  std::int64_t image_base_size = 1024;                         ///< base size of the checkpoint's images
  std::int64_t downsample_height = 16, downsample_width = 16;  ///< pixels a token covers
  std::string model_version;                                   ///< empty in the first release
  std::string conditioning_type = "vae_vit", conditioning_attention = "joint_full";
  VaeConfig vae;
  std::optional<VisionConfig> vision;  ///< absent when the checkpoint has no vision tower

  /// Scalar tokens in front of the image tokens: timestep, then guidance and timestep_r where configured.
  [[nodiscard]] std::int64_t scalar_tokens() const noexcept {
    return 1 + (cfg_distilled ? 1 : 0) + (use_meanflow ? 1 : 0);
  }
};

/// Reads and checks `folder`/config.json, or that file if `folder` is one. Throws Error naming the key when a value is
/// missing, has the wrong type, is out of range, or asks for something this program does not compute.
ModelConfig read_config(const std::filesystem::path& folder);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_CONFIG_HPP
