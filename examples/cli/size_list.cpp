// SPDX-License-Identifier: MIT
#include "size_list.hpp"

#include <vector>

#include "failure.hpp"
#include "table_text.hpp"

namespace hunyuan_reso::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// A text in plain ASCII signs, and where each of them was.
struct Plain {
  std::string text;
  std::vector<std::size_t> at;  ///< one more than `text` has: its end

  [[nodiscard]] std::size_t find_visible(std::size_t from) const {
    while (from < text.size() && detail::is_blank(text[from])) ++from;
    return from;
  }
  [[nodiscard]] std::size_t find_no_digit(std::size_t from) const {
    while (from < text.size() && is_digit(text[from])) ++from;
    return from;
  }
  [[nodiscard]] Result<ImageSize> error(Errc reason, std::size_t position) const {
    return {reason, at[position < at.size() ? position : at.size() - 1]};
  }
};

struct Sign {
  std::string_view from;
  char to;
};
/// The sign U+00D7, U+2236 (ratio) and full-width forms.
constexpr Sign signs[] = {
    {"\xC3\x97", 'x'},     {"\xE2\x88\xB6", ':'}, {"\xEF\xBC\x9A", ':'}, {"\xEF\xBC\x8F", '/'},
    {"\xEF\xBC\x8A", '*'}, {"\xEF\xBD\x98", 'x'}, {"\xEF\xBC\xB8", 'x'}, {"\xEF\xBC\x8C", ','},
};

Plain plain_of(std::string_view text) {
  Plain plain;
  for (std::size_t i = 0; i < text.size();) {
    Sign found{text.substr(i, 1), text[i]};
    for (const Sign& sign : signs) {
      if (text.substr(i, sign.from.size()) == sign.from) found = sign;
    }
    plain.text += found.to;
    plain.at.push_back(i);
    i += found.from.size();
  }
  plain.at.push_back(text.size());
  return plain;
}

/// Blanks in place of brackets around the whole.
void open_brackets(std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\v\f");
  const std::size_t last = text.find_last_not_of(" \t\r\v\f");
  if (first == std::string::npos) return;
  const bool matched = (text[first] == '[' && text[last] == ']') || (text[first] == '(' && text[last] == ')');
  if (matched) text[first] = text[last] = ' ';
}

/// Blanks in place of `px` after a number.
void drop_units(std::string& text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (lower(text[i]) != 'p' || lower(text[i + 1]) != 'x') continue;
    std::size_t before = i;
    while (before > 0 && detail::is_blank(text[before - 1])) --before;
    const bool after_number = before > 0 && is_digit(text[before - 1]);
    const bool ends = i + 2 == text.size() || !is_letter(text[i + 2]) || lower(text[i + 2]) == 'x';
    if (after_number && ends) text[i] = text[i + 1] = ' ';
  }
}

/// One 'x' or ':' in place of what stands between two numbers.
void plain_separator(Plain& plain) {
  std::string& text = plain.text;
  std::size_t i = plain.find_visible(0);
  const std::size_t after_number = plain.find_no_digit(i);
  if (after_number == i) return;
  i = plain.find_visible(after_number);
  if (i == text.size()) return;
  if (text[i] == ',' || text[i] == '*') text[i] = 'x';
  if (text[i] == '/') text[i] = ':';
  if (is_digit(text[i])) text[after_number] = 'x';
}

struct Decimals {
  std::int64_t digits = 0;  ///< the number without its point
  int places = 0;           ///< behind the point
  std::size_t end = 0;
};

/// "2.39"; the end is where it began where there is none.
Decimals read_decimals(const std::string& text, std::size_t start) {
  Decimals number;
  std::size_t i = start;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (number.digits <= max_side) number.digits = number.digits * 10 + (text[i] - '0');
  }
  if (i == start) return {0, 0, start};
  if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
    for (++i; i < text.size() && is_digit(text[i]); ++i) {
      if (number.digits > max_side) continue;
      number.digits = number.digits * 10 + (text[i] - '0');
      ++number.places;
    }
    while (number.places > 0 && number.digits % 10 == 0) number.digits /= 10, --number.places;
  }
  number.end = i;
  return number;
}

/// A ratio of which a side has a point: 2.39:1 is 239:100.
Result<ImageSize> parse_decimal_ratio(const Plain& plain, const ModelProfile& profile) {
  const std::string& text = plain.text;
  const std::size_t start = plain.find_visible(0);
  Decimals first = read_decimals(text, start);
  if (first.end == start) return plain.error(Errc::expected_number, start);
  std::size_t i = plain.find_visible(first.end);
  if (i == text.size() || (text[i] != ':' && text[i] != '/')) return plain.error(Errc::expected_separator, i);
  const std::size_t second_start = plain.find_visible(i + 1);
  Decimals second = read_decimals(text, second_start);
  if (second.end == second_start) return plain.error(Errc::expected_number, second_start);
  i = plain.find_visible(second.end);
  if (i != text.size()) return plain.error(Errc::expected_end, i);
  if (first.digits == 0) return plain.error(Errc::number_not_positive, start);
  if (second.digits == 0) return plain.error(Errc::number_not_positive, second_start);
  while (first.places < second.places && first.digits <= max_side) first.digits *= 10, ++first.places;
  while (second.places < first.places && second.digits <= max_side) second.digits *= 10, ++second.places;
  if (first.digits > max_side) return plain.error(Errc::number_too_large, start);
  if (second.digits > max_side) return plain.error(Errc::number_too_large, second_start);
  const auto a = static_cast<std::int32_t>(first.digits);
  const auto b = static_cast<std::int32_t>(second.digits);
  return ImageSize::of_ratio(profile.ratio_order == RatioOrder::height_width ? Resolution{a, b} : Resolution{b, a});
}

/// Whether a text has two numbers with something between them, so that the byte at fault says enough.
bool has_two_numbers(std::string_view text) {
  std::size_t i = 0;
  int numbers = 0;
  while (i < text.size()) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    ++numbers;
    while (i < text.size() && is_digit(text[i])) ++i;
  }
  return numbers >= 2;
}

}  // namespace

Result<ImageSize> parse_size(std::string_view text, const ModelProfile& profile, SideOrder order) {
  Plain plain = plain_of(text);
  open_brackets(plain.text);
  drop_units(plain.text);
  std::string word;
  for (const char c : plain.text) {
    if (!detail::is_blank(c)) word += lower(c);
  }
  if (word == "auto") return ImageSize{};
  if (plain.text.find('.') != std::string::npos && plain.text.find_first_of(":/") != std::string::npos) {
    return parse_decimal_ratio(plain, profile);
  }
  plain_separator(plain);
  const Result<ImageSize> parsed = parse_image_size(plain.text, profile);
  if (!parsed) return plain.error(parsed.error(), parsed.position());
  if (parsed->kind != ImageSizeKind::pixels || order == SideOrder::height_width) return parsed;
  return ImageSize::of_pixels({parsed->size.width, parsed->size.height});
}

std::string size_refusal(std::string_view text, const Result<ImageSize>& refused, SideOrder order,
                         const std::string& forms) {
  std::string reason = reason_of(refused.error(), order);
  const std::size_t at = refused.position();
  if (at < text.size() && text[at] == '\0') return "a zero byte (NUL), expected text: tr -d '\\0' drops such bytes";
  if (at < text.size() && text[at] == '.') return "expected whole pixels: only a ratio (2.39:1) has decimals";
  const bool is_syntax = refused.error() == Errc::expected_number || refused.error() == Errc::expected_separator ||
                         refused.error() == Errc::expected_end;
  if (!is_syntax || has_two_numbers(text)) return reason;
  bool has_letter = false;
  for (const char c : text) has_letter = has_letter || is_letter(c);
  if (has_letter) reason = "this names no height and width";
  if (!forms.empty()) return reason + "; expected " + forms;
  return reason + "; the forms are " + size_form(order) + " (1024x768), a ratio A:B (16:9, 2.39:1), <img_ratio_i>";
}

std::string size_doubt(std::string_view text, const ImageSize& read, SideOrder order) {
  if (read.kind != ImageSizeKind::pixels) return "";
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const bool starts = text[i] == '0' && is_digit(text[i + 1]) && (i == 0 || !is_digit(text[i - 1]));
    if (!starts) continue;
    return "a number begins with 0, read as " + size_text(read.size, order) + " (" +
           (order == SideOrder::width_height ? "width x height" : "height x width") + "): is a digit missing?";
  }
  return "";
}

}  // namespace hunyuan_reso::cli
