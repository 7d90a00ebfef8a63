// SPDX-License-Identifier: MIT
#include "id_list.hpp"

#include "encoding.hpp"
#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

bool is_separator(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == ',' || c == '[' || c == ']'; }

/// Digits only, with or without a minus sign.
bool is_number(std::string_view word) {
  if (!word.empty() && word[0] == '-') word.remove_prefix(1);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

TokenId id_of(std::string_view word, const std::string& place, std::int32_t vocabulary_size) {
  if (!is_number(word)) {
    throw Refusal(place + ": expected a token id in decimal digits, but got '" + spelled(word) + "'");
  }
  std::int64_t value = 0;
  for (const char c : word) {
    if (c != '-' && value < vocabulary_size) value = value * 10 + (c - '0');
  }
  if (word[0] == '-' || value >= vocabulary_size) {
    throw Refusal(place + ": expected an id from 0 to " + std::to_string(vocabulary_size - 1) + ", but got " +
                  spelled(word));
  }
  return static_cast<TokenId>(value);
}

}  // namespace

IdList parse_ids(std::string_view text, const std::string& name, std::int32_t vocabulary_size) {
  const std::string fault = encoding_fault(text);
  if (!fault.empty()) throw Refusal(name + ": " + fault);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // a byte order mark
  IdList list;
  std::uint64_t line = 0;
  std::vector<std::uint64_t> open;  // lines of the brackets that are not closed yet
  const auto place = [&] { return name + ": line " + std::to_string(line); };
  while (!text.empty()) {
    ++line;
    const std::size_t line_feed = text.find('\n');
    std::string_view rest = text.substr(0, line_feed);
    text.remove_prefix(line_feed == std::string_view::npos ? text.size() : line_feed + 1);
    while (!rest.empty()) {
      if (is_separator(rest[0])) {
        if (rest[0] == '[') open.push_back(line);
        if (rest[0] == ']' && open.empty()) throw Refusal(place() + ": expected '[' before this ']'");
        if (rest[0] == ']') open.pop_back();
        rest.remove_prefix(1);
        continue;
      }
      if (rest[0] == '#') break;
      std::size_t size = 0;
      while (size < rest.size() && !is_separator(rest[size])) ++size;
      list.ids.push_back(id_of(rest.substr(0, size), place(), vocabulary_size));
      list.lines.push_back(line);
      rest.remove_prefix(size);
    }
  }
  if (!open.empty()) {
    throw Refusal(name + ": expected ']' for the '[' in line " + std::to_string(open.back()) + ", but the list ends");
  }
  if (list.ids.empty()) throw Refusal(name + ": expected token ids, but found none");
  return list;
}

}  // namespace hunyuan_reso::cli
