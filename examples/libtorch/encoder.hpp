// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_ENCODER_HPP
#define HUNYUAN_GENERATE_ENCODER_HPP

#include <hunyuan_reso/tokens.hpp>
#include <string>       // string
#include <string_view>  // string_view
#include <vector>       // vector

#include "vocabulary.hpp"

namespace hunyuan_generate {

/// Text to published token ids and back. Plug a tokenizer in here: derive from this class.
class TextEncoder {
 public:
  TextEncoder() = default;
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;
  virtual ~TextEncoder() = default;

  /// Ids of a text, no special tokens added; special tokens written in the text come out as their ids.
  [[nodiscard]] virtual std::vector<hunyuan_reso::TokenId> encode(std::string_view text) const = 0;
  /// A text whose encoding is exactly these ids.
  [[nodiscard]] virtual std::string decode(const std::vector<hunyuan_reso::TokenId>& ids) const = 0;
};

/// The stand-in for a tokenizer: special tokens by the library's table, every other byte b as the id 1000 + b. An id
/// that is neither is written as its decimal number between the control characters 2 and 3, so that ids from
/// elsewhere (a file, the model) travel through texts unchanged. Counts are near enough for plans; a trained checkpoint
/// needs its real tokenizer to understand a prompt.
class BytesEncoder : public TextEncoder {
 public:
  [[nodiscard]] std::vector<hunyuan_reso::TokenId> encode(std::string_view text) const override;
  [[nodiscard]] std::string decode(const std::vector<hunyuan_reso::TokenId>& ids) const override;
};

/// Token ids of the checkpoint's numbering, separated by white space or commas, from a file or ("-") standard input,
/// as published ids. Throws Error naming the file and what is wrong: no number, an id outside the vocabulary, no ids.
std::vector<hunyuan_reso::TokenId> read_ids(const std::string& path, const Vocabulary& vocabulary,
                                            std::int64_t vocab_size);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_ENCODER_HPP
