// SPDX-License-Identifier: MIT
#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// Length of the well-formed UTF-8 sequence of a visible character at the front of a text; 0 where there is none.
std::size_t visible_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) >= 0x20 && byte(0) < 0x7F) return 1;
  std::size_t length = 0;
  unsigned long code = 0;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) length = 2, code = byte(0) & 0x1FU;
  if (byte(0) >= 0xE0 && byte(0) <= 0xEF) length = 3, code = byte(0) & 0x0FU;
  if (byte(0) >= 0xF0 && byte(0) <= 0xF4) length = 4, code = byte(0) & 0x07U;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool control = code < 0xA0 || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || control || surrogate || code > 0x10FFFF ? 0 : length;
}

/// Appends what stands at the front of `text` and cuts it off there; returns the columns it takes on a terminal.
std::size_t append_visible(std::string& out, std::string_view& text) {
  const std::size_t length = visible_length(text);
  if (length != 0) {
    out += text.substr(0, length);
    text.remove_prefix(length);
    return 1;
  }
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(text[0]);
  out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  text.remove_prefix(1);
  return 4;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  std::size_t columns = 0;
  while (!text.empty() && columns < longest) columns += append_visible(out, text);
  if (!text.empty()) out += "...";
  return out;
}

std::string point_at(std::string_view place, std::string_view text, std::size_t position, std::string_view reason) {
  std::string message;
  if (!place.empty()) message.append(place).append(": ");
  message += '\'' + printable(text, 40) + "': byte " + std::to_string(position + 1) + ": ";
  message += std::string(reason) + '\n';

  // The surroundings of the byte at fault, so that a very long text stays one line.
  constexpr std::size_t before = 40;
  std::size_t start = position > before ? position - before : 0;
  while (start > 0 && start < text.size() && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) --start;
  std::string line = start > 0 ? "  ..." : "  ";
  std::size_t columns = line.size();
  std::size_t caret = columns;
  std::string_view rest = text.substr(start);
  while (!rest.empty() && columns < 78) {
    if (text.size() - rest.size() <= position) caret = columns;
    columns += append_visible(line, rest);
  }
  if (position >= text.size()) caret = columns;
  if (!rest.empty()) line += "...";
  return message + line + '\n' + std::string(caret, ' ') + '^';
}

}  // namespace hunyuan_reso::cli
