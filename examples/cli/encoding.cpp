// SPDX-License-Identifier: MIT
#include "encoding.hpp"

namespace hunyuan_reso::cli {
namespace {

std::string convert_from(const std::string& encoding) {
  return "this is " + encoding + ", expected UTF-8: convert it with iconv -f " + encoding + " -t UTF-8 FILE";
}

}  // namespace

std::string encoding_fault(std::string_view text) {
  using namespace std::string_view_literals;
  const auto starts_with = [&](std::string_view mark) { return text.substr(0, mark.size()) == mark; };
  if (starts_with("\xFF\xFE\0\0"sv) || starts_with("\0\0\xFE\xFF"sv)) return convert_from("UTF-32");
  if (starts_with("\xFF\xFE"sv) || starts_with("\xFE\xFF"sv)) return convert_from("UTF-16");
  const std::string_view head = text.substr(0, 4096);
  const std::size_t first = head.find('\0');
  if (first == std::string_view::npos) return "";
  // ASCII in UTF-16 has a zero in every second byte.
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < head.size(); ++i) zeros[i % 2] += head[i] == '\0' ? 1U : 0U;
  const std::size_t half = head.size() / 2;
  if (zeros[1] * 10 >= half * 9 && zeros[0] * 10 <= half) return convert_from("UTF-16LE");
  if (zeros[0] * 10 >= half * 9 && zeros[1] * 10 <= half) return convert_from("UTF-16BE");
  return "byte " + std::to_string(first + 1) + " is zero (NUL), expected text: drop such bytes with tr -d '\\0' < FILE";
}

}  // namespace hunyuan_reso::cli
