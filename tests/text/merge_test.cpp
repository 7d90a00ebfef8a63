// SPDX-License-Identifier: MIT
// The order of merges, on short and on long words, and the time that they take.
#include <doctest/doctest.h>

#include <hunyuan_reso/text/tokenizer.hpp>

#include <ctime>

namespace hunyuan_reso_test {
namespace {

namespace text = hunyuan_reso::text;
using hunyuan_reso::TokenId;
using text::detail::BpeModel;
using text::detail::MergeTable;
using text::detail::TokenKind;

std::uint32_t seed = 1;
std::uint32_t random_below(std::uint32_t limit) {
  seed = seed * 1664525U + 1013904223U;
  return (seed >> 16U) % limit;
}

void add_token(BpeModel& bpe, const std::string& token, TokenId id) {
  const std::size_t start = bpe.vocabulary.bytes().size();
  bpe.vocabulary.bytes() += token;
  REQUIRE(bpe.vocabulary.add(start, TokenKind::bytes, id) == text::detail::Vocabulary::Added::yes);
}

/// Random merges of three letters.
void fill(BpeModel& bpe, std::size_t merges) {
  std::vector<std::string> tokens{"a", "b", "c"};
  for (std::size_t i = 0; i < tokens.size(); ++i) add_token(bpe, tokens[i], static_cast<TokenId>(i));
  for (std::size_t tries = 0; bpe.merges.count() < merges && tries < 1000; ++tries) {
    const std::size_t left = random_below(static_cast<std::uint32_t>(tokens.size()));
    const std::size_t right = random_below(static_cast<std::uint32_t>(tokens.size()));
    const std::string token = tokens[left] + tokens[right];
    if (token.size() > 12 ||
        bpe.merges.rank(static_cast<TokenId>(left), static_cast<TokenId>(right)) != MergeTable::no_rank)
      continue;
    TokenId id = bpe.vocabulary.find(token, TokenKind::bytes);
    if (id < 0) {
      id = static_cast<TokenId>(tokens.size());
      add_token(bpe, token, id);
      tokens.push_back(token);
    }
    bpe.merges.add(static_cast<TokenId>(left), static_cast<TokenId>(right), id);
  }
  bpe.finish();
}

/// The rule itself: the lowest rank, the leftmost of equals, until no pair merges.
std::vector<TokenId> merge_plainly(const BpeModel& bpe, const std::string& word) {
  std::vector<TokenId> ids;
  for (const char c : word) ids.push_back(bpe.byte_ids[static_cast<unsigned char>(c)]);
  for (;;) {
    std::size_t best = ids.size();
    std::uint32_t best_rank = MergeTable::no_rank;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const std::uint32_t rank = bpe.merges.rank(ids[i], ids[i + 1]);
      if (rank < best_rank) {
        best = i;
        best_rank = rank;
      }
    }
    if (best == ids.size()) return ids;
    ids[best] = bpe.merges.result(best_rank);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST_CASE("every length of word merges by the rule") {
  for (int round = 0; round < 60; ++round) {
    BpeModel bpe;
    fill(bpe, 1 + random_below(40));
    text::detail::BpeScratch scratch;
    for (int k = 0; k < 60; ++k) {
      std::string word;
      for (std::uint32_t n = 1 + random_below(k % 2 == 0 ? 20 : 150); n > 0; --n)
        word += static_cast<char>('a' + random_below(3));
      std::vector<TokenId> ids;
      bpe.encode(word, ids, scratch);
      CHECK(ids == merge_plainly(bpe, word));
    }
  }
}

double seconds_for(const text::Tokenizer& tokenizer, const std::string& subject) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t start = std::clock();
    CHECK(!tokenizer.encode(subject).empty());
    best = (std::min)(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

TEST_CASE("sixteen times the text takes sixteen times as long, whatever it is") {
  std::string vocab;
  for (int byte = 0; byte < 256; ++byte) {
    std::string c;
    text::detail::append_byte_characters(c, std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
    vocab += (byte == 0 ? "\"" : ",\"") + (c == "\"" || c == "\\" ? "\\" + c : c) + "\":" + std::to_string(byte);
  }
  std::string merges;
  for (std::size_t n = 2; n <= 64; n *= 2) {
    const std::string half(n / 2, 'a');
    vocab += ",\"" + half + half + "\":" + std::to_string(255 + n);
    merges += (n == 2 ? "[\"" : ",[\"") + half + "\",\"" + half + "\"]";
  }
  const std::string file =
      R"({"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")"
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"
      R"("},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},)"
      R"("decoder":{"type":"ByteLevel"},"model":{"vocab":{)" +
      vocab + "},\"merges\":[" + merges + "]}}";
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(file);
  REQUIRE_MESSAGE(made.has_value(), made.error().what);
  for (const char* const unit :
       {"a", " ", "\n", " \n", "\u0301", "a\u0301", "!", "\u4e2d", "1", "' ", "\u1100\u1161", "ab"}) {
    const auto repeated = [&](std::size_t bytes) {
      std::string out;
      while (out.size() < bytes) out += unit;
      return out;
    };
    const double small = seconds_for(*made, repeated(std::size_t{1} << 16U));
    const double large = seconds_for(*made, repeated(std::size_t{1} << 20U));
    CAPTURE(std::string(unit));
    CAPTURE(small);
    // Quadratic time would be 256 times as long, and 16 times that of n log n is 20.
    CHECK(large < 80 * small + 0.05);
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
