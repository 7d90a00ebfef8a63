// SPDX-License-Identifier: MIT
#include "config.hpp"

#include <cmath>    // isfinite
#include <fstream>  // ifstream
#include <nlohmann/json.hpp>

#include "error.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

// Far above every published size, and small enough that products of three of them do not overflow.
constexpr std::int64_t max_size = std::int64_t{1} << 20U;
constexpr std::int64_t max_layers = 1024;
constexpr std::int64_t norm_groups = 32;

// One object of the file together with the name of where it stands, for messages.
class Section {
 public:
  Section(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) throw Error(where_ + " is not a JSON object");
  }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    throw Error(where_ + ": '" + key + "' " + why);
  }

  // The value, or a null pointer when the key is absent or null.
  const Json* find(const std::string& key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::int64_t size(const std::string& key, std::optional<std::int64_t> fallback = std::nullopt,
                    std::int64_t minimum = 1) const {
    const Json* value = find(key);
    if (value == nullptr) {
      if (!fallback) fail(key, "is missing");
      return *fallback;
    }
    return to_size(*value, key, minimum);
  }

  std::int64_t to_size(const Json& value, const std::string& key, std::int64_t minimum = 1) const {
    const bool good = value.is_number_integer() && value <= max_size && value >= minimum;
    if (!good)
      fail(key, "is " + value.dump() + ", not an integer from " + std::to_string(minimum) + " to " +
                    std::to_string(max_size));
    return value.get<std::int64_t>();
  }

  std::vector<std::int64_t> sizes(const std::string& key, std::size_t at_most) const {
    const Json* value = find(key);
    if (value == nullptr || !value->is_array() || value->empty() || value->size() > at_most) {
      fail(key, "is not a list of 1 to " + std::to_string(at_most) + " sizes");
    }
    std::vector<std::int64_t> list;
    for (const Json& item : *value) list.push_back(to_size(item, key));
    return list;
  }

  // A value for every layer, from an int (the same for all) or a list with one entry a layer. Null means `fallback`.
  std::vector<std::int64_t> per_layer(const std::string& key, std::int64_t layers,
                                      std::optional<std::int64_t> fallback) const {
    const Json* value = find(key);
    if (value == nullptr || !value->is_array()) {
      return std::vector<std::int64_t>(static_cast<std::size_t>(layers), size(key, fallback));
    }
    if (value->size() != static_cast<std::size_t>(layers)) {
      fail(key, "has " + std::to_string(value->size()) + " entries for " + std::to_string(layers) + " layers");
    }
    std::vector<std::int64_t> list;
    for (const Json& item : *value) {
      list.push_back(item.is_null() && fallback ? *fallback : to_size(item, key));
    }
    return list;
  }

  double number(const std::string& key, double fallback) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_number() || !std::isfinite(value->get<double>()))
      fail(key, "is " + value->dump() + ", not a number");
    return value->get<double>();
  }

  double positive(const std::string& key, double fallback) const {
    const double value = number(key, fallback);
    if (!(value > 0)) fail(key, "is not positive");
    return value;
  }

  bool flag(const std::string& key, bool fallback) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) fail(key, "is " + value->dump() + ", not true or false");
    return value->get<bool>();
  }

  // For keys of which only one value is computed here; absent and null count as that value.
  void require(const std::string& key, const Json& only) const {
    const Json* value = find(key);
    if (value != nullptr && *value != only)
      fail(key, "is " + value->dump() + "; only " + only.dump() + " is supported");
  }

  void require_multiple(const std::string& key, std::int64_t value, std::int64_t divisor) const {
    if (value % divisor != 0) {
      fail(key, "has the value " + std::to_string(value) + ", which is not a multiple of " + std::to_string(divisor));
    }
  }

  void require_power_of_two(const std::string& key, std::int64_t value) const {
    if ((value & (value - 1)) != 0) fail(key, "is " + std::to_string(value) + ", not a power of two");
  }

  Section at(const std::string& key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(key, "is missing");
    return Section(*value, where_ + ": '" + key + "'");
  }

 private:
  const Json& object_;
  std::string where_;
};

void refuse_unsupported(const Section& root) {
  root.require("use_qk_norm", true);
  root.require("use_rotary_pos_emb", true);
  root.require("use_mixed_mlp_moe", true);
  root.require("hidden_act", "silu");
  root.require("attention_bias", false);
  root.require("mlp_bias", false);
  root.require("group_limited_greedy", false);
  root.require("tie_word_embeddings", false);
  root.require("norm_type", "rms");
  root.require("img_proj_type", "unet");
  root.require("patch_size", 1);
  root.require("rope_type", "2d");
  if (root.find("rope_scaling") != nullptr) root.at("rope_scaling").require("type", "custom");
}

std::vector<LayerConfig> read_layers(const Section& root) {
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

VaeConfig read_vae(const Section& section) {
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

VisionConfig read_vision(const Section& root) {
  const Section vit = root.at("vit");
  const Section aligner = root.at("vit_aligner");
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
  aligner.require("input_dim", vision.hidden_size);
  aligner.require("n_embed", root.size("hidden_size"));
  return vision;
}

void read_widths(const Section& root, ModelConfig& config) {
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

void read_image_side(const Section& root, ModelConfig& config) {
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
  }
}

}  // namespace

ModelConfig read_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = std::filesystem::is_regular_file(folder) ? folder : folder / "config.json";
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(path.string() + ": cannot open");
  const Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(path.string() + ": not valid JSON");
  const Section root(json, path.string());
  refuse_unsupported(root);

  ModelConfig config;
  read_widths(root, config);
  config.layers = read_layers(root);
  config.rms_norm_eps = root.positive("rms_norm_eps", config.rms_norm_eps);
  config.rope_theta = root.positive("rope_theta", config.rope_theta);
  config.max_position_embeddings = root.size("max_position_embeddings", config.max_position_embeddings);
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
