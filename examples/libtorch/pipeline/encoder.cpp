// SPDX-License-Identifier: MIT
#include "pipeline/encoder.hpp"

#include <hunyuan_reso/text/stream_decoder.hpp>
#include <hunyuan_reso/text/tokenizer.hpp>
#include <map>      // map
#include <utility>  // move

#include "adapter/error.hpp"
#include "model/json_file.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::ModelProfile;
using hunyuan_reso::TokenId;

class TokenizerEncoder : public TextEncoder {
 public:
  explicit TokenizerEncoder(hunyuan_reso::text::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override { return tokenizer_.encode(text); }
  [[nodiscard]] std::string decode(const std::vector<TokenId>& ids) const override { return tokenizer_.decode(ids); }
  [[nodiscard]] TextStream stream() const override {
    const auto decoder = std::make_shared<hunyuan_reso::text::StreamDecoder>(tokenizer_);
    return {[decoder](TokenId id) { return decoder->feed(id); }, [decoder] { return decoder->finish(); }};
  }

 private:
  hunyuan_reso::text::Tokenizer tokenizer_;
};

// Encoders that know no special tokens get them from the profile.
class PlainEncoder : public TextEncoder {
 public:
  explicit PlainEncoder(const ModelProfile& profile) : profile_(profile) {}

  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    const auto plain = [this](std::string_view part) { return encode_plain(part); };
    return hunyuan_reso::with_special_tokens(profile_, plain)(text);
  }
  // An id that is no special token is written as its number: such a text cannot be encoded again.
  [[nodiscard]] std::string decode(const std::vector<TokenId>& ids) const override {
    std::string text;
    for (const TokenId id : ids) {
      const auto token = hunyuan_reso::token_text(profile_, id);
      text += token ? std::string(token->view()) : "[" + std::to_string(id) + "]";
    }
    return text;
  }
  // Every id is a text of its own.
  [[nodiscard]] TextStream stream() const override {
    return {[this](TokenId id) { return decode({id}); }, [] { return std::string(); }};
  }

 protected:
  [[nodiscard]] virtual std::vector<TokenId> encode_plain(std::string_view text) const = 0;
  ModelProfile profile_;
};

class ByteEncoder : public PlainEncoder {
 public:
  ByteEncoder(const ModelProfile& profile, TokenId first_text_id) : PlainEncoder(profile), first_(first_text_id) {}

 private:
  [[nodiscard]] std::vector<TokenId> encode_plain(std::string_view text) const override {
    std::vector<TokenId> ids;
    for (const char c : text) {
      ids.push_back(first_ + static_cast<unsigned char>(c) % (profile_.vocabulary_size - first_));
    }
    return ids;
  }
  TokenId first_;
};

class TextTable : public PlainEncoder {
 public:
  TextTable(const ModelProfile& profile, std::map<std::string, std::vector<TokenId>, std::less<>> ids)
      : PlainEncoder(profile), ids_(std::move(ids)) {}

  [[nodiscard]] std::vector<TokenId> encode(std::string_view text) const override {
    const auto whole = ids_.find(text);
    return whole != ids_.end() ? whole->second : PlainEncoder::encode(text);
  }

 private:
  [[nodiscard]] std::vector<TokenId> encode_plain(std::string_view text) const override {
    const auto found = ids_.find(text);
    if (found != ids_.end()) return found->second;
    throw Error("there are no ids for the text " + nlohmann::json(text).dump() +
                "; add them to the file of --prompt-ids");
  }
  std::map<std::string, std::vector<TokenId>, std::less<>> ids_;
};

std::vector<TokenId> read_ids(const nlohmann::json& list, const ModelProfile& profile, const std::string& where) {
  if (!list.is_array()) throw Error(where + ": expected a list of token ids");
  std::vector<TokenId> ids;
  for (const nlohmann::json& id : list) {
    if (!id.is_number_integer() || id < 0 || id >= profile.vocabulary_size) {
      throw Error(where + ": " + id.dump() + " is no token id below " + std::to_string(profile.vocabulary_size));
    }
    ids.push_back(id.get<TokenId>());
  }
  return ids;
}

}  // namespace

std::unique_ptr<TextEncoder> open_tokenizer(const std::filesystem::path& file, const ModelProfile& profile) {
  auto tokenizer = hunyuan_reso::text::Tokenizer::from_json(read_file(file));
  if (!tokenizer) {
    const auto& error = tokenizer.error();
    throw Error(file.string() + ": byte " + std::to_string(error.position) + ": " + message(error.code) +
                (error.what.empty() ? "" : ": " + error.what));
  }
  const auto report =
      hunyuan_reso::verify_vocabulary(profile, [&](std::string_view token) { return tokenizer->token_to_id(token); });
  if (!report) {
    const auto& first = report.mismatches[0];
    throw Error(file.string() + ": " + std::to_string(report.mismatch_count) +
                " special tokens are not the profile's; " + std::string(first.text.view()) + " is " +
                (first.found ? std::to_string(*first.found) : "missing") + ", expected " +
                std::to_string(first.expected));
  }
  if (tokenizer->id_end() > profile.vocabulary_size) {
    throw Error(file.string() + ": ids up to " + std::to_string(tokenizer->id_end() - 1) +
                ", but config.json's 'vocab_size' is " + std::to_string(profile.vocabulary_size));
  }
  return std::make_unique<TokenizerEncoder>(*std::move(tokenizer));
}

std::unique_ptr<TextEncoder> make_byte_encoder(const ModelProfile& profile, TokenId first_text_id) {
  if (first_text_id < 0 || first_text_id >= profile.vocabulary_size) throw Error("'text_ids_start' is no id");
  return std::make_unique<ByteEncoder>(profile, first_text_id);
}

std::unique_ptr<TextEncoder> open_text_table(const std::filesystem::path& file, const std::string& prompt,
                                             const ModelProfile& profile) {
  const nlohmann::json json = read_json(file);
  std::map<std::string, std::vector<TokenId>, std::less<>> ids{{"", {}}};
  if (json.is_array()) {
    ids[prompt] = read_ids(json, profile, file.string());
  } else {
    if (!json.is_object()) throw Error(file.string() + ": expected a list of ids, or an object of texts and their ids");
    for (const auto& [text, list] : json.items()) {
      ids[text] = read_ids(list, profile, file.string() + ": " + nlohmann::json(text).dump());
    }
  }
  return std::make_unique<TextTable>(profile, std::move(ids));
}

}  // namespace hunyuan_generate
