// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_ID_LIST_HPP
#define HUNYUAN_RESO_CLI_ID_LIST_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table_text.hpp"

namespace hunyuan_reso::cli {

/// Token ids from a text: decimal numbers, one a line or between blanks, commas and brackets (so that a list as Python
/// or JSON writes it is one, too); blank lines and lines that start with # are skipped.
struct IdList {
  std::vector<TokenId> ids;
  std::vector<std::uint64_t> lines;  ///< where each one stood, from 1
};

/// Throws Refusal that names the line and what stands there; ids are 0 .. vocabulary_size - 1. An empty list is
/// refused.
[[nodiscard]] IdList parse_ids(std::string_view text, const std::string& name, std::int32_t vocabulary_size);

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_ID_LIST_HPP
