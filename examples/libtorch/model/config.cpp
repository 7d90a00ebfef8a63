// SPDX-License-Identifier: MIT
#include "model/config.hpp"

#include <cmath>  // llround

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t max_layers = 1024;
constexpr std::int64_t norm_groups = 32;

// Weights in e4m3 with a scale for each output or each tensor, which all of these methods store alike.
void refuse_other_than_e4m3(const JsonObject& quantisation) {
  const std::string method = quantisation.text("quant_method", "");
  if (method == "compressed-tensors") {
    quantisation.require("format", "float-quantized");
  } else if (method == "fp8") {
    if (quantisation.find("weight_block_size") != nullptr)
      quantisation.fail("weight_block_size", "is there: scales for blocks cannot be read, only for outputs or tensors");
  } else if (method != "fbgemm_fp8") {
    quantisation.fail("quant_method", "is '" + method + "'; only compressed-tensors, fp8 and fbgemm_fp8 can be read");
  }
}

void refuse_unsupported(const JsonObject& root) {
  root.require("use_qk_norm", true);
  root.require("use_rotary_pos_emb", true);
  root.require("use_mixed_mlp_moe", true);
  root.require("hidden_act", "silu");
  root.require("attention_bias", false);
  root.require("mlp_bias", false);
  root.require("group_limited_greedy", false);
  root.require("tie_word_embeddings", false);
  const Json* norm = root.find("norm_type");  // "hf_rms" is the same formula
  if (norm != nullptr && *norm != "rms" && *norm != "hf_rms")
    root.fail("norm_type", "is " + norm->dump() + "; only \"rms\" and \"hf_rms\" are supported");
  if (root.find("quantization_config") != nullptr) refuse_other_than_e4m3(root.at("quantization_config"));
  root.require("img_proj_type", "unet");
  root.require("patch_size", 1);
  root.require("rope_type", "2d");
  if (root.find("rope_scaling") != nullptr) root.at("rope_scaling").require("type", "custom");
}

std::vector<LayerConfig> read_layers(const JsonObject& root) {
  const std::int64_t count = root.size("num_hidden_layers");
  if (count > max_layers) root.fail("num_hidden_layers", "is above " + std::to_string(max_layers));
  const std::int64_t skipped = root.size("moe_layer_num_skipped", 0, 0);
  std::optional<std::int64_t> dense_width;
  if (root.find("intermediate_size") != nullptr) dense_width = root.size("intermediate_size");
  if (skipped > 0 && !dense_width) root.fail("intermediate_size", "is missing");

  const auto experts = root.per_layer("num_experts", count, std::nullopt);
  const auto topk = root.per_layer("moe_topk", count, 1);
  const auto width = root.per_layer("moe_intermediate_size", count, dense_width);
  const auto shared = root.per_layer("num_shared_expert", count, 1);
  std::vector<LayerConfig> layers;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    if (topk[i] > experts[i]) root.fail("moe_topk", "is larger than 'num_experts' in layer " + std::to_string(i));
    const bool dense = static_cast<std::int64_t>(i) < skipped;
    layers.push_back({dense, experts[i], topk[i], dense ? *dense_width : width[i], width[i] * shared[i]});
  }
  return layers;
}

VaeConfig read_vae(const JsonObject& section) {
  VaeConfig vae;
  vae.in_channels = section.size("in_channels", 3);
  vae.out_channels = section.size("out_channels", 3);
  vae.latent_channels = section.size("latent_channels");
  vae.block_out_channels = section.sizes("block_out_channels", 16);
  vae.layers_per_block = section.size("layers_per_block", std::nullopt, 0);
  vae.ffactor_spatial = section.size("ffactor_spatial");
  vae.ffactor_temporal = section.size("ffactor_temporal");
  vae.scaling_factor = section.positive("scaling_factor", 1);
  if (section.find("shift_factor") != nullptr) vae.shift_factor = section.number("shift_factor", 0);
  vae.downsample_match_channel = section.flag("downsample_match_channel", true);
  vae.upsample_match_channel = section.flag("upsample_match_channel", true);
  vae.only_encoder = section.flag("only_encoder", false);
  vae.only_decoder = section.flag("only_decoder", false);

  section.require_power_of_two("ffactor_spatial", vae.ffactor_spatial);
  section.require_power_of_two("ffactor_temporal", vae.ffactor_temporal);
  if (vae.ffactor_temporal > vae.ffactor_spatial) section.fail("ffactor_temporal", "is above 'ffactor_spatial'");
  const auto levels = vae.block_out_channels.size();
  if (levels >= 16 || (std::int64_t{1} << (levels - 1)) < vae.ffactor_spatial) {
    section.fail("block_out_channels", "has " + std::to_string(levels) + " levels, which cannot scale by " +
                                           std::to_string(vae.ffactor_spatial));
  }
  for (const std::int64_t channels : vae.block_out_channels) {
    section.require_multiple("block_out_channels", channels, norm_groups);
  }
  section.require_multiple("block_out_channels", vae.block_out_channels.back(), vae.latent_channels);
  return vae;
}

VisionConfig read_vision(const JsonObject& root) {
  const JsonObject vit = root.at("vit");
  const JsonObject aligner = root.at("vit_aligner");
  vit.require("hidden_act", "gelu_pytorch_tanh");
  aligner.require("projector_type", "mlp_gelu");
  VisionConfig vision;
  vision.hidden_size = vit.size("hidden_size");
  vision.layers = vit.size("num_hidden_layers");
  if (vision.layers > max_layers) vit.fail("num_hidden_layers", "is above " + std::to_string(max_layers));
  vision.heads = vit.size("num_attention_heads");
  vision.intermediate_size = vit.size("intermediate_size");
  vision.patch_size = vit.size("patch_size");
  vision.channels = vit.size("num_channels", 3);
  vision.layer_norm_eps = vit.positive("layer_norm_eps", 1e-6);
  vision.aligner_depth = aligner.size("depth", 2);
  if (vision.aligner_depth > max_layers) aligner.fail("depth", "is above " + std::to_string(max_layers));

  const std::int64_t patches = vit.size("num_patches", 256);
  vision.position_side = std::llround(std::sqrt(static_cast<double>(patches)));
  if (vision.position_side * vision.position_side != patches) vit.fail("num_patches", "is not a square number");
  vit.require_multiple("hidden_size", vision.hidden_size, vision.heads);
  if (root.find("vit_processor") != nullptr) vision.slots = root.at("vit_processor").size("max_num_patches", 1024);
  aligner.require("input_dim", vision.hidden_size);
  aligner.require("n_embed", root.size("hidden_size"));
  return vision;
}

void read_widths(const JsonObject& root, ModelConfig& config) {
  config.vocab_size = root.size("vocab_size");
  config.hidden_size = root.size("hidden_size");
  config.heads = root.size("num_attention_heads");
  config.key_value_heads = root.size("num_key_value_heads", config.heads);
  root.require_multiple("num_attention_heads", config.heads, config.key_value_heads);
  if (root.find("attention_head_dim") == nullptr)
    root.require_multiple("hidden_size", config.hidden_size, config.heads);
  config.head_dim = root.size("attention_head_dim", std::max<std::int64_t>(1, config.hidden_size / config.heads));
  root.require_multiple("attention_head_dim", config.head_dim, 2);
  config.patch_embed_hidden_dim = root.size("patch_embed_hidden_dim", 1024);
  root.require_multiple("hidden_size", config.hidden_size, norm_groups);
  root.require_multiple("patch_embed_hidden_dim", config.patch_embed_hidden_dim, norm_groups);
}

void read_image_side(const JsonObject& root, ModelConfig& config) {
  config.cfg_distilled = root.flag("cfg_distilled", false);
  config.use_meanflow = root.flag("use_meanflow", false);
  if (config.use_meanflow && !config.cfg_distilled) root.fail("use_meanflow", "needs 'cfg_distilled'");
  config.vae = read_vae(root.at("vae"));
  if (root.find("vit") != nullptr) config.vision = read_vision(root);
  if (root.find("vae_downsample_factor") != nullptr) {
    const auto factor = root.sizes("vae_downsample_factor", 2);
    if (factor.size() != 2) root.fail("vae_downsample_factor", "is not a pair of height and width");
    config.downsample_height = factor[0];
    config.downsample_width = factor[1];
    if (factor[0] != config.vae.ffactor_spatial || factor[1] != config.vae.ffactor_spatial) {
      root.fail("vae_downsample_factor",
                "is not the VAE's 'ffactor_spatial' of " + std::to_string(config.vae.ffactor_spatial));
    }
  }
}

}  // namespace

ModelConfig read_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = std::filesystem::is_regular_file(folder) ? folder : folder / "config.json";
  const Json json = read_json(path);
  const JsonObject root(json, path.string());
  refuse_unsupported(root);

  ModelConfig config;
  read_widths(root, config);
  config.layers = read_layers(root);
  config.rms_norm_eps = root.positive("rms_norm_eps", config.rms_norm_eps);
  config.rope_theta = root.positive("rope_theta", config.rope_theta);
  config.max_position_embeddings = root.size("max_position_embeddings", config.max_position_embeddings);
  config.model_version = root.text("model_version", "");
  config.conditioning_type = root.text("cond_image_type", config.conditioning_type);
  config.conditioning_attention = root.text("cond_token_attn_type", config.conditioning_attention);
  config.image_base_size = root.size("image_base_size", config.image_base_size);
  config.norm_topk_prob = root.flag("norm_topk_prob", true);
  // Some configurations write false for "not used".
  const Json* scaling = root.find("routed_scaling_factor");
  if (scaling != nullptr && *scaling != false) config.routed_scaling_factor = root.number("routed_scaling_factor", 1);
  config.moe_drop_tokens = root.flag("moe_drop_tokens", false);
  config.capacity_factor = root.positive("capacity_factor", 1);
  read_image_side(root, config);
  return config;
}

}  // namespace hunyuan_generate
