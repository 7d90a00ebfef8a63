// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_PATTERN_HPP
#define HUNYUAN_RESO_TEXT_PATTERN_HPP

#include "detail/pattern_matcher.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// Memory of a pattern's searches: reusable, one a thread.
using PatternScratch = detail::PatternMatcher;

/// A split pattern, compiled. The leftmost match counts, and of the alternatives the first that fits, as in Perl.
///
/// Supported: literals, '.', [...] with ranges, negation and nesting, \s \d \w \p{L} \p{Lu} ... and their negations,
/// \n \r \t \f \xHH \x{H..} \uHHHH, groups, (?i:...), alternation, ? * + {n} {n,} {n,m} greedy, lazy and possessive,
/// atomic groups, lookahead at one class, '$'. Everything else is refused with its position.
class Pattern {
 public:
  static constexpr std::size_t max_length = 8192;

  /// Error positions are bytes of the pattern.
  [[nodiscard]] static TextResult<Pattern> compile(std::string_view pattern,
                                                   PatternDialect dialect = PatternDialect::oniguruma) {
    if (pattern.size() > max_length) {
      return TextError{TextErrc::pattern, max_length, "a pattern of more than 8192 bytes"};
    }
    const std::size_t valid = detail::valid_prefix(pattern);
    if (valid != pattern.size()) return TextError{TextErrc::invalid_utf8, valid, "the pattern: expected UTF-8"};
    detail::PatternParser parser(pattern, dialect);
    detail::PatternTree tree;
    if (!parser.parse(tree)) return parser.error();
    Pattern made;
    TextError error = detail::PatternCompiler().compile(tree, made.program_);
    if (error) return error;
    return made;
  }

  /// Calls visit(start, end, is_match) for every match in valid UTF-8 and for every stretch between two, in order;
  /// empty ones are left out. An empty match right after a match is none; elsewhere it divides the stretch.
  template <class Visit>
  void split(std::string_view text, PatternScratch& scratch, Visit&& visit) const {
    std::size_t done = 0;
    if (!program_.code.empty()) {
      scratch.set_text(text);
      std::size_t from = 0;
      bool has_match = false;
      std::size_t start = 0;
      std::size_t end = 0;
      while (from <= text.size() && scratch.search(program_, from, start, end)) {
        if (start == end && has_match && end == done) {
          from += from < text.size()
                      ? detail::decode_valid(reinterpret_cast<const unsigned char*>(text.data()) + from).length
                      : 1;
          continue;
        }
        if (start > done) visit(done, start, false);
        if (end > start) visit(start, end, true);
        done = from = end;
        has_match = true;
      }
    }
    if (done < text.size()) visit(done, text.size(), false);
  }

 private:
  detail::PatternProgram program_;
};

}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_PATTERN_HPP
