// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_JSON_HPP
#define HUNYUAN_RESO_TEXT_JSON_HPP

#include "utf8.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// Reads JSON from the front to the back without building a tree. After an error every call fails and `error()` says
/// where and why. The text must be UTF-8. Cheap to copy: a copy is a bookmark.
class JsonReader {
 public:
  static constexpr int max_depth = 64;

  JsonReader() = default;
  explicit JsonReader(std::string_view text) : text_(text) {}

  [[nodiscard]] const TextError& error() const noexcept { return error_; }
  [[nodiscard]] bool ok() const noexcept { return error_.code == TextErrc::none; }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }

  /// Moves to the next value and names its first character: { [ " t f n, '0' for a number, 0 for an error.
  [[nodiscard]] char peek() {
    if (!ok()) return 0;
    skip_space();
    if (at_ == text_.size()) return fail_syntax("a value, found the end of the file");
    const char c = text_[at_];
    if (c == '-' || (c >= '0' && c <= '9')) return '0';
    if (c == '{' || c == '[' || c == '"' || c == 't' || c == 'f' || c == 'n') return c;
    return fail_syntax("a value");
  }

  [[nodiscard]] bool at_null() { return peek() == 'n'; }

  /// Enters { or [. `what` names the value in the error.
  bool enter(char open, const char* what) {
    const char found = peek();
    if (found == 0) return false;
    if (found != open)
      return fail(TextErrc::wrong_type,
                  std::string(what) + (open == '{' ? ": expected an object" : ": expected an array"));
    ++at_;
    is_first_ = true;
    return true;
  }

  /// The next element of the array that was entered; false at its end and after an error.
  bool next_element() { return next(']'); }

  /// The next key of the object that was entered, and moves to its value. `key` is valid until the next string is read.
  bool next_key(std::string_view& key) {
    if (!next('}')) return false;
    if (at_ == text_.size() || text_[at_] != '"') return fail_syntax("a key in double quotes") != 0;
    if (!read_string(key, "a key")) return false;
    skip_space();
    if (at_ == text_.size() || text_[at_] != ':') return fail_syntax("':'") != 0;
    ++at_;
    return true;
  }

  /// A string, unescaped. `value` is valid until the next string is read.
  bool read_string(std::string_view& value, const char* what) {
    const char found = peek();
    if (found == 0) return false;
    if (found != '"') return fail(TextErrc::wrong_type, std::string(what) + ": expected a string");
    const std::size_t start = ++at_;
    if (!scan_string()) return false;
    if (text_[at_] == '"') {
      value = text_.substr(start, at_ - start);
      ++at_;
      return true;
    }
    return read_escaped(start, value);
  }

  bool read_bool(bool& value, const char* what) {
    const char found = peek();
    if (found == 0) return false;
    if (found != 't' && found != 'f') return fail(TextErrc::wrong_type, std::string(what) + ": expected true or false");
    value = found == 't';
    return read_word(value ? "true" : "false");
  }

  /// A whole number of at most `limit`.
  bool read_number(std::uint32_t& value, std::uint32_t limit, const char* what) {
    const char found = peek();
    if (found == 0) return false;
    const std::size_t start = at_;
    if (found != '0') return fail(TextErrc::wrong_type, std::string(what) + ": expected a number");
    if (!skip_number()) return false;
    std::uint64_t number = 0;
    for (std::size_t i = start; i < at_; ++i) {
      const char c = text_[i];
      number = c < '0' || c > '9' ? std::uint64_t{limit} + 1 : number * 10 + static_cast<std::uint64_t>(c - '0');
      if (number > limit) {
        at_ = start;
        return fail(TextErrc::out_of_range,
                    std::string(what) + ": expected a whole number of 0 to " + std::to_string(limit));
      }
    }
    value = static_cast<std::uint32_t>(number);
    return true;
  }

  /// Steps over any value, checking its grammar; at most 64 levels deep.
  bool skip_value() {
    std::uint64_t is_object = 0;  // one bit a level
    int depth = 0;
    for (;;) {
      const char c = peek();
      if (c == 0) return false;
      if (c == '{' || c == '[') {
        if (depth == max_depth) return fail(TextErrc::too_deep, "expected at most 64 levels");
        is_object = is_object << 1U | (c == '{' ? 1U : 0U);
        ++depth;
        ++at_;
        is_first_ = true;
      } else if (!skip_scalar(c)) {
        return false;
      }
      // To the next value of the innermost container that has one.
      while (depth > 0) {
        if ((is_object & 1U) != 0 ? skip_key() : next(']')) break;
        if (!ok()) return false;
        is_object >>= 1U;
        --depth;
      }
      if (depth == 0) return true;
    }
  }

  /// Only white space may follow.
  bool expect_end() {
    skip_space();
    return at_ == text_.size() || fail_syntax("the end of the file") != 0;
  }

  bool fail(TextErrc code, std::string what) { return fail_at(at_, code, std::move(what)); }
  bool fail_at(std::size_t position, TextErrc code, std::string what) {
    if (ok()) error_ = TextError{code, position, std::move(what)};
    return false;
  }

 private:
  char fail_syntax(const char* expected) {
    (void)fail(TextErrc::syntax, std::string("expected ") + expected);
    return 0;
  }

  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  bool next(char close) {
    if (!ok()) return false;
    skip_space();
    if (at_ < text_.size() && text_[at_] == close) {
      ++at_;
      is_first_ = false;
      return false;
    }
    if (!is_first_) {
      if (at_ == text_.size() || text_[at_] != ',') return fail_syntax(close == ']' ? "',' or ']'" : "',' or '}'") != 0;
      ++at_;
      skip_space();
    }
    is_first_ = false;
    return true;
  }

  /// To the end of a string or to its first escape.
  bool scan_string() {
    while (at_ < text_.size()) {
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"' || c == '\\') return true;
      if (c < 0x20U) return fail_syntax("an escape in place of a control character") != 0;
      ++at_;
    }
    return fail_syntax("'\"', found the end of the file") != 0;
  }

  bool read_escaped(std::size_t start, std::string_view& value) {
    scratch_.assign(text_.data() + start, at_ - start);
    while (text_[at_] != '"') {
      if (!read_escape()) return false;
      const std::size_t from = at_;
      if (!scan_string()) return false;
      scratch_.append(text_.data() + from, at_ - from);
    }
    ++at_;
    value = scratch_;
    return true;
  }

  bool read_escape() {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    const char* const names = "\"\\/bfnrt";
    const char* const values = "\"\\/\b\f\n\r\t";
    for (int i = 0; i < 8; ++i) {
      if (c == names[i]) {
        scratch_.push_back(values[i]);
        at_ += 2;
        return true;
      }
    }
    std::uint32_t unit = 0;
    if (c != 'u' || !read_unit(at_ + 2, unit)) return fail_syntax("an escape of JSON") != 0;
    std::uint32_t code_point = unit;
    std::size_t length = 6;
    if (unit >= 0xD800U && unit < 0xE000U) {
      std::uint32_t low = 0;
      const bool is_pair = unit < 0xDC00U && at_ + 8 < text_.size() && text_[at_ + 6] == '\\' &&
                           text_[at_ + 7] == 'u' && read_unit(at_ + 8, low) && low >= 0xDC00U && low < 0xE000U;
      if (!is_pair) return fail_syntax("a surrogate pair") != 0;
      code_point = 0x10000U + ((unit - 0xD800U) << 10U) + (low - 0xDC00U);
      length = 12;
    }
    append_utf8(scratch_, code_point);
    at_ += length;
    return true;
  }

  [[nodiscard]] bool read_unit(std::size_t from, std::uint32_t& unit) const noexcept {
    if (from + 4 > text_.size()) return false;
    unit = 0;
    for (std::size_t i = from; i < from + 4; ++i) {
      const char c = text_[i];
      const char lower = static_cast<char>(c | 0x20);
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit && (lower < 'a' || lower > 'f')) return false;
      unit = unit << 4U | static_cast<std::uint32_t>(is_digit ? c - '0' : lower - 'a' + 10);
    }
    return true;
  }

  bool skip_key() {
    std::string_view key;
    return next_key(key);
  }

  bool skip_scalar(char c) {
    if (c == '"') {
      std::string_view ignored;
      return read_string(ignored, "");
    }
    if (c == '0') return skip_number();
    return read_word(c == 't' ? "true" : c == 'f' ? "false" : "null");
  }

  bool read_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail_syntax("true, false or null") != 0;
    at_ += word.size();
    return true;
  }

  bool skip_number() {
    std::size_t i = at_;
    const auto digits = [&] {
      const std::size_t from = i;
      while (i < text_.size() && text_[i] >= '0' && text_[i] <= '9') ++i;
      return i != from;
    };
    if (text_[i] == '-') ++i;
    const bool has_leading_zero = i + 1 < text_.size() && text_[i] == '0' && text_[i + 1] >= '0' && text_[i + 1] <= '9';
    bool good = !has_leading_zero && digits();
    if (good && i < text_.size() && text_[i] == '.') {
      ++i;
      good = digits();
    }
    if (good && i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
      ++i;
      if (i < text_.size() && (text_[i] == '+' || text_[i] == '-')) ++i;
      good = digits();
    }
    if (!good) return fail_syntax("a number") != 0;
    at_ = i;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool is_first_ = false;
  std::string scratch_;
  TextError error_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_JSON_HPP
