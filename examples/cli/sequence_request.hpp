// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP
#define HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP

#include <hunyuan_reso/chat.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// A request to encode conversations, read from JSON (README.md beside this lists the keys).
struct SequenceRequest {
  std::vector<std::vector<Message>> conversations;
  std::vector<std::vector<std::string>> places;  ///< where in the request each message comes from
  ChatOptions options;
  std::int32_t cfg_factor = 1;
  std::int32_t max_length = 0;  ///< the profile's, unless the request has another
};

/// Throws Refusal that names the key at fault and what was expected. Keys that are not known are refused. The key
/// image_base_size changes the selection's base size; with --base-size (`base_size_is_given`) it must be the same.
[[nodiscard]] SequenceRequest read_sequence_request(const std::string& text, Selection& selection,
                                                    bool base_size_is_given);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SEQUENCE_REQUEST_HPP
