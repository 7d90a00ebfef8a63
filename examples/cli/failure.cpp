// SPDX-License-Identifier: MIT
#include "failure.hpp"

namespace hunyuan_reso::cli {
namespace {

/// A character at the front of a text: its code point and its bytes; length 0 where the bytes are no UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

Character front_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  Character c;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) c = {byte(0) & 0x1FU, 2};
  if (byte(0) >= 0xE0 && byte(0) <= 0xEF) c = {byte(0) & 0x0FU, 3};
  if (byte(0) >= 0xF0 && byte(0) <= 0xF4) c = {byte(0) & 0x07U, 4};
  if (c.length == 0 || text.size() < c.length) return {};
  for (std::size_t i = 1; i < c.length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    c.code = c.code << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (c.length == 3 && c.code < 0x800) || (c.length == 4 && c.code < 0x10000);
  const bool surrogate = c.code >= 0xD800 && c.code <= 0xDFFF;
  return overlong || surrogate || c.code > 0x10FFFF ? Character{} : c;
}

struct CodeRange {
  std::uint32_t first, last;
};
/// Blanks, characters without an outline, and those that steer the direction of a text.
constexpr CodeRange invisible[] = {
    {0x80, 0xA0},     {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},      {0x115F, 0x1160}, {0x1680, 0x1680},
    {0x17B4, 0x17B5}, {0x180B, 0x180F},   {0x2000, 0x200F},   {0x2028, 0x202F},    {0x205F, 0x206F}, {0x2800, 0x2800},
    {0x3000, 0x3000}, {0x3164, 0x3164},   {0xD7FF, 0xF8FF},   {0xFE00, 0xFE0F},    {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFF}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0x10FFFF},
};

bool is_invisible(std::uint32_t code) {
  for (const CodeRange& range : invisible) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

void append_hex(std::string& out, std::uint32_t number, int digits) {
  static constexpr char signs[] = "0123456789ABCDEF";
  for (int i = digits - 1; i >= 0; --i) out += signs[number >> (4 * i) & 15U];
}

enum class Spelling { free, exact };

/// Appends what stands at the front of `text` and cuts it off there; returns the columns it takes on a terminal.
std::size_t append_visible(std::string& out, std::string_view& text, Spelling spelling) {
  const std::size_t before = out.size();
  const Character c = front_of(text);
  const std::size_t length = c.length == 0 ? 1 : c.length;
  const bool is_control = c.code < 0x20 || c.code == 0x7F;
  constexpr std::uint32_t times = 0xD7;
  const bool is_plain = c.code < 0x80 || c.code == times || (spelling == Spelling::free && !is_invisible(c.code));
  if (c.length != 0 && !is_control && is_plain) {
    out += text.substr(0, length);
    text.remove_prefix(length);
    return 1;
  }
  if (c.length == 0 || is_control) {
    out += "\\x";
    append_hex(out, static_cast<unsigned char>(text[0]), 2);
  } else {
    out += "<U+";
    append_hex(out, c.code, c.code > 0xFFFFF ? 6 : c.code > 0xFFFF ? 5 : 4);
    out += '>';
  }
  text.remove_prefix(length);
  return out.size() - before;
}

std::string made_visible(std::string_view text, std::size_t longest, Spelling spelling) {
  std::string out;
  std::size_t columns = 0;
  while (!text.empty() && columns < longest) columns += append_visible(out, text, spelling);
  if (!text.empty()) out += "...";
  return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  return made_visible(text, longest, Spelling::free);
}

std::string spelled(std::string_view text, std::size_t longest) { return made_visible(text, longest, Spelling::exact); }

std::string point_at(std::string_view place, std::string_view text, std::size_t position, std::string_view reason) {
  std::string message;
  if (!place.empty()) message.append(place).append(": ");
  message += '\'' + spelled(text, 40) + "': byte " + std::to_string(position + 1) + ": ";
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
    columns += append_visible(line, rest, Spelling::exact);
  }
  if (position >= text.size()) caret = columns;
  if (!rest.empty()) line += "...";
  return message + line + '\n' + std::string(caret, ' ') + '^';
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string reason_of(Errc error, SideOrder order) {
  std::string text = message(error);
  text = replaced(text, "with ModelProfile::with_ratio_token_id", "with --ratio-token INDEX=ID");
  text = replaced(text, "use BasicResolutionGroup with a larger Capacity", "64 are the most");
  text = replaced(text, ": pass it to read_sequence", "");
  text = replaced(text, ": use a larger one", "");
  return replaced(text, "HEIGHTxWIDTH", size_form(order));
}

}  // namespace hunyuan_reso::cli
