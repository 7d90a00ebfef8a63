// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP
#define HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP

#include <hunyuan_reso/chat_template.hpp>
#include <string>
#include <vector>

#include "table_text.hpp"

namespace hunyuan_reso::cli {

/// A request to encode conversations, read from JSON (README.md beside this lists the keys).
struct SequenceRequest {
  std::vector<std::vector<Message>> conversations;
  ChatOptions options;
  std::int32_t cfg_factor = 1;
  std::int32_t max_length = -1;
};

/// Throws Refusal, naming the key at fault and what was expected. Keys that are not known are refused.
[[nodiscard]] SequenceRequest read_sequence_request(const std::string& text, const ModelProfile& profile);

/// The stand-in text encoder `bytes`: special tokens anywhere in the text become their ids, every other byte b becomes
/// the id 1000 + b. It needs no vocabulary file and shows where a real encoder's ids would stand.
[[nodiscard]] std::vector<TokenId> encode_bytes(std::string_view text);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP
