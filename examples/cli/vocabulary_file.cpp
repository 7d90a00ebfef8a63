// SPDX-License-Identifier: MIT
#include "vocabulary_file.hpp"

#include "checked_json.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "tokenizer_file.hpp"

namespace hunyuan_reso::cli {
namespace {

constexpr std::string_view expected_forms =
    "expected tokenizer.json (with added_tokens), tokenizer_config.json (with added_tokens_decoder), an array of "
    "objects with id and content, or an object from texts to ids";

/// Fills a map from the parts of a JSON document; throws Refusal with the place in it.
class Collector {
 public:
  explicit Collector(std::unordered_map<std::string, std::int64_t>& ids) : ids_(ids) {}

  void document(const Json& json) {
    if (json.is_array()) return list(json, "the array");
    if (!json.is_object()) throw Refusal(std::string(expected_forms));
    const auto vocabulary = json.find("model");
    const auto added = json.find("added_tokens");
    const auto decoder = json.find("added_tokens_decoder");
    if (vocabulary != json.end() && vocabulary->is_object() && vocabulary->contains("vocab")) {
      const Json& vocab = (*vocabulary)["vocab"];
      if (vocab.is_object()) map(vocab, "model.vocab");
    }
    if (decoder != json.end() && decoder->is_object()) by_id(*decoder);
    if (added != json.end() && added->is_array()) return list(*added, "added_tokens");
    if (ids_.empty()) map(json, "the object");
  }

 private:
  static std::int64_t id_of(const Json& value, const std::string& place) {
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}) &&
                      value.get<std::int64_t>() >= 0;
    if (!fits)
      throw Refusal("the id of " + place + ": expected a whole number of at least 0. " + std::string(expected_forms));
    return value.get<std::int64_t>();
  }
  void map(const Json& object, const std::string& name) {
    for (const auto& [text, id] : object.items()) ids_[text] = id_of(id, "'" + spelled(text) + "' in " + name);
  }
  void list(const Json& array, const std::string& name) {
    std::size_t number = 0;
    for (const Json& entry : array) {
      const std::string place = "entry " + std::to_string(number++) + " of " + name;
      if (!entry.is_object() || !entry.contains("id") || !entry.contains("content") || !entry["content"].is_string()) {
        throw Refusal(place + ": expected an object with id and content");
      }
      ids_[entry["content"].get<std::string>()] = id_of(entry["id"], place);
    }
  }
  void by_id(const Json& object) {
    for (const auto& [id, entry] : object.items()) {
      const std::string place = "'" + spelled(id) + "' in added_tokens_decoder";
      if (!entry.is_object() || !entry.contains("content") || !entry["content"].is_string()) {
        throw Refusal(place + ": expected an object with content");
      }
      ids_[entry["content"].get<std::string>()] = id_of(Json::parse(id, nullptr, false), place);
    }
  }

  std::unordered_map<std::string, std::int64_t>& ids_;
};

}  // namespace

VocabularyFile::VocabularyFile(const std::string& path) {
  const std::string content = read_file(path);
  const std::string name = path == "-" ? "standard input" : "'" + printable(path) + "'";
  if (text::TextResult<text::Tokenizer> tokenizer = text::Tokenizer::from_json(content)) {
    tokenizer_ = *std::move(tokenizer);
    const std::string differences = sentences_on_ids(tokenizer_);
    if (!differences.empty()) write_error("hunyuan-reso: " + name + ": " + differences + '\n');
    return;
  }
  const Json json = parse_json(content, name);
  try {
    Collector(ids_).document(json);
  } catch (const Refusal& refusal) {
    throw Refusal(name + ": " + refusal.what());
  }
}

std::int64_t VocabularyFile::find(std::string_view text) const {
  if (tokenizer_.vocabulary_size() > 0) return tokenizer_.token_to_id(text);
  const auto found = ids_.find(std::string(text));
  return found == ids_.end() ? -1 : found->second;
}

}  // namespace hunyuan_reso::cli
