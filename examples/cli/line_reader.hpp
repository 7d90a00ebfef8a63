// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_CLI_LINE_READER_HPP
#define HUNYUAN_RESO_CLI_LINE_READER_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hunyuan_reso::cli {

/// A file that is open for reading; "-" is standard input. Throws Refusal.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = 0;
};

/// Reads a descriptor in blocks of whole lines; memory stays constant.
class LineReader {
 public:
  /// Most bytes in a line, its line feed not counted.
  static constexpr std::size_t longest_line = (std::size_t{1} << 20) - 1;

  explicit LineReader(int descriptor);

  struct Block {
    std::string_view lines;     ///< whole lines, each with its line feed; 16 readable bytes follow
    bool too_long = false;      ///< `lines` is instead the beginning of one line that is longer than longest_line
    bool at_end = false;        ///< nothing is left
    bool more_waiting = false;  ///< the input filled the buffer, so that the next block is there already
  };
  /// The first block comes without its byte order mark, and goes at least as far as the first line that is not blank;
  /// throws Refusal where its first line is UTF-16 or no text at all.
  [[nodiscard]] Block next();
  /// The next bytes as they come, not cut at line feeds, however long the lines; goes on after any block.
  [[nodiscard]] Block next_bytes();

 private:
  static constexpr std::size_t capacity = longest_line + 1;

  Block next_block();
  bool skip_rest_of_long_line();

  int descriptor_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool skipping_ = false;
};

/// Decimal digits at the front of a text.
struct ShortNumber {
  std::uint32_t value = 0;
  std::uint32_t digits = 0;  ///< 0 where there are none, or eight and more
};

/// Reads 8 bytes from `text` at once.
[[nodiscard]] inline ShortNumber read_short_number(const char* text) noexcept {
  std::uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  word ^= 0x3030303030303030U;  // digits become 0 .. 9
  const std::uint64_t others = ((word + 0x7676767676767676U) | word) & 0x8080808080808080U;
  if (others == 0) return {};
#if defined(__GNUC__)
  const auto digits = static_cast<std::uint32_t>(__builtin_ctzll(others)) / 8;
#else
  std::uint32_t digits = 0;
  while ((others >> (8 * digits) & 0x80U) == 0) ++digits;
#endif
  if (digits == 0) return {};
  word <<= 64 - 8 * digits;  // zeros in front, the last digit on top
  word = word * 10 + (word >> 8);
  const std::uint64_t value =
      (word & 0x000000FF000000FFU) * 0x000F424000000064U + (word >> 16 & 0x000000FF000000FFU) * 0x0000271000000001U;
  return {static_cast<std::uint32_t>(value >> 32), digits};
}

struct PlainPair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

/// The common line: two short numbers without a zero in front, one separator of 'x', 'X', ',' (also with a blank), ' ',
/// tab, and the end. Advances `text` past the line feed; false, without a change, for every other line.
[[nodiscard]] inline bool read_plain_pair(const char*& text, PlainPair& pair) noexcept {
  const ShortNumber first = read_short_number(text);
  const char* at = text + first.digits;
  const bool separated = *at == 'x' || *at == ',' || *at == ' ' || *at == 'X' || *at == '\t';
  if (first.value == 0 || !separated || *text == '0') return false;
  ++at;
  if (*at == ' ' && at[-1] == ',') ++at;
  const ShortNumber second = read_short_number(at);
  if (second.value == 0 || *at == '0') return false;
  at += second.digits;
  if (*at == '\r') ++at;
  if (*at != '\n') return false;
  pair = {first.value, second.value};
  text = at + 1;
  return true;
}

}  // namespace hunyuan_reso::cli

#endif  // HUNYUAN_RESO_CLI_LINE_READER_HPP
