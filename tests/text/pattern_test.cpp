// SPDX-License-Identifier: MIT
// The expected pieces were made by Oniguruma (through the npm package tokenizers) and by tiktoken's engine.
#include <doctest/doctest.h>

#include <hunyuan_reso/text/pattern.hpp>

namespace hunyuan_reso_test {
namespace {

namespace text = hunyuan_reso::text;
using text::PatternDialect;
using Pieces = std::vector<std::string>;

Pieces split(std::string_view pattern, std::string_view subject, PatternDialect dialect = PatternDialect::oniguruma) {
  const text::TextResult<text::Pattern> made = text::Pattern::compile(pattern, dialect);
  REQUIRE_MESSAGE(made.has_value(), pattern << ": " << made.error().what);
  text::PatternScratch scratch;
  Pieces pieces;
  std::size_t done = 0;
  made->split(subject, scratch, [&](std::size_t start, std::size_t end, bool) {
    CHECK(start == done);
    CHECK(end > start);
    done = end;
    pieces.emplace_back(subject.substr(start, end - start));
  });
  CHECK(done == subject.size());
  return pieces;
}

TEST_CASE("pieces") {
  CHECK(split("(?i:'s)", "a'\u017ftop") == Pieces{"a", "'\u017f", "top"});
  CHECK(split("(?i:[s])", "a\u017fsSK") == Pieces{"a", "\u017f", "s", "S", "K"});
  CHECK(split("(?i:[k-s])", "\u212a\u017f") == Pieces{"\u212a", "\u017f"});
  CHECK(split("(?i:[^s])", "a\u017fsSK") == Pieces{"a", "\u017fsS", "K"});
  CHECK(split("(?i:\\p{Lu})", "abAB") == Pieces{"ab", "A", "B"});
  CHECK(split("a{2}+", "aaaaaaa") == Pieces{"aaaaaa", "a"});
  CHECK(split("a++a", "aaa") == Pieces{"aaa"});
  CHECK(split("a?+a", "a") == Pieces{"a"});
  CHECK(split("\\s+$", "a  \nb  ") == Pieces{"a", "  ", "\nb", "  "});
  CHECK(split("[^a[b]]", "abcd") == Pieces{"ab", "c", "d"});
  CHECK(split("a{2,}", "aaaaa") == Pieces{"aaaaa"});
  CHECK(split("(?>a|ab)c", "abc") == Pieces{"abc"});
  CHECK(split("a|", "bab") == Pieces{"b", "a", "b"});
  CHECK(split("a*", "baab") == Pieces{"b", "aa", "b"});
  CHECK(split("", "bab") == Pieces{"b", "a", "b"});
  CHECK(split("a+?", "aa") == Pieces{"a", "a"});
  CHECK(split("a??b", "aab") == Pieces{"a", "ab"});
  CHECK(split("(a|b)+", "abab c") == Pieces{"abab", " c"});
  CHECK(split(".", "a\nb\r") == Pieces{"a", "\n", "b", "\r"});
  CHECK(split("\\w+", "1\u00b2\u2177\u2460\u200d\u0301b") == Pieces{"1\u00b2\u2177", "\u2460\u200d", "\u0301b"});
  CHECK(split("[\\w]+", "1\u00b2a") == Pieces{"1", "\u00b2", "a"});
  CHECK(split("\\s+(?!\\S)|\\s+", "a   b  ") == Pieces{"a", "  ", " ", "b", "  "});
  CHECK(split("\\p{N}{1,3}", "1234567") == Pieces{"123", "456", "7"});
  CHECK(split("[-a]+", "a-b") == Pieces{"a-", "b"});
}

TEST_CASE("where the dialects differ") {
  const PatternDialect fancy = PatternDialect::fancy;
  CHECK(split("\\p{N}{1,3}+", "1234567") == Pieces{"1234567"});
  CHECK(split("\\p{N}{1,3}+", "1234567", fancy) == Pieces{"123", "456", "7"});
  CHECK(split("a$", "a\na") == Pieces{"a", "\n", "a"});
  CHECK(split("a$", "a\na", fancy) == Pieces{"a\n", "a"});
  CHECK(split("\\w+", "\u200d1\u00b2", fancy) == Pieces{"\u200d1", "\u00b2"});
  CHECK(split("(?i:ss)", "\u00dfss", fancy) == Pieces{"\u00df", "ss"});
  CHECK(split("\\u{61}", "ba", fancy) == Pieces{"b", "a"});
  CHECK(split("(?i:\\p{Lu}+)", "1ab", fancy) == Pieces{"1", "ab"});
}

TEST_CASE("what is not supported is refused where it stands") {
  const struct {
    const char* pattern;
    std::size_t position;
  } cases[] = {
      {"a(", 1},
      {"a)", 1},
      {"[a", 0},
      {"a(?<=b)", 1},
      {"(?<!a)", 0},
      {"(?<x>a)", 0},
      {"(?i)a", 0},
      {"(?x: a)", 0},
      {"(?#c)", 0},
      {"\\bA", 0},
      {"a\\B", 1},
      {"\\A", 0},
      {"\\z", 0},
      {"\\G", 0},
      {"\\K", 0},
      {"\\R", 0},
      {"\\X", 0},
      {"\\h", 0},
      {"(a)\\1", 3},
      {"\\k<a>", 0},
      {"\\p{Foo}", 3},
      {"\\p{Han}", 3},
      {"\\p{^L}", 3},
      {"\\pL", 0},
      {"\\p{L", 3},
      {"[a&&b]", 2},
      {"[[:alpha:]]", 1},
      {"[]a]", 1},
      {"[]", 1},
      {"[^]", 2},
      {"[\\w-a]", 3},
      {"[z-a]", 3},
      {"[a-\\w]", 3},
      {"^a", 0},
      {"*a", 0},
      {"a**", 2},
      {"a+*", 2},
      {"a{2}{3}", 4},
      {"a{,2}", 1},
      {"a{", 1},
      {"a{3,2}", 1},
      {"a{1001}", 1},
      {"a{2}?", 4},
      {"(?=a)*", 5},
      {"(?!ab)", 0},
      {"(?=a|b)", 0},
      {"(?!)", 0},
      {"(?:a*)*", 6},
      {"(?:)+", 4},
      {"(a|)*", 4},
      {"\\u{61}", 0},
      {"\\xff", 0},
      {"\\x{110000}", 0},
      {"\\x{d800}", 0},
      {"\\", 0},
      {"(?i:ss)", 5},
      {"(?i:\u00df)", 4},
      {"(?i:[\u00df])", 4},
      {"(?i:[\\p{L}])", 4},
      {"(?i:fi)", 5},
      {"(?i:s(?:s))", 8},
      {"(?s:a)", 0},
      {"{", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.pattern));
    const text::TextResult<text::Pattern> made = text::Pattern::compile(c.pattern);
    CHECK(!made.has_value());
    CHECK(made.error().code == text::TextErrc::pattern);
    CHECK(made.error().position == c.position);
    CHECK(!made.error().what.empty());
  }
  for (const char* const pattern : {"[a--b]", "[a~~b]", "(?i:\\P{L})"}) {
    CHECK(!text::Pattern::compile(pattern, PatternDialect::fancy));
  }
}

TEST_CASE("size and depth are bounded") {
  CHECK(!text::Pattern::compile(std::string(8193, 'a')));
  CHECK(text::Pattern::compile(std::string(1000, 'a')).has_value());
  CHECK(!text::Pattern::compile(std::string(1024, 'a')));
  CHECK(!text::Pattern::compile(std::string(40, '(') + "a" + std::string(40, ')')));
  CHECK(!text::Pattern::compile(std::string(20, '[') + "a" + std::string(20, ']')));
  CHECK(!text::Pattern::compile("(?:(?:(?:a{1}b){100}){100}){100}"));
  std::string many;
  for (int i = 0; i < 80; ++i) text::detail::append_utf8(many, 0x4E00U + static_cast<std::uint32_t>(i));
  CHECK(!text::Pattern::compile(many));
  CHECK(text::Pattern::compile("a\xff").error().code == text::TextErrc::invalid_utf8);
}

TEST_CASE("no pattern takes exponential time, and giving up on a try changes no match") {
  // 2000 letters without the end that the pattern wants: stepping through all ways of dividing them would not end.
  const std::string letters(2000, 'a');
  CHECK(split("(?:a|a)*b", letters) == Pieces{letters});
  CHECK(split("(?:a|aa|aaa)+b", letters + "b") == Pieces{letters + "b"});
  CHECK(split("(?:(?:a|aa)+c?)+b", letters) == Pieces{letters});
  CHECK(split("(?:a|aa)+?b|a", "aaa") == Pieces{"a", "a", "a"});
  CHECK(split("(?:a|b|ab)*+c", letters) == Pieces{letters});
}

}  // namespace
}  // namespace hunyuan_reso_test
