// SPDX-License-Identifier: MIT
#include "mask_picture.hpp"

#include <algorithm>
#include <vector>

namespace hunyuan_reso::cli {
namespace {

/// Where field i of `count` begins in a sequence; fields differ by one token at most.
std::int32_t border(std::int32_t length, int count, int i) {
  return static_cast<std::int32_t>(std::int64_t{length} * i / count);
}

}  // namespace

std::string mask_picture(const SequenceAttention& attention, std::int32_t length, const std::string& indent) {
  constexpr int most_columns = 48;
  constexpr int most_lines = 16;
  const int columns = std::min(length, most_columns);
  const int lines = std::min(length, most_lines);
  std::string text = indent + "mask, queries down, keys to the right (# all, + some, . none), one sign for about " +
                     std::to_string((length + lines - 1) / lines) + " x " +
                     std::to_string((length + columns - 1) / columns) + " tokens\n";
  std::vector<std::int64_t> seen(static_cast<std::size_t>(columns));
  for (int line = 0; line < lines; ++line) {
    const std::int32_t first = border(length, lines, line);
    const std::int32_t last = border(length, lines, line + 1);
    std::fill(seen.begin(), seen.end(), 0);
    for (std::int32_t query = first; query < last; ++query) {
      const std::int32_t end = attention.allowed_end(query);
      for (int c = 0; c < columns; ++c) {
        const std::int32_t from = border(length, columns, c);
        const std::int32_t to = std::min(end, border(length, columns, c + 1));
        seen[static_cast<std::size_t>(c)] += std::max(0, to - from);
      }
    }
    text += indent;
    for (int c = 0; c < columns; ++c) {
      const std::int64_t keys = border(length, columns, c + 1) - border(length, columns, c);
      const std::int64_t all = keys * (last - first);
      const std::int64_t pairs = seen[static_cast<std::size_t>(c)];
      text += pairs == 0 ? '.' : pairs == all ? '#' : '+';
    }
    text += '\n';
  }
  return text;
}

}  // namespace hunyuan_reso::cli
