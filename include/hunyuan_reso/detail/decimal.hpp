// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_DECIMAL_HPP
#define HUNYUAN_RESO_DETAIL_DECIMAL_HPP

#include <string_view>  // string_view

#include "config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// Decimal digits at the front of a text: how many, and their value, or max_side + 1 where it is over max_side.
struct Decimal {
  std::size_t digits = 0;
  std::int64_t value = 0;
};

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr Decimal parse_decimal(std::string_view text) noexcept {
  Decimal result;
  while (result.digits < text.size() && is_digit(text[result.digits])) {
    result.value = result.value * 10 + (text[result.digits++] - '0');
    if (result.value > max_side) result.value = std::int64_t{max_side} + 1;
  }
  return result;
}

[[nodiscard]] constexpr bool starts_with(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && text.substr(0, prefix.size()) == prefix;
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_DECIMAL_HPP
