// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_PATTERN_CLASS_PARSER_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_PATTERN_CLASS_PARSER_HPP

#include "../unicode.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// Which engine's reading of a pattern counts, where they differ: {1,3}+, $, \w and foldings into several characters.
enum class PatternDialect : std::uint8_t {
  oniguruma,  ///< of tokenizer.json
  fancy,      ///< of tiktoken
};

namespace detail {

/// Where a parser is in the pattern, and its first error.
struct PatternCursor {
  std::string_view pattern;
  PatternDialect dialect = PatternDialect::oniguruma;
  std::size_t at = 0;
  TextError error{};

  [[nodiscard]] bool ok() const noexcept { return error.code == TextErrc::none; }
  [[nodiscard]] bool at_end() const noexcept { return at == pattern.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at + ahead < pattern.size() ? pattern[at + ahead] : '\0';
  }
  [[nodiscard]] bool is(char c) const noexcept { return !at_end() && pattern[at] == c; }
  bool take(char c) noexcept {
    if (!is(c)) return false;
    ++at;
    return true;
  }
  bool take(std::string_view word) noexcept {
    if (pattern.substr(at, word.size()) != word) return false;
    at += word.size();
    return true;
  }
  bool fail(std::string what) {
    if (ok()) error = TextError{TextErrc::pattern, at, std::move(what)};
    return false;
  }
};

/// Single characters, escapes and [...] classes.
class ClassParser {
 public:
  explicit ClassParser(PatternCursor& cursor) noexcept : cursor_(&cursor) {}

  /// One character or escape. A literal is left to the caller; a set such as \s is added to `set`.
  [[nodiscard]] bool parse_single(CodePointSet& set, std::uint32_t& literal, bool& is_literal, bool ignore_case) {
    is_literal = true;
    if (cursor_->at_end()) return cursor_->fail("expected a character, found the end of the pattern");
    if (!cursor_->is('\\')) {
      const CodePoint c = decode_valid(reinterpret_cast<const unsigned char*>(cursor_->pattern.data()) + cursor_->at);
      literal = c.value;
      cursor_->at += c.length;
      return true;
    }
    const std::size_t start = cursor_->at++;
    const char c = cursor_->peek();
    const bool is_punctuation = c > ' ' && c < 0x7F && !is_letter(c) && !(c >= '0' && c <= '9');
    if (is_punctuation || c == ' ') {
      literal = static_cast<unsigned char>(c);
      ++cursor_->at;
      return true;
    }
    ++cursor_->at;
    switch (c) {
      case 'n':
        return (literal = '\n') != 0;
      case 'r':
        return (literal = '\r') != 0;
      case 't':
        return (literal = '\t') != 0;
      case 'f':
        return (literal = '\f') != 0;
      case 'x':
      case 'u':
        if (parse_code(c, literal)) return true;
        break;
      default:
        is_literal = false;
        if (parse_set(c, set, ignore_case)) return true;
        break;
    }
    cursor_->at = start;
    return cursor_->fail("an escape that is not supported");
  }

  /// [...]. Nested classes are joined to their outer one.
  [[nodiscard]] bool parse_class(CodePointSet& set, bool ignore_case) {
    ++class_depth_;
    const bool good = parse_members(set, ignore_case);
    --class_depth_;
    return good;
  }

 private:
  [[nodiscard]] static bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

  [[nodiscard]] bool parse_members(CodePointSet& set, bool ignore_case) {
    const std::size_t start = cursor_->at++;
    if (class_depth_ > 8) return cursor_->fail("classes nested deeper than 8 levels");
    const bool is_negated = cursor_->take('^');
    if (cursor_->is(']')) return cursor_->fail("']' as the first member of a class; escape it");
    bool has_sets = false;
    bool is_first = true;
    while (!cursor_->is(']')) {
      if (cursor_->at_end()) {
        cursor_->at = start;
        return cursor_->fail("a class without its closing ']'");
      }
      if (!parse_member(set, ignore_case, is_first, has_sets)) return false;
      is_first = false;
    }
    ++cursor_->at;
    set.normalize();
    if (ignore_case && !close_class(set, has_sets, start)) return false;
    if (is_negated) set.negate();
    return true;
  }

  [[nodiscard]] bool parse_member(CodePointSet& set, bool ignore_case, bool is_first, bool& has_sets) {
    if (cursor_->peek() == '&' && cursor_->peek(1) == '&') return cursor_->fail("'&&' in a class");
    if (cursor_->dialect == PatternDialect::fancy) {
      if (cursor_->peek() == '~' && cursor_->peek(1) == '~') return cursor_->fail("'~~' in a class");
      if (cursor_->peek() == '-' && cursor_->peek(1) == '-') return cursor_->fail("'--' in a class");
    }
    if (cursor_->is('[')) {
      if (cursor_->peek(1) == ':') return cursor_->fail("a POSIX class such as [:alpha:]");
      CodePointSet inner;
      if (!parse_class(inner, ignore_case)) return false;
      set.add(inner);
      has_sets = true;
      return true;
    }
    const std::size_t start = cursor_->at;
    const bool is_plain_dash = cursor_->is('-');
    std::uint32_t first = 0;
    bool is_literal = false;
    if (!parse_single(set, first, is_literal, ignore_case)) return false;
    if (is_plain_dash && !cursor_->is(']') && !is_first) {
      cursor_->at = start;
      return cursor_->fail("'-' between members of a class; escape it");
    }
    has_sets = has_sets || !is_literal;
    if (!is_literal) return true;
    std::uint32_t last = first;
    if (cursor_->is('-') && cursor_->peek(1) != ']') {
      ++cursor_->at;
      const std::size_t end = cursor_->at;
      bool is_end_literal = false;
      const bool is_odd = cursor_->is('[') || cursor_->is('-');
      if (is_odd || !parse_single(set, last, is_end_literal, ignore_case) || !is_end_literal || last < first) {
        cursor_->at = end;
        return cursor_->fail("the end of a range: expected a character that is not before its start");
      }
    }
    set.add(first, last);
    return true;
  }

  [[nodiscard]] bool close_class(CodePointSet& set, bool has_sets, std::size_t start) {
    if (cursor_->dialect == PatternDialect::oniguruma) {
      bool is_refused = has_sets;
      for (const std::uint32_t source : multiple_fold_sources) is_refused = is_refused || set.contains(source);
      if (is_refused) {
        cursor_->at = start;
        return cursor_->fail("a class under (?i) with more than letters that fold to one character");
      }
    }
    close_under_case(set);
    return true;
  }

  /// After \x or \u: {hex}, two or four digits.
  [[nodiscard]] bool parse_code(char kind, std::uint32_t& literal) {
    const bool is_fancy = cursor_->dialect == PatternDialect::fancy;
    const bool is_braced = (kind == 'x' || is_fancy) && cursor_->take('{');
    const int wanted = is_braced ? 8 : kind == 'x' ? 2 : 4;
    std::uint64_t value = 0;
    int digits = 0;
    for (; digits < wanted; ++digits) {
      const char c = cursor_->peek();
      const char lower = static_cast<char>(c | 0x20);
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit && (lower < 'a' || lower > 'f')) break;
      value = value << 4U | static_cast<std::uint64_t>(is_digit ? c - '0' : lower - 'a' + 10);
      ++cursor_->at;
    }
    const bool is_complete = is_braced ? digits > 0 && cursor_->take('}') : digits == wanted;
    const bool is_surrogate = value >= 0xD800U && value < 0xE000U;
    const bool is_byte = kind == 'x' && !is_braced && !is_fancy && value >= 0x80U;  // a raw byte to Oniguruma
    if (!is_complete || is_surrogate || is_byte || value >= code_point_limit) return false;
    literal = static_cast<std::uint32_t>(value);
    return true;
  }

  /// \s \d \w \p{..} and their negations.
  [[nodiscard]] bool parse_set(char c, CodePointSet& set, bool ignore_case) {
    CodePointSet found;
    switch (c) {
      case 's':
      case 'S':
        found = white_space();
        break;
      case 'd':
      case 'D':
        found.add_categories(category_mask("Nd"));
        break;
      case 'w':
      case 'W':
        found = words();
        break;
      case 'p':
      case 'P':
        if (!parse_property(found)) return false;
        break;
      default:
        return false;
    }
    found.normalize();
    if (c == 'P' && ignore_case) return cursor_->fail("\\P under (?i)");
    if (c < 'a') found.negate();
    set.add(found);
    return true;
  }

  [[nodiscard]] CodePointSet words() const {
    CodePointSet set = word_characters();
    if (cursor_->dialect == PatternDialect::fancy) return set;
    // Oniguruma does not count the joiners; outside of [...] it does count the superscripts and fractions of Latin-1.
    set.negate();
    set.add(0x200C, 0x200D);
    set.normalize();
    set.negate();
    if (class_depth_ > 0) return set;
    set.add(0xB2, 0xB3);
    set.add(0xB9, 0xB9);
    set.add(0xBC, 0xBE);
    set.normalize();
    return set;
  }

  [[nodiscard]] bool parse_property(CodePointSet& set) {
    if (!cursor_->take('{')) return false;
    const std::size_t start = cursor_->at;
    while (!cursor_->at_end() && !cursor_->is('}')) ++cursor_->at;
    const std::string_view name = cursor_->pattern.substr(start, cursor_->at - start);
    const std::uint32_t mask = category_mask(name);
    if (mask == 0 || name == "Cs" || !cursor_->take('}')) {
      cursor_->at = start;
      return cursor_->fail("the property '" + std::string(name.substr(0, 64)) +
                           "'; expected a general category such as L or Lu");
    }
    set.add_categories(mask);
    return true;
  }

  PatternCursor* cursor_;
  int class_depth_ = 0;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_PATTERN_CLASS_PARSER_HPP
