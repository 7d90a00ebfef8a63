// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_VOCABULARY_FILE_HPP
#define HUNYUAN_RESO_CLI_VOCABULARY_FILE_HPP

#include <cstdint>
#include <hunyuan_reso/text/tokenizer.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hunyuan_reso::cli {

/// The tokens of a tokenizer, by text.
class VocabularyFile {
 public:
  /// Reads a JSON file: tokenizer.json (model.vocab and added_tokens), tokenizer_config.json (added_tokens_decoder), an
  /// array of objects with `id` and `content`, or one object from texts to ids. Throws Refusal. A tokenizer.json that
  /// `encode` can use counts with the ids that its tokens get, which are not always the written ones.
  explicit VocabularyFile(const std::string& path);

  /// The id of a text; -1 where the file has none.
  [[nodiscard]] std::int64_t find(std::string_view text) const;
  [[nodiscard]] std::size_t size() const { return tokenizer_.vocabulary_size() + ids_.size(); }

 private:
  text::Tokenizer tokenizer_;  ///< without tokens for other files, whose ids are in the map
  std::unordered_map<std::string, std::int64_t> ids_;
};

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_VOCABULARY_FILE_HPP
