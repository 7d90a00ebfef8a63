// SPDX-License-Identifier: MIT
#include "pipeline/folder.hpp"

#include <algorithm>  // min

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

bool has_text(const char* text) { return text != nullptr && *text != '\0'; }

// The smallest base size of the published ladder; test checkpoints are below it.
constexpr std::int64_t smallest_base_size = 256;

std::string known_profiles() {
  std::string names;
  for (const hr::ModelProfile* profile : hr::profiles::all)
    names += std::string(names.empty() ? "" : ", ") + profile->name;
  return names;
}

// The release of a folder shows in its template, unless config.json names a later model.
const hr::ModelProfile& choose_profile(const ModelConfig& config, const std::string& own_template,
                                       const std::string& name, const std::string& where) {
  const bool later = config.model_version.find("Instruct") != std::string::npos || own_template.empty();
  const auto fits = [&](const hr::ModelProfile& profile) {
    if (profile.cfg_distilled != config.cfg_distilled || profile.use_meanflow != config.use_meanflow) return false;
    if (own_template.empty()) return true;
    const bool pretrain = !later && own_template == "pretrain";
    return pretrain != has_text(profile.template_texts.answer);
  };
  const hr::ModelProfile* found = nullptr;
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    if (!name.empty() && name != profile->name) continue;
    if (!fits(*profile)) {
      if (!name.empty()) throw Error("--profile " + name + " contradicts " + where);
      continue;
    }
    // Without a generation config nothing tells the first release from the later ones: take a later one.
    const bool unclear = own_template.empty() && name.empty() && !has_text(profile->template_texts.answer);
    if (found == nullptr && !unclear) found = profile;
  }
  if (found == nullptr) {
    throw Error(name.empty() ? where + ": no known profile (" + known_profiles() + ") fits"
                             : "--profile: '" + name + "' is none of " + known_profiles());
  }
  return *found;
}

// The values of generation_config.json are the defaults.
class GenerationConfig {
 public:
  GenerationConfig(Folder& folder, const nlohmann::json& json, const std::filesystem::path& path)
      : folder_(folder), object_(json, path.string()), path_(path.string()), file_(path.filename().string()) {}

  void take() {
    hr::ModelProfile& profile = folder_.profile;
    if (has("sequence_template")) profile.template_texts = template_of(text("sequence_template"), path_);
    if (has("bot_task")) profile.bot_task = task_of(text("bot_task"), path_ + ": 'bot_task'");
    if (has("use_system_prompt")) folder_.system_prompt = text("use_system_prompt");
    if (has("drop_think")) profile.drop_think = note("drop_think", object_.flag("drop_think", false));
    count("diff_infer_steps", profile.steps);
    count("max_new_tokens", profile.max_new_tokens);
    count("max_length", profile.max_length);
    profile.max_length = std::min(profile.max_length, profile.position_table);
    number("diff_guidance_scale", profile.guidance, 0);
    number("flow_shift", profile.flow_shift, 1e-6);
    Sampling& sampling = folder_.sampling;
    if (has("do_sample")) sampling.draws = note("do_sample", object_.flag("do_sample", true));
    number("temperature", sampling.temperature, 0);
    number("top_p", sampling.top_p, 0);
    if (has("top_k")) sampling.top_k = object_.size("top_k", 0, 0);
    if (has("top_k")) say("top_k", std::to_string(sampling.top_k));
    if (object_.number("repetition_penalty", 1) != 1)
      object_.fail("repetition_penalty", "is not 1, which is not supported");
    special_id("bos_token_id", profile.special.bos);
    special_id("eos_token_id", profile.special.eos);
    special_id("pad_token_id", profile.special.pad);
  }

 private:
  [[nodiscard]] bool has(const char* key) const { return object_.find(key) != nullptr; }
  void say(const char* key, const std::string& value) {
    folder_.origins.emplace_back(std::string(key) + " = " + value, file_);
  }
  std::string text(const char* key) {
    const std::string value = object_.text(key, "");
    say(key, value);
    return value;
  }
  bool note(const char* key, bool value) {
    say(key, value ? "true" : "false");
    return value;
  }
  void count(const char* key, std::int32_t& out) {
    if (has(key)) out = narrow(object_.size(key));
    if (has(key)) say(key, std::to_string(out));
  }
  void number(const char* key, double& out, double at_least) {
    if (!has(key)) return;
    out = object_.number(key, out);
    if (out < at_least) object_.fail(key, "is below " + std::to_string(at_least));
    char value[40];
    std::snprintf(value, sizeof value, "%.10g", out);
    say(key, value);
  }
  // A list of ids is possible there; the profile's own must be the first.
  void special_id(const char* key, hr::TokenId expected) const {
    const nlohmann::json* value = object_.find(key);
    if (value != nullptr && value->is_array() && !value->empty()) value = &value->front();
    if (value != nullptr && *value != expected) {
      object_.fail(key, "is " + value->dump() + ", but the profile's is " + std::to_string(expected));
    }
  }

  Folder& folder_;
  JsonObject object_;
  std::string path_, file_;
};

// A recorded test checkpoint has a vocabulary of a few hundred tokens: its ids become those of the profile.
void take_special_tokens(Folder& folder, const nlohmann::json& json, const std::string& where) {
  const JsonObject root(json, where);
  const JsonObject tokens = root.at("tokens");
  const std::int64_t first_text_id = root.size("text_ids_start", std::nullopt, 0);
  hr::ModelProfile& profile = folder.profile;
  profile.special_tokens_end = narrow(first_text_id);
  const auto id = [&](const std::string& text) { return narrow(tokens.size(text, std::nullopt, 0)); };
  const std::pair<const char*, hr::TokenId hr::SpecialTokens::*> named[] = {
      {"<|endoftext|>", &hr::SpecialTokens::eos},
      {"<|startoftext|>", &hr::SpecialTokens::bos},
      {"<pad>", &hr::SpecialTokens::pad},
      {"<boi>", &hr::SpecialTokens::boi},
      {"<eoi>", &hr::SpecialTokens::eoi},
      {"<img>", &hr::SpecialTokens::img},
      {"<cfg>", &hr::SpecialTokens::cfg},
      {"<timestep>", &hr::SpecialTokens::timestep},
      {"<guidance>", &hr::SpecialTokens::guidance},
      {"<timestep_r>", &hr::SpecialTokens::timestep_r},
      {"<joint_img_sep>", &hr::SpecialTokens::joint_img_sep},
      {"<think>", &hr::SpecialTokens::think},
      {"</think>", &hr::SpecialTokens::end_think},
      {"<recaption>", &hr::SpecialTokens::recaption},
      {"</recaption>", &hr::SpecialTokens::end_recaption},
      {"<answer>", &hr::SpecialTokens::answer},
      {"</answer>", &hr::SpecialTokens::end_answer}};
  for (const auto& [text, member] : named) profile.special.*member = id(text);
  profile.size_tokens = {};
  profile.size_tokens.append(profile.trained_base_size,
                             id("<img_size_" + std::to_string(profile.trained_base_size) + ">"));
  for (std::size_t i = 0; i < profile.ratio_tokens.count; ++i) {
    profile.ratio_tokens.ids[i] = id("<img_ratio_" + std::to_string(i) + ">");
  }
  folder.encoder = make_byte_encoder(profile, narrow(first_text_id));
}

}  // namespace

hr::ModelProfile configured_profile(const hr::ModelProfile& base, const ModelConfig& config, const std::string& where) {
  hr::ModelProfile profile = base;
  const LayerConfig& layer = config.layers.back();
  profile.vae_downsample_height = narrow(config.downsample_height);
  profile.vae_downsample_width = narrow(config.downsample_width);
  profile.latent_channels = narrow(config.vae.latent_channels);
  profile.trained_base_size = narrow(config.image_base_size);
  if (profile.trained_base_size < smallest_base_size) {
    // Rows of a small test checkpoint are closer together than the published alignment, and its extra rows as small.
    profile.align = 1;
    for (std::size_t i = 0; i < profile.extras.count; ++i) {
      hr::Resolution& row = profile.extras.rows[i];
      row.height = row.height * profile.trained_base_size / base.trained_base_size;
      row.width = row.width * profile.trained_base_size / base.trained_base_size;
    }
  }
  profile.position_table = narrow(config.max_position_embeddings);
  profile.max_length = std::min(profile.max_length, profile.position_table);
  profile.vocabulary_size = narrow(config.vocab_size);
  profile.layers = narrow(static_cast<std::int64_t>(config.layers.size()));
  profile.hidden_size = narrow(config.hidden_size);
  profile.attention_heads = narrow(config.heads);
  profile.key_value_heads = narrow(config.key_value_heads);
  profile.head_dimension = narrow(config.head_dim);
  profile.experts = narrow(layer.experts);
  profile.experts_per_token = narrow(layer.topk);
  profile.shared_experts = narrow(layer.shared_width / layer.expert_width);
  profile.expert_intermediate_size = narrow(layer.expert_width);
  profile.patch_embed_hidden_size = narrow(config.patch_embed_hidden_dim);
  profile.rope_theta = config.rope_theta;
  if (config.vision) {
    profile.vit_patch = narrow(config.vision->patch_size);
    profile.vit_slots = narrow(config.vision->slots);
  }
  const std::pair<const char*, hr::ConditioningImageType> types[] = {{"vae", hr::ConditioningImageType::vae},
                                                                     {"vit", hr::ConditioningImageType::vit},
                                                                     {"vae_vit", hr::ConditioningImageType::vae_vit}};
  const std::pair<const char*, hr::ConditioningAttention> attentions[] = {
      {"causal", hr::ConditioningAttention::causal},
      {"full", hr::ConditioningAttention::full},
      {"joint_full", hr::ConditioningAttention::joint_full},
      {"full_causal", hr::ConditioningAttention::full_causal}};
  const auto pick = [&](const auto& table, const std::string& name, const char* key, auto& out) {
    for (const auto& [text, value] : table) {
      if (name != text) continue;
      out = value;
      return;
    }
    throw Error(where + ": '" + key + "' is \"" + name + "\", which is none of the known values");
  };
  pick(types, config.conditioning_type, "cond_image_type", profile.conditioning_image_type);
  pick(attentions, config.conditioning_attention, "cond_token_attn_type", profile.conditioning_attention);
  return profile;
}

hr::TemplateTexts template_of(const std::string& name, const std::string& where) {
  if (name == "pretrain") return hr::pretrain_texts();
  if (name == "instruct") return hr::instruct_texts();
  throw Error(where + ": 'sequence_template' is \"" + name + "\", neither pretrain nor instruct");
}

hr::BotTask task_of(const std::string& name, const std::string& where) {
  using hr::BotTask;
  const std::pair<const char*, BotTask> tasks[] = {
      {"auto", BotTask::automatic},      {"image", BotTask::image},
      {"think", BotTask::think},         {"recaption", BotTask::recaption},
      {"img_ratio", BotTask::img_ratio}, {"think_recaption", BotTask::think_recaption}};
  for (const auto& [text, task] : tasks) {
    if (name == text) return task;
  }
  throw Error(where + ": '" + name + "' is no task (auto, image, think, recaption, think_recaption)");
}

Folder read_folder(const std::filesystem::path& path, const std::string& profile_name) {
  Folder folder;
  const bool config_alone = std::filesystem::is_regular_file(path);
  folder.path = config_alone ? path.parent_path() : path;
  folder.config = read_config(path);
  const std::filesystem::path generation = folder.path / "generation_config.json";
  const bool has_generation = !config_alone && std::filesystem::exists(generation);
  const nlohmann::json settings = has_generation ? read_json(generation) : nlohmann::json::object();
  const std::string own_template = JsonObject(settings, generation.string()).text("sequence_template", "");
  folder.profile = choose_profile(folder.config, own_template, profile_name, folder.path.string());
  folder.origins.emplace_back(
      "profile = " + std::string(folder.profile.name),
      profile_name.empty() ? (has_generation ? "config.json, generation_config.json" : "config.json") : "--profile");
  folder.profile = configured_profile(folder.profile, folder.config, (folder.path / "config.json").string());

  const std::filesystem::path special = folder.path / "special_tokens.json";
  if (std::filesystem::exists(special)) take_special_tokens(folder, read_json(special), special.string());
  if (has_generation) GenerationConfig(folder, settings, generation).take();
  const std::filesystem::path tokenizer = folder.path / "tokenizer.json";
  if (!folder.encoder && std::filesystem::exists(tokenizer)) {
    folder.encoder = open_tokenizer(tokenizer, folder.profile);
  }
  return folder;
}

}  // namespace hunyuan_generate
