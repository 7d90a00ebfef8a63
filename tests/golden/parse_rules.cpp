// SPDX-License-Identifier: MIT
#include "parse_rules.hpp"

#include <cstdint>

namespace hunyuan_reso_test {
namespace {

constexpr std::string_view ratio_prefix = "<img_ratio_";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Length and value of the digits at the front; the value stops growing at 2^31.
struct Digits {
  std::size_t count = 0;
  std::uint64_t value = 0;
};
Digits digits_at_front(std::string_view text) {
  Digits digits;
  for (; digits.count < text.size() && is_digit(text[digits.count]); ++digits.count) {
    digits.value = digits.value * 10 + static_cast<std::uint64_t>(text[digits.count] - '0');
    if (digits.value > 0x80000000) digits.value = 0x80000000;
  }
  return digits;
}

/// Whether some number (a run of digits) in the text meets the condition.
template <class Condition>
bool any_number(std::string_view text, Condition condition) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Digits digits = digits_at_front(text.substr(i));
    if (digits.count == 0) continue;
    if (condition(digits)) return true;
    i += digits.count;
  }
  return false;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool has_prefix(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

}  // namespace

bool may_refuse(std::string_view text, std::size_t row_count) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '+' || c == '-' || c == '_' || byte >= 0x7F || (byte < 0x20 && !is_blank(c))) {
      // The underscores of <img_ratio_ itself are no excuse.
      if (c != '_' || !has_prefix(text, ratio_prefix) || text.find('_', ratio_prefix.size()) != text.npos) return true;
    }
  }
  if (has_prefix(text, ratio_prefix)) {
    const std::string_view rest = text.substr(ratio_prefix.size());
    const Digits index = digits_at_front(rest);
    return index.count == 0 || rest.substr(index.count) != ">" || index.value >= row_count;
  }
  return any_number(text, [](const Digits& number) { return number.value == 0 || number.value > 0x7FFFFFFF; });
}

bool may_accept(std::string_view text) {
  const std::string_view inner = without_blanks(text);
  if (inner == "auto") return true;
  if (text.find('X') != text.npos || text.find("\xC3\x97") != text.npos) return true;
  if (has_prefix(inner, ratio_prefix) && inner.size() != text.size()) return true;
  return any_number(text, [](const Digits& number) { return number.count > 4300; });
}

}  // namespace hunyuan_reso_test
