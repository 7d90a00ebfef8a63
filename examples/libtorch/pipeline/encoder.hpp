// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ENCODER_HPP
#define HUNYUAN_GENERATE_ENCODER_HPP

#include <filesystem>  // path
#include <functional>  // function
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <memory>       // unique_ptr
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

namespace hunyuan_generate {

/// Ids to text as they are generated. What both give is whole UTF-8, and together it is the encoder's decode of all the
/// ids; each id costs as much as its own text.
struct TextStream {
  /// The text that this id completes; a character whose last bytes are still to come waits for them.
  std::function<std::string(hunyuan_reso::TokenId id)> feed;
  /// What still waits, at the end.
  std::function<std::string()> finish;
};

/// Text to token ids of the checkpoint and back. Plug another tokenizer in here: derive from this class.
class TextEncoder {
 public:
  TextEncoder() = default;
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;
  virtual ~TextEncoder() = default;

  /// Ids of a text, nothing added at its ends; special tokens written in the text come out as their ids.
  [[nodiscard]] virtual std::vector<hunyuan_reso::TokenId> encode(std::string_view text) const = 0;
  /// The text of ids, special tokens included.
  [[nodiscard]] virtual std::string decode(const std::vector<hunyuan_reso::TokenId>& ids) const = 0;
  /// The same one id at a time. The encoder must outlive it.
  [[nodiscard]] virtual TextStream stream() const = 0;
};

/// The tokenizer.json of a folder. Throws Error when it is malformed or does not have the profile's tokens.
std::unique_ptr<TextEncoder> open_tokenizer(const std::filesystem::path& file,
                                            const hunyuan_reso::ModelProfile& profile);

/// For recorded test checkpoints, whose vocabulary has no words: special tokens by the profile, every other byte as
/// first_text_id + byte, round the ids up to the vocabulary's end. Does not decode.
std::unique_ptr<TextEncoder> make_byte_encoder(const hunyuan_reso::ModelProfile& profile,
                                               hunyuan_reso::TokenId first_text_id);

/// Texts whose ids are given: a JSON object {"text": [ids], ..} or, for the prompt alone, a list of ids. Any other text
/// is refused by name, so that template texts cannot get wrong ids unnoticed; special tokens come from the profile.
std::unique_ptr<TextEncoder> open_text_table(const std::filesystem::path& file, const std::string& prompt,
                                             const hunyuan_reso::ModelProfile& profile);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ENCODER_HPP
