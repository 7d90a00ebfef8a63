// SPDX-License-Identifier: MIT
// What is refused, why, and where.
#include <doctest/doctest.h>

#include <hunyuan_reso/text/tokenizer.hpp>

namespace hunyuan_reso_test {
namespace {

namespace text = hunyuan_reso::text;
using text::TextErrc;

const std::string byte_level = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})";
const std::string model = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})";

std::string file_with(const std::string& pre_tokenizer, const std::string& model_part, const std::string& more = "") {
  return R"({"pre_tokenizer":)" + pre_tokenizer + R"(,"decoder":)" + byte_level + R"(,"model":)" + model_part + more +
         "}";
}

/// The error of a file; `expected_at` is what stands where it points.
void check_refused(const std::string& file, TextErrc code, std::string_view expected_at, std::string_view word) {
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(file);
  CAPTURE(file);
  REQUIRE(!made.has_value());
  CHECK(made.error().code == code);
  CAPTURE(made.error().what);
  REQUIRE(made.error().position <= file.size());
  CHECK(std::string(file.substr(made.error().position, expected_at.size())) == std::string(expected_at));
  CHECK(made.error().what.find(word) != std::string::npos);
  CHECK(made->encode("ab").empty());
}

TEST_CASE("a small file") {
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(file_with(byte_level, model));
  REQUIRE_MESSAGE(made.has_value(), made.error().what);
  CHECK(made->encode("abba") == std::vector<hunyuan_reso::TokenId>{2, 1, 0});
  // The reference drops a byte that the vocabulary lacks, and what stands around it can merge.
  CHECK(made->encode("acb") == std::vector<hunyuan_reso::TokenId>{2});
  CHECK(made->vocabulary_size() == 3);
}

TEST_CASE("the order of the keys does not matter") {
  const std::string turned =
      R"({"model":{"merges":[["a","b"]],"vocab":{"b":1,"ab":2,"a":0},"type":"BPE"},"decoder":)" + byte_level +
      R"(,"added_tokens":[{"special":true,"normalized":false,"rstrip":false,"lstrip":false,"single_word":false,"content":"<x>","id":3}],)" +
      R"("pre_tokenizer":)" + byte_level + "}\n";
  const text::TextResult<text::Tokenizer> made = text::Tokenizer::from_json(turned);
  REQUIRE_MESSAGE(made.has_value(), made.error().what);
  CHECK(made->encode("ab<x>") == std::vector<hunyuan_reso::TokenId>{2, 3});
  CHECK(made->id_differences().empty());
}

TEST_CASE("not JSON") {
  check_refused("", TextErrc::syntax, "", "value");
  check_refused("[]", TextErrc::wrong_type, "[", "object");
  check_refused("{\"model\":{}", TextErrc::syntax, "", "'}'");
  check_refused("{\"a\":tru}", TextErrc::syntax, "tru}", "true");
  check_refused("{\"a\":01}", TextErrc::syntax, "01", "number");
  check_refused("{\"a\":1.}", TextErrc::syntax, "1.", "number");
  check_refused("{\"a\":1e}", TextErrc::syntax, "1e", "number");
  check_refused("{\"a\":\"\\x\"}", TextErrc::syntax, "\\x", "escape");
  check_refused("{\"a\":\"\\ud800\"}", TextErrc::syntax, "\\ud800", "surrogate");
  check_refused("{\"a\":\"\\udc00\\ud800\"}", TextErrc::syntax, "\\udc00", "surrogate");
  check_refused("{\"a\":\"\n\"}", TextErrc::syntax, "\n", "control");
  check_refused("{\"a\":\"b", TextErrc::syntax, "", "end of the file");
  check_refused("{\"a\" 1}", TextErrc::syntax, "1", "':'");
  check_refused("{\"a\":1,}", TextErrc::syntax, "}", "key");
  check_refused("{\"a\":[1 2]}", TextErrc::syntax, "2]", "','");
  check_refused("{\"a\":[1,]}", TextErrc::syntax, "]", "value");
  check_refused("{} x", TextErrc::syntax, "x", "end");
  check_refused("{\"a\":\"\xff\"}", TextErrc::invalid_utf8, "\xff", "UTF-8");
  check_refused("{\"a\":" + std::string(64, '[') + "[" + std::string(65, ']') + "}", TextErrc::too_deep, "[]", "64");
}

TEST_CASE("what a file must have") {
  check_refused("{}", TextErrc::missing, "", "model");
  check_refused(R"({"model":{"vocab":{},"merges":[]}})", TextErrc::missing, "", "pre_tokenizer");
  check_refused(R"({"model":{"merges":[]}})", TextErrc::missing, "", "model.vocab");
  check_refused(R"({"model":{"vocab":{}}})", TextErrc::missing, "", "model.merges");
  check_refused(R"({"pre_tokenizer":)" + byte_level + R"(,"model":)" + model + "}", TextErrc::missing, "", "decoder");
  check_refused(R"({"model":null,"model":{}})", TextErrc::duplicate, "{}", "model");
  check_refused(file_with(R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Isolated","invert":false})", model),
                TextErrc::unsupported, R"({"type":"Split")", "ByteLevel");
}

TEST_CASE("what the library does not do is named") {
  const auto with_model = [](const std::string& part) {
    return file_with(byte_level, R"({"vocab":{"a":0},"merges":[],)" + part + "}");
  };
  check_refused(file_with(byte_level, R"({"type":"Unigram","vocab":[["a",0.5]]})"), TextErrc::unsupported,
                "\"Unigram\"", "Unigram");
  check_refused(file_with(byte_level, R"({"type":"WordPiece","vocab":{"a":0}})"), TextErrc::unsupported,
                "\"WordPiece\"", "WordPiece");
  check_refused(with_model(R"("dropout":0.1)"), TextErrc::unsupported, "0.1", "dropout");
  check_refused(with_model(R"("byte_fallback":true)"), TextErrc::unsupported, "true", "byte_fallback");
  check_refused(with_model(R"("continuing_subword_prefix":"##")"), TextErrc::unsupported, "\"##\"",
                "continuing_subword_prefix");
  check_refused(with_model(R"("end_of_word_suffix":"</w>")"), TextErrc::unsupported, "\"</w>\"", "end_of_word_suffix");
  check_refused(with_model(R"("unk_token":"<unk>")"), TextErrc::unsupported, "\"<unk>\"", "unk_token");
  check_refused(file_with(byte_level, model, R"(,"normalizer":{"type":"NFKC"})"), TextErrc::unsupported,
                R"({"type":"NFKC"})", "NFKC");
  check_refused(file_with(byte_level, model,
                          R"(,"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"}]})"),
                TextErrc::unsupported, R"({"type":"Lowercase"})", "Lowercase");
  check_refused(file_with(R"({"type":"Whitespace"})", model), TextErrc::unsupported, R"({"type":"Whitespace"})",
                "Whitespace");
  check_refused(file_with(R"({"type":"Sequence","pretokenizers":[)" + byte_level + "," + byte_level + "]}", model),
                TextErrc::unsupported, byte_level, "after ByteLevel");
  check_refused(file_with(R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"MergedWithNext"})", model),
                TextErrc::unsupported, R"({"type":"Split")", "MergedWithNext");
  check_refused(file_with(R"({"type":"Split","pattern":{"Regex":"a\\b"},"behavior":"Isolated"})", model),
                TextErrc::pattern, R"({"Regex")", "at byte 1 of the pattern");
  check_refused(file_with(byte_level, model, R"(,"truncation":{"max_length":5})"), TextErrc::unsupported,
                R"({"max_length")", "truncation");
  check_refused(file_with(byte_level, model, R"(,"padding":{})"), TextErrc::unsupported, "{}", "padding");
  check_refused(R"({"pre_tokenizer":)" + byte_level + R"(,"decoder":{"type":"WordPiece"},"model":)" + model + "}",
                TextErrc::unsupported, R"({"type":"WordPiece"})", "decoder");
}

TEST_CASE("vocabularies and merges") {
  const auto with = [](const std::string& vocab, const std::string& merges) {
    return file_with(byte_level, R"({"vocab":{)" + vocab + R"(},"merges":[)" + merges + "]}");
  };
  check_refused(with(R"("a":-1)", ""), TextErrc::out_of_range, "-1", "id");
  check_refused(with(R"("a":1.5)", ""), TextErrc::out_of_range, "1.5", "id");
  check_refused(with(R"("a":2097151)", ""), TextErrc::out_of_range, "2097151", "2097150");
  check_refused(with(R"("a":99999999999999999999999)", ""), TextErrc::out_of_range, "9999", "id");
  check_refused(with(R"("a":"b")", ""), TextErrc::wrong_type, "\"b\"", "id");
  check_refused(with(R"("a":0,"b":0)", ""), TextErrc::duplicate, "0}", "two tokens");
  check_refused(with(R"("a":0,"a":1)", ""), TextErrc::duplicate, "1}", "twice");
  check_refused(with(R"("\u4e2d":0,"\u4e2d":1)", ""), TextErrc::duplicate, "1}", "twice");
  check_refused(with(R"("a":0)", R"("a b")"), TextErrc::unknown_token, "\"a b\"", "second");
  check_refused(with(R"("a":0,"b":1)", R"("a b")"), TextErrc::unknown_token, "\"a b\"", "result");
  check_refused(with(R"("b":1)", R"(["a","b"])"), TextErrc::unknown_token, "[\"a\"", "first");
  check_refused(with(R"("b":1)", R"(["b","\u4e2d"])"), TextErrc::unknown_token, "[\"b\"", "second");
  check_refused(with(R"("a":0)", R"("ab")"), TextErrc::syntax, "\"ab\"", "space");
  check_refused(with(R"("a":0)", R"("a b c")"), TextErrc::syntax, "\"a b c\"", "space");
  check_refused(with(R"("a":0)", R"(["a"])"), TextErrc::syntax, "", "two strings");
  check_refused(with(R"("a":0)", R"(["a","a","a"])"), TextErrc::syntax, "", "two strings");
  check_refused(with(R"("a":0)", "1"), TextErrc::wrong_type, "1", "merge");
}

TEST_CASE("added tokens") {
  const auto with = [](const std::string& tokens) {
    return file_with(byte_level, model, R"(,"normalizer":{"type":"NFC"},"added_tokens":[)" + tokens + "]");
  };
  const auto token = [](const std::string& content, const std::string& normalized) {
    return R"({"id":9,"content":")" + content +
           R"(","single_word":false,"lstrip":false,"rstrip":false,"special":false,"normalized":)" + normalized + "}";
  };
  check_refused(with(R"({"id":1,"content":"x"})"), TextErrc::missing, R"({"id")", "single_word");
  check_refused(with(token("x", "false") + "," + token("x", "false")), TextErrc::duplicate, R"({"id")", "twice");
  check_refused(with(token("a", "false") + "," + token("a", "true")), TextErrc::duplicate, R"({"id")", "twice");
  check_refused(with(token("e\u0301", "true")), TextErrc::unsupported, R"({"id")", "normal form");
  check_refused(file_with(byte_level, R"({"vocab":{"a":0,"b":2},"merges":[]})",
                          R"(,"added_tokens":[)" + token("x", "false") + "]"),
                TextErrc::unsupported, R"({"id")", "another token");
  const text::TextResult<text::Tokenizer> made =
      text::Tokenizer::from_json(with(token("", "false") + "," + token("<x>", "false")));
  REQUIRE(made.has_value());
  CHECK(made->encode("a<x>") == std::vector<hunyuan_reso::TokenId>{0, 3});
  REQUIRE(made->id_differences().size() == 1);
  CHECK(made->id_differences()[0].content == "<x>");
  CHECK(made->id_differences()[0].written == 9);
  CHECK(made->id_differences()[0].actual == 3);
}

std::string all_bytes() {
  const char* const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (unsigned byte = 0; byte < 256; ++byte) {
    out += digits[byte >> 2U];
    out += digits[(byte & 3U) << 4U];
    out += "== " + std::to_string(byte) + "\n";
  }
  return out;
}

TEST_CASE("rank files") {
  const std::string bytes = all_bytes();
  const auto load = [&](const std::string& more) { return text::Tokenizer::from_tiktoken(bytes + more, "\\w+|\\s+"); };
  const text::TextResult<text::Tokenizer> made = load("YWI= 256\r\nYmE= 257\nYWJh 300\n");  // ab, ba, aba
  REQUIRE_MESSAGE(made.has_value(), made.error().what);
  CHECK(made->encode("aba") == std::vector<hunyuan_reso::TokenId>{300});
  CHECK(made->encode("bab") == std::vector<hunyuan_reso::TokenId>{98, 256});
  CHECK(made->encode("a!b") == std::vector<hunyuan_reso::TokenId>{97, 98});  // tiktoken drops what does not match
  CHECK(made->token_to_id("aba") == 300);
  CHECK(made->id_to_token(300) == "aba");
  const struct {
    const char* line;
    TextErrc code;
    std::size_t column;
  } cases[] = {{"YWI=", TextErrc::syntax, 4},
               {"YW 256", TextErrc::syntax, 2},
               {"YWJ= 256", TextErrc::syntax, 4},
               {"YWI=256", TextErrc::syntax, 4},
               {"YWI= x", TextErrc::syntax, 5},
               {"YWI= ", TextErrc::syntax, 5},
               {"YQ== 300", TextErrc::duplicate, 0},
               {"YWI= 97", TextErrc::duplicate, 0},
               {"YWI= 2097151", TextErrc::out_of_range, 11},
               {" 5", TextErrc::out_of_range, 0},
               {"!", TextErrc::out_of_range, 0}};
  for (const auto& c : cases) {
    CAPTURE(std::string(c.line));
    const text::TextResult<text::Tokenizer> refused = load(c.line);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == c.code);
    CHECK(refused.error().position == bytes.size() + c.column);
  }
  CHECK(text::Tokenizer::from_tiktoken("YQ== 0\n", "a").error().code == TextErrc::missing);
  CHECK(text::Tokenizer::from_tiktoken(bytes, "a(").error().code == TextErrc::pattern);
  const text::TextResult<text::Tokenizer> special =
      text::Tokenizer::from_tiktoken(bytes, "\\w+", {{"<x>", 400}, {"<x><x>", 401}});
  REQUIRE(special.has_value());
  CHECK(special->encode("a<x><x><x>") == std::vector<hunyuan_reso::TokenId>{97, 401, 400});
  CHECK(special->is_special(401));
  CHECK(text::Tokenizer::from_tiktoken(bytes, "a", {{"<x>", 97}}).error().code == TextErrc::duplicate);
  CHECK(text::Tokenizer::from_tiktoken(bytes, "a", {{"<x>", 300}, {"<x>", 301}}).error().position == 1);
  CHECK(!text::Tokenizer::from_tiktoken(bytes, "a", {{"\xff", 300}}));
}

}  // namespace
}  // namespace hunyuan_reso_test
