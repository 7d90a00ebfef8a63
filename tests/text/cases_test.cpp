// SPDX-License-Identifier: MIT
// Small tokenizer files with the reference library's ids (data/cases.json, written by make_cases.mjs).
#include <doctest/doctest.h>

#include <hunyuan_reso/text/stream_decoder.hpp>

#include <fstream>
#include <sstream>
#include <thread>

namespace hunyuan_reso_test {
namespace {

namespace text = hunyuan_reso::text;
using hunyuan_reso::TokenId;
using text::detail::JsonReader;

struct Case {
  std::string text;
  std::vector<TokenId> ids;
  std::string decoded;
};
struct Variant {
  std::string name;
  std::string file;
  std::vector<TokenId> added_ids;
  std::vector<Case> cases;
};

std::vector<TokenId> read_ids(JsonReader& reader) {
  std::vector<TokenId> ids;
  REQUIRE(reader.enter('[', "ids"));
  while (reader.next_element()) {
    std::uint32_t id = 0;
    REQUIRE(reader.read_number(id, 0x7FFFFFFF, "an id"));
    ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

std::string read_text(JsonReader& reader) {
  std::string_view value;
  REQUIRE(reader.read_string(value, "a text"));
  return std::string(value);
}

Case read_case(JsonReader& reader) {
  Case made;
  std::string_view key;
  REQUIRE(reader.enter('{', "a case"));
  while (reader.next_key(key)) {
    if (key == "text") {
      made.text = read_text(reader);
    } else if (key == "decoded") {
      made.decoded = read_text(reader);
    } else {
      made.ids = read_ids(reader);
    }
  }
  return made;
}

std::vector<Variant> read_variants() {
  std::ifstream stream(HUNYUAN_RESO_TEXT_CASES, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  const std::string file = content.str();
  std::vector<Variant> variants;
  JsonReader reader(file);
  REQUIRE(reader.enter('[', "the cases"));
  while (reader.next_element()) {
    Variant variant;
    std::string_view key;
    REQUIRE(reader.enter('{', "a variant"));
    while (reader.next_key(key)) {
      if (key == "name") {
        variant.name = read_text(reader);
      } else if (key == "added_ids") {
        variant.added_ids = read_ids(reader);
      } else if (key == "file") {
        REQUIRE(reader.peek() == '{');
        const std::size_t start = reader.position();
        REQUIRE(reader.skip_value());
        variant.file = file.substr(start, reader.position() - start);
      } else {
        REQUIRE(reader.enter('[', "cases"));
        while (reader.next_element()) variant.cases.push_back(read_case(reader));
      }
    }
    variants.push_back(variant);
  }
  REQUIRE(reader.ok());
  return variants;
}

text::Tokenizer load(const Variant& variant) {
  text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(variant.file);
  REQUIRE_MESSAGE(made.has_value(), variant.name << ": " << made.error().what);
  return *made;
}

TEST_CASE("the reference's ids, and back") {
  const std::vector<Variant> variants = read_variants();
  REQUIRE(variants.size() == 10);
  for (const Variant& variant : variants) {
    const text::Tokenizer tokenizer = load(variant);
    for (const Case& c : variant.cases) {
      CAPTURE(variant.name);
      CAPTURE(c.text);
      CHECK(tokenizer.encode(c.text) == c.ids);
      CHECK(tokenizer(c.text) == c.ids);
      CHECK(tokenizer.decode(c.ids) == c.decoded);
      std::vector<TokenId> appended{7};
      tokenizer.encode(c.text, appended);
      REQUIRE(appended.size() == c.ids.size() + 1);
      CHECK(appended[0] == 7);
      CHECK(std::vector<TokenId>(appended.begin() + 1, appended.end()) == c.ids);
      // A second time, now that it is known which tokens merge to themselves.
      CHECK(tokenizer.encode(c.text) == c.ids);
    }
  }
}

TEST_CASE("added tokens get the reference's ids, and differences are reported") {
  for (const Variant& variant : read_variants()) {
    const text::Tokenizer tokenizer = load(variant);
    REQUIRE(tokenizer.added_tokens().size() == variant.added_ids.size());
    for (std::size_t i = 0; i < variant.added_ids.size(); ++i) {
      const text::AddedToken& token = tokenizer.added_tokens()[i];
      CHECK(token.id == variant.added_ids[i]);
      CHECK(tokenizer.token_to_id(token.content) == token.id);
      CHECK(tokenizer.id_to_token(token.id) == token.content);
      CHECK(tokenizer.is_special(token.id) == (token.content == "<special>"));
    }
    if (variant.name == "added tokens") {
      // All are written with the id 0, but the one that stands in the vocabulary with 900.
      CHECK(tokenizer.id_differences().size() == variant.added_ids.size() - 1);
      CHECK(tokenizer.id_end() == 901);
    }
  }
}

TEST_CASE("a stream gives whole characters, and together the same text") {
  for (const Variant& variant : read_variants()) {
    const text::Tokenizer tokenizer = load(variant);
    for (const Case& c : variant.cases) {
      text::StreamDecoder stream(tokenizer);
      std::string joined;
      for (const TokenId id : c.ids) {
        const std::string part = stream.feed(id);
        CHECK(text::detail::valid_prefix(part) == part.size());
        joined += part;
      }
      CHECK(joined + stream.finish() == c.decoded);
    }
  }
}

TEST_CASE("a stream of any bytes") {
  const std::vector<Variant> variants = read_variants();
  const text::Tokenizer tokenizer = load(variants[0]);
  std::uint32_t seed = 1;
  for (int round = 0; round < 20000; ++round) {
    std::vector<TokenId> ids;
    text::StreamDecoder stream(tokenizer);
    std::string joined;
    for (int i = 0; i < 8; ++i) {
      seed = seed * 1664525U + 1013904223U;
      // Mostly the bytes from 0x80 on, whose ids are themselves.
      const std::uint32_t draw = seed >> 16U;
      ids.push_back(static_cast<TokenId>(draw % 5 == 0 ? draw % 400 : 0x80 + draw % 0x80));
      joined += stream.feed(ids.back());
      CHECK(text::detail::valid_prefix(joined) == joined.size());
    }
    joined += stream.finish();
    CHECK(joined == tokenizer.decode(ids));
  }
  text::StreamDecoder stream(tokenizer);
  CHECK(stream.feed(0xE4).empty());
  CHECK(stream.feed(0xB8).empty());
  CHECK(stream.feed(0xAD) == "\u4e2d");
  CHECK(stream.feed(0xF0).empty());
  CHECK(stream.feed(0x41) == "\ufffdA");
  CHECK(stream.feed(0xE4).empty());
  CHECK(stream.finish() == "\ufffd");
  CHECK(stream.finish().empty());
}

TEST_CASE("special tokens are left out on request") {
  for (const Variant& variant : read_variants()) {
    if (variant.name != "added tokens") continue;
    const text::Tokenizer tokenizer = load(variant);
    const std::vector<TokenId> ids = tokenizer.encode("a<special>b");
    CHECK(tokenizer.decode(ids) == "a<special>b");
    CHECK(tokenizer.decode(ids, true) == "ab");
    text::StreamDecoder stream(tokenizer, true);
    std::string joined;
    for (const TokenId id : ids) joined += stream.feed(id);
    CHECK(joined == "ab");
  }
}

TEST_CASE("bytes that are no text count as U+FFFD, one a maximal part") {
  const text::Tokenizer tokenizer = load(read_variants()[0]);
  const struct {
    std::string_view bytes;
    const char* text;
  } cases[] = {
      {"a\xff"
       "b",
       "a\ufffdb"},
      {"\xe4\xb8", "\ufffd"},
      {"\xe4\xb8"
       "a",
       "\ufffda"},
      {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
      {"\xc0\x80", "\ufffd\ufffd"},
      {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
      {"\xf0\x9f\x98", "\ufffd"},
      {"\x80\x80", "\ufffd\ufffd"},
      {"\xf0\x9f"
       "\xe4\xb8\xad",
       "\ufffd\u4e2d"},
  };
  for (const auto& c : cases) CHECK(tokenizer.encode(c.bytes) == tokenizer.encode(c.text));
}

TEST_CASE("many threads may use one tokenizer") {
  for (const Variant& variant : read_variants()) {
    const text::Tokenizer tokenizer = load(variant);
    std::vector<std::size_t> wrong(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        for (const Case& c : variant.cases) wrong[t] += std::size_t{tokenizer.encode(c.text) != c.ids};
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::size_t count : wrong) CHECK(count == 0);
  }
}

TEST_CASE("a tokenizer without a file has no tokens") {
  const text::Tokenizer tokenizer;
  CHECK(tokenizer.encode("text").empty());
  CHECK(tokenizer.decode({1, 2}).empty());
  CHECK(tokenizer.vocabulary_size() == 0);
  CHECK(tokenizer.id_end() == 0);
  CHECK(tokenizer.token_to_id("a") == -1);
  CHECK(tokenizer.id_to_token(0).empty());
  CHECK(tokenizer.added_tokens().empty());
  CHECK(tokenizer.id_differences().empty());
}

}  // namespace
}  // namespace hunyuan_reso_test
