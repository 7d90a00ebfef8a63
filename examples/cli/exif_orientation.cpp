// SPDX-License-Identifier: MIT
#include "exif_orientation.hpp"

#include <string>

namespace hunyuan_reso::cli {
namespace {

struct Word {
  const char* text;  ///< lower case
  std::int32_t value;
};

constexpr Word words[] = {
    // exiftool
    {"horizontal (normal)", 1},
    {"mirror horizontal", 2},
    {"rotate 180", 3},
    {"mirror vertical", 4},
    {"mirror horizontal and rotate 270 cw", 5},
    {"rotate 90 cw", 6},
    {"mirror horizontal and rotate 90 cw", 7},
    {"rotate 270 cw", 8},
    // ImageMagick
    {"topleft", 1},
    {"topright", 2},
    {"bottomright", 3},
    {"bottomleft", 4},
    {"lefttop", 5},
    {"righttop", 6},
    {"rightbottom", 7},
    {"leftbottom", 8},
    // none
    {"", 0},
    {"-", 0},
    {"0", 0},
    {"undefined", 0},
    {"unknown", 0},
    {"null", 0},
};

}  // namespace

Result<std::int32_t> parse_orientation(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() == 1 && text[0] >= '1' && text[0] <= '8') return text[0] - '0';
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const Word& word : words) {
    if (lower == word.text) return word.value;
  }
  if (lower.substr(0, 9) == "unknown (") return 0;
  // A column of numbers with gaps comes out of some table programs as 6.0.
  if (lower.size() == 3 && lower[0] >= '0' && lower[0] <= '8' && lower.substr(1) == ".0") return lower[0] - '0';
  return Errc::expected_number;
}

}  // namespace hunyuan_reso::cli
