// SPDX-License-Identifier: MIT
#include "vocabulary.hpp"

#include <fstream>  // ifstream
#include <nlohmann/json.hpp>

#include "error.hpp"

namespace hunyuan_generate {
namespace {

constexpr std::int32_t stand_in_base_size = 1024;

std::string text_of(hunyuan_reso::TokenId token) {
  const hunyuan_reso::TokenText text = hunyuan_reso::token_text(token);
  return text.view().empty() ? "id " + std::to_string(token) : std::string(text.view());
}

}  // namespace

Vocabulary::Vocabulary(std::int64_t size, const std::filesystem::path& folder, std::int64_t image_base_size)
    : size_(size) {
  const std::filesystem::path path = folder / "special_tokens.json";
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return;
  own_base_size_ = image_base_size;
  const std::string own_size = "<img_size_" + std::to_string(image_base_size) + ">";
  const std::string published_size = "<img_size_" + std::to_string(stand_in_base_size) + ">";
  try {
    const nlohmann::json json = nlohmann::json::parse(stream);
    text_start_ = json.at("text_ids_start").get<std::int64_t>();
    for (const auto& [text, value] : json.at("tokens").items()) {
      const auto token = hunyuan_reso::find_token(text == own_size ? published_size : text);
      if (!token) continue;
      to_model_.emplace(*token, value.get<std::int64_t>());
      to_published_.emplace(value.get<std::int64_t>(), *token);
    }
  } catch (const nlohmann::json::exception&) {
    throw Error(path.string() + ": no JSON object with 'tokens' and 'text_ids_start'");
  }
  if (text_start_ < 0 || text_start_ >= size_) throw Error(path.string() + ": 'text_ids_start' is no id");
}

std::int64_t Vocabulary::to_model(hunyuan_reso::TokenId token) const {
  std::int64_t id = token;
  if (!is_published()) {
    const auto found = to_model_.find(token);
    if (found != to_model_.end()) {
      id = found->second;
    } else if (token >= first_text_id && token < hunyuan_reso::tokens::eos) {
      id = text_start_ + (token - first_text_id) % (size_ - text_start_);
    } else {
      throw Error("the checkpoint's special_tokens.json has no token " + text_of(token));
    }
  }
  if (id < 0 || id >= size_) {
    throw Error("token " + text_of(token) + " is outside the checkpoint's vocabulary of " + std::to_string(size_));
  }
  return id;
}

hunyuan_reso::TokenId Vocabulary::to_published(std::int64_t id) const {
  if (is_published()) return static_cast<hunyuan_reso::TokenId>(id);
  const auto found = to_published_.find(id);
  if (found != to_published_.end()) return found->second;
  if (id < text_start_) return hunyuan_reso::invalid_token_id;
  return static_cast<hunyuan_reso::TokenId>(first_text_id + (id - text_start_));
}

std::int32_t Vocabulary::base_size_of_tokens(std::int32_t base_size) const {
  if (is_published() || base_size != own_base_size_) return base_size;
  return stand_in_base_size;
}

}  // namespace hunyuan_generate
