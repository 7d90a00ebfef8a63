// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_TOKENIZER_FILE_HPP
#define HUNYUAN_RESO_CLI_TOKENIZER_FILE_HPP

#include <functional>
#include <hunyuan_reso/profile.hpp>
#include <hunyuan_reso/text/tokenizer.hpp>
#include <string>
#include <vector>

namespace hunyuan_reso::cli {

/// A text encoder for the sequences.
using TextEncoder = std::function<std::vector<TokenId>(std::string_view)>;

/// The tokenizer.json of a checkpoint, checked against the profile: throws Refusal that names the tokens whose ids
/// differ, and the profile that the file does fit, if any. `any_vocabulary` leaves that check out. Added tokens that
/// the file writes with other ids than they get are named on standard error.
[[nodiscard]] text::Tokenizer load_tokenizer(const std::string& path, const ModelProfile& profile,
                                             bool any_vocabulary = false);

/// "the file asks for something that this library does not do: byte 17: expected ..."; bytes count from 1.
[[nodiscard]] std::string reason_of(const text::TextError& error);
/// "<a> is written with the id 5 and gets 261, as in the reference library", a sentence each; at most three.
[[nodiscard]] std::string sentences_on_ids(const text::Tokenizer& tokenizer);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_TOKENIZER_FILE_HPP
