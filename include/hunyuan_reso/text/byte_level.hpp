// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_BYTE_LEVEL_HPP
#define HUNYUAN_RESO_TEXT_BYTE_LEVEL_HPP

#include "utf8.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// The alphabet of byte-level vocabularies: a printable character of Latin-1 stands for its own byte, the other 68
/// bytes are U+0100 to U+0143 in order.
[[nodiscard]] constexpr bool stands_for_itself(std::uint32_t c) noexcept {
  return (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
}

struct ByteAlphabet {
  std::uint16_t characters[256] = {};  ///< of each byte
  std::int16_t bytes[0x144] = {};      ///< of each character; -1: not in the alphabet
};

[[nodiscard]] constexpr ByteAlphabet make_byte_alphabet() noexcept {
  ByteAlphabet alphabet{};
  for (std::int16_t& byte : alphabet.bytes) byte = -1;
  std::uint16_t next = 0x100;
  for (std::uint16_t byte = 0; byte < 256; ++byte) {
    const std::uint16_t c = stands_for_itself(byte) ? byte : next++;
    alphabet.characters[byte] = c;
    alphabet.bytes[c] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

inline constexpr ByteAlphabet byte_alphabet = make_byte_alphabet();

/// Appends the bytes that a token of valid UTF-8 stands for. False, and nothing appended: it has a character outside
/// the alphabet.
[[nodiscard]] inline bool append_token_bytes(std::string& out, std::string_view token) {
  const std::size_t size = out.size();
  out.resize(size + token.size());
  char* to = out.data() + size;
  const unsigned char* p = reinterpret_cast<const unsigned char*>(token.data());
  for (std::size_t i = 0; i < token.size();) {
    std::uint32_t c = p[i];
    if (c < 0x80U) {
      ++i;
    } else {
      const CodePoint wide = decode_valid(p + i);
      c = wide.value;
      i += wide.length;
    }
    if (c >= 0x144U || byte_alphabet.bytes[c] < 0) {
      out.resize(size);
      return false;
    }
    *to++ = static_cast<char>(static_cast<unsigned char>(byte_alphabet.bytes[c]));
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return true;
}

/// Appends bytes as characters of the alphabet.
inline void append_byte_characters(std::string& out, std::string_view bytes) {
  for (const char c : bytes) append_utf8(out, byte_alphabet.characters[static_cast<unsigned char>(c)]);
}

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_BYTE_LEVEL_HPP
