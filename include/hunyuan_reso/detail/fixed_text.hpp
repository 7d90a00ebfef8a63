// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_FIXED_TEXT_HPP
#define HUNYUAN_RESO_DETAIL_FIXED_TEXT_HPP

#include <string_view>  // string_view

#include "config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// A short text held in place, without allocation. What does not fit is cut off.
template <std::size_t Capacity>
class FixedText {
 public:
  constexpr FixedText() noexcept = default;

  constexpr FixedText& append(std::string_view text) noexcept {
    for (const char c : text) {
      if (size_ < Capacity) data_[size_++] = c;
    }
    return *this;
  }
  /// Appends a number in decimal digits, without leading zeros.
  constexpr FixedText& append_number(std::uint64_t number) noexcept {
    char digits[20]{};
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count != 0) append(std::string_view(&digits[--count], 1));
    return *this;
  }

  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return Capacity; }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_, size_}; }
  /// The same, ending in a zero byte; valid as long as this object.
  [[nodiscard]] constexpr const char* c_str() const noexcept { return data_; }
  constexpr operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

  [[nodiscard]] friend constexpr bool operator==(const FixedText& a, std::string_view b) noexcept {
    return a.view() == b;
  }
  [[nodiscard]] friend constexpr bool operator!=(const FixedText& a, std::string_view b) noexcept {
    return a.view() != b;
  }

 private:
  char data_[Capacity + 1]{};
  std::size_t size_ = 0;
};

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_FIXED_TEXT_HPP
