// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_UTF8_HPP
#define HUNYUAN_RESO_TEXT_UTF8_HPP

#include <cstring>      // memcpy
#include <string>       // string
#include <string_view>  // string_view

#include "error.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

inline constexpr std::uint32_t replacement_character = 0xFFFD;
inline constexpr std::uint32_t code_point_limit = 0x110000;

namespace detail {

struct CodePoint {
  std::uint32_t value;
  std::uint32_t length;  ///< bytes
};

[[nodiscard]] constexpr bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80U; }

/// The code point at `p` of valid UTF-8.
[[nodiscard]] inline CodePoint decode_valid(const unsigned char* p) noexcept {
  const std::uint32_t a = p[0];
  if (a < 0x80U) return {a, 1};
  if (a < 0xE0U) return {(a & 0x1FU) << 6U | (p[1] & 0x3FU), 2};
  if (a < 0xF0U) {
    return {(a & 0x0FU) << 12U | (p[1] & 0x3FU) << 6U | (p[2] & 0x3FU), 3};
  }
  return {(a & 0x07U) << 18U | (p[1] & 0x3FU) << 12U | (p[2] & 0x3FU) << 6U | (p[3] & 0x3FU), 4};
}

/// One step through bytes that may be anything: `length` bytes that are a character, or a maximal part of none.
struct Utf8Step {
  std::uint32_t length;
  bool is_valid;
  bool is_cut;  ///< a part that more bytes could complete
};

[[nodiscard]] inline Utf8Step step_utf8(const unsigned char* p, std::size_t count) noexcept {
  const unsigned char a = p[0];
  if (a < 0x80U) return {1, true, false};
  if (a < 0xC2U || a > 0xF4U) return {1, false, false};
  const std::uint32_t wanted = a < 0xE0U ? 2 : a < 0xF0U ? 3 : 4;
  // The second byte excludes overlong forms, surrogates and what lies above U+10FFFF.
  const unsigned char low = a == 0xE0U ? 0xA0U : a == 0xF0U ? 0x90U : 0x80U;
  const unsigned char high = a == 0xEDU ? 0x9FU : a == 0xF4U ? 0x8FU : 0xBFU;
  for (std::uint32_t i = 1; i < wanted; ++i) {
    if (i == count) return {i, false, true};
    const bool fits = i == 1 ? p[i] >= low && p[i] <= high : is_continuation(p[i]);
    if (!fits) return {i, false, false};
  }
  return {wanted, true, false};
}

/// How many bytes from the start are valid.
[[nodiscard]] inline std::size_t valid_prefix(std::string_view text) noexcept {
  const unsigned char* p = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t i = 0;
  while (i < text.size()) {
    while (i + 8 <= text.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, p + i, 8);
      if ((word & 0x8080808080808080U) != 0) break;
      i += 8;
    }
    if (i == text.size()) break;
    const Utf8Step step = step_utf8(p + i, text.size() - i);
    if (!step.is_valid) return i;
    i += step.length;
  }
  return i;
}

inline void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80U) {
    put(c);
  } else if (c < 0x800U) {
    put(0xC0U | c >> 6U);
    put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000U) {
    put(0xE0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3FU));
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
}

/// Appends `text`, with U+FFFD for each maximal part that is not UTF-8 (what browsers and Rust do).
inline void append_lossy(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t valid = valid_prefix(text);
    out.append(text.data(), valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    append_utf8(out, replacement_character);
    text.remove_prefix(step_utf8(reinterpret_cast<const unsigned char*>(text.data()), text.size()).length);
  }
}

}  // namespace detail

}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_UTF8_HPP
