// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_FOLDER_HPP
#define HUNYUAN_GENERATE_FOLDER_HPP

#include <filesystem>  // path
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <string>   // string
#include <utility>  // pair
#include <vector>   // vector

#include "model/config.hpp"
#include "pipeline/encoder.hpp"

namespace hunyuan_generate {

/// How a token is drawn from logits: temperature, then top-k, then top-p, as the usual generation library does.
struct Sampling {
  bool draws = true;  ///< false: the best token
  double temperature = 0.6;
  std::int64_t top_k = 1024;  ///< 0: all
  double top_p = 0.95;
};

/// What a checkpoint's small files say: the profile with every number that they state, defaults, and the encoder.
struct Folder {
  std::filesystem::path path;
  ModelConfig config;
  hunyuan_reso::ModelProfile profile;
  Sampling sampling;
  std::string system_prompt = "None";    ///< the name of the published default; its text is not part of this program
  std::unique_ptr<TextEncoder> encoder;  ///< none where the folder has no tokenizer
  /// "key = value" of each default, and the file or profile that it comes from.
  std::vector<std::pair<std::string, std::string>> origins;
};

/// Reads config.json, generation_config.json and tokenizer.json (or special_tokens.json) of a folder; `path` may also
/// be a config.json alone. The profile is the one of hunyuan_reso::profiles::all that fits the files; a `profile_name`
/// that contradicts them is refused. Throws Error naming file and key.
Folder read_folder(const std::filesystem::path& path, const std::string& profile_name = {});

/// A profile with every number that a configuration states.
hunyuan_reso::ModelProfile configured_profile(const hunyuan_reso::ModelProfile& base, const ModelConfig& config,
                                              const std::string& where = "config.json");

/// The template texts of a generation config's `sequence_template`; throws Error naming `where` for a name that does
/// not exist.
hunyuan_reso::TemplateTexts template_of(const std::string& name, const std::string& where);
/// A text stage's task by its name in files and options; throws Error naming `where`.
hunyuan_reso::BotTask task_of(const std::string& name, const std::string& where);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_FOLDER_HPP
