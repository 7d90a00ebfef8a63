// SPDX-License-Identifier: MIT
// Any bytes as a text, and any bytes as a pattern. With all bytes in the vocabulary and a normalizer that is off, what
// is encoded comes back. The ids are those of a plain merge: the pair of lowest rank, the first one of equals, again
// and again. HUNYUAN_RESO_FUZZ_RANKS names a rank file of one's own (cl100k_base.tiktoken) to be used besides.
#include <hunyuan_reso/text/stream_decoder.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "fuzz.hpp"

namespace {

namespace text = hunyuan_reso::text;
using hunyuan_reso::TokenId;
using Ids = std::vector<TokenId>;

constexpr const char* everything = "[\\s\\S]+";
constexpr const char* usual_pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

std::string base64(std::string_view bytes) {
  const char* const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string small_ranks() {
  std::string out;
  int rank = 0;
  const auto add = [&](const std::string& token) { out += base64(token) + ' ' + std::to_string(rank++) + '\n'; };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
  for (const char* const token : {"aa", "ab", "ba", "bb", "aab", "aaaa", "  ", "\n\n", "abab", "the", "th", "he",
                                  "\xe4\xb8", "\xe4\xb8\xad", "\xcc\x81", "aaaaaaaa", "ababab", "    "})
    add(token);
  return out;
}

/// A tokenizer of a rank file, and the same with nothing but a map.
struct Pair {
  Pair(const std::string& ranks, const char* pattern_text)
      : tokenizer(*text::Tokenizer::from_tiktoken(ranks, pattern_text, {{"<a>", 200000}})),
        pattern(*text::Pattern::compile(pattern_text, text::PatternDialect::fancy)) {
    for (TokenId id = 0; id < tokenizer.id_end(); ++id) {
      const std::string_view token = tokenizer.token_bytes(id);
      if (!token.empty() && id != 200000) ranks_of.emplace(token, id);
    }
    ALWAYS(ranks_of.size() >= 256);
  }

  [[nodiscard]] Ids plain(const std::string& valid) const {
    Ids ids;
    std::string_view rest = valid;
    for (;;) {
      const std::size_t at = rest.find("<a>");
      const std::string_view part = rest.substr(0, at);
      text::PatternScratch scratch;
      pattern.split(part, scratch,
                    [&](std::size_t start, std::size_t end, bool) { merge(part.substr(start, end - start), ids); });
      if (at == std::string_view::npos) return ids;
      ids.push_back(200000);
      rest.remove_prefix(at + 3);
    }
  }

  text::Tokenizer tokenizer;

 private:
  [[nodiscard]] TokenId rank(std::string_view token) const {
    const auto found = ranks_of.find(std::string(token));
    return found == ranks_of.end() ? -1 : found->second;
  }

  void merge(std::string_view word, Ids& ids) const {
    if (const TokenId whole = rank(word); whole >= 0) return ids.push_back(whole);
    std::vector<std::string_view> parts;
    for (std::size_t i = 0; i < word.size(); ++i) parts.push_back(word.substr(i, 1));
    for (;;) {
      std::size_t best = parts.size();
      TokenId lowest = -1;
      for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        const TokenId found = rank({parts[i].data(), parts[i].size() + parts[i + 1].size()});
        if (found >= 0 && (lowest < 0 || found < lowest)) lowest = found, best = i;
      }
      if (lowest < 0) break;
      parts[best] = {parts[best].data(), parts[best].size() + parts[best + 1].size()};
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    for (const std::string_view part : parts) ids.push_back(rank(part));
  }

  text::Pattern pattern;
  std::unordered_map<std::string, TokenId> ranks_of;
};

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> made = [] {
    std::vector<Pair> list;
    list.emplace_back(small_ranks(), everything);
    list.emplace_back(small_ranks(), usual_pattern);
    if (const char* const path = std::getenv("HUNYUAN_RESO_FUZZ_RANKS")) {
      std::ifstream stream(path, std::ios::binary);
      const std::string ranks{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
      list.emplace_back(ranks, usual_pattern);
    }
    return list;
  }();
  return made;
}

/// The first half of an input as a pattern for the second one.
void check_pattern(std::string_view pattern, std::string_view valid) {
  for (const text::PatternDialect dialect : {text::PatternDialect::oniguruma, text::PatternDialect::fancy}) {
    const text::TextResult<text::Pattern> made = text::Pattern::compile(pattern, dialect);
    if (!made) {
      ALWAYS(made.error().position <= pattern.size() && !made.error().what.empty());
      continue;
    }
    text::PatternScratch scratch;
    std::size_t done = 0;
    made->split(valid, scratch, [&](std::size_t start, std::size_t end, bool) {
      ALWAYS(start == done && end > start);
      done = end;
    });
    ALWAYS(done == valid.size());
  }
}

}  // namespace

FUZZ_TARGET(encode) {
  std::string valid;
  text::detail::append_lossy(valid, input);
  ALWAYS(text::detail::valid_prefix(valid) == valid.size());
  for (const Pair& pair : pairs()) {
    const Ids ids = pair.tokenizer.encode(input);
    ALWAYS(pair.tokenizer.decode(ids) == valid);
    ALWAYS(ids == pair.plain(valid));
    text::StreamDecoder stream(pair.tokenizer);
    std::string joined;
    for (const TokenId id : ids) {
      const std::string more = stream.feed(id);
      ALWAYS(text::detail::valid_prefix(more) == more.size());
      joined += more;
    }
    ALWAYS(joined + stream.finish() == valid);
  }
  static const text::detail::NfcNormalizer normalizer;
  std::string first;
  std::string second;
  const std::string normal(normalizer.normalize(valid, first));
  ALWAYS(text::detail::valid_prefix(normal) == normal.size());
  ALWAYS(normalizer.normalize(normal, second) == normal);
  check_pattern(input.substr(0, input.size() / 2), valid);
}
