// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_ERROR_HPP
#define HUNYUAN_RESO_TEXT_ERROR_HPP

#include <string>   // string
#include <utility>  // move

#include "../result.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// Why a tokenizer file or a pattern was refused.
enum class [[nodiscard]] TextErrc : std::uint8_t{
    none,
    syntax,         ///< not JSON, or not a line of a rank file
    too_deep,       ///< JSON nested deeper than 64 levels
    invalid_utf8,   ///< the file is not UTF-8
    wrong_type,     ///< a value of another JSON type than expected
    missing,        ///< a key that the format requires
    duplicate,      ///< a key or token that stands twice
    out_of_range,   ///< a number, or a count, beyond what the library takes
    unknown_token,  ///< a merge of tokens that the vocabulary lacks
    unsupported,    ///< valid, but the library does not do it
    pattern,        ///< an error in a split pattern, or a construct that the library does not do
};

/// One sentence a code, without a final dot.
[[nodiscard]] constexpr const char* message(TextErrc code) noexcept {
  switch (code) {
    case TextErrc::none:
      return "no error";
    case TextErrc::syntax:
      return "the file is malformed";
    case TextErrc::too_deep:
      return "the file is nested too deeply";
    case TextErrc::invalid_utf8:
      return "the file is not UTF-8";
    case TextErrc::wrong_type:
      return "a value has the wrong type";
    case TextErrc::missing:
      return "a required key is missing";
    case TextErrc::duplicate:
      return "a key or a token stands twice";
    case TextErrc::out_of_range:
      return "a number or a count is out of range";
    case TextErrc::unknown_token:
      return "a merge names a token that the vocabulary lacks";
    case TextErrc::unsupported:
      return "the file asks for something that this library does not do";
    case TextErrc::pattern:
      return "a split pattern cannot be used";
  }
  return "unknown error";
}

/// What was wrong, where, and what was expected.
struct TextError {
  TextErrc code = TextErrc::none;
  std::size_t position = 0;  ///< in bytes from the start of the file (of the pattern, where a pattern was given alone)
  std::string what;          ///< names the key, token or construct, and what was expected

  /// For `if (TextError error = ...)`: whether there is an error.
  [[nodiscard]] explicit operator bool() const noexcept { return code != TextErrc::none; }
};

/// A value, or the reason why there is none; then * gives an empty value that is safe to use.
template <class T>
class [[nodiscard]] TextResult {
 public:
  TextResult(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  TextResult(TextError error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return error_.code == TextErrc::none; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] const T& operator*() const& noexcept { return value_; }
  [[nodiscard]] T& operator*() & noexcept { return value_; }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] const TextError& error() const noexcept { return error_; }

 private:
  T value_{};
  TextError error_;
};

}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_ERROR_HPP
