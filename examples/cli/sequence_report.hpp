// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_SEQUENCE_REPORT_HPP
#define HUNYUAN_RESO_CLI_SEQUENCE_REPORT_HPP

#include <hunyuan_reso/sequence.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace hunyuan_reso::cli {

/// Ids as runs.
[[nodiscard]] std::vector<TokenRun> runs_of(const std::vector<TokenId>& ids);

/// What a document about sequences begins with: the selection, limits.
[[nodiscard]] Json sequences_json(const Selection& selection);
/// "instruct, base size 1024, extras absolute; limits 22800 tokens (max_length), 22800 (position table). ...".
[[nodiscard]] std::string sequences_heading(const Selection& selection);

/// One sequence for programs: runs, slices, positions, the full slices of its attention.
[[nodiscard]] Json layout_json(const Selection& selection, const std::vector<TokenRun>& runs,
                               const TokenLayout& layout);
/// The same for people. Ids of text are shown as a count: their meaning is the encoder's.
[[nodiscard]] std::string layout_text(const Selection& selection, const std::vector<TokenRun>& runs,
                                      const TokenLayout& layout);
/// The picture of the sequence's attention mask.
[[nodiscard]] std::string layout_picture(const Selection& selection, const TokenLayout& layout);

[[nodiscard]] Json slices_json(const std::vector<Slice>& slices);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_SEQUENCE_REPORT_HPP
