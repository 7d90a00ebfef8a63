// SPDX-License-Identifier: MIT
// encode_lines json FILE | encode_lines ranks FILE PATTERN_FILE [CONTENT ID]...
// Reads JSON strings, one a line, and answers with a JSON array of ids a line. A line "decode [1,2]" is answered with
// the text of the ids as a JSON string.
#include <hunyuan_reso/text/tokenizer.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

namespace text = hunyuan_reso::text;

std::string read_file(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) {
    std::fprintf(stderr, "encode_lines: cannot read %s\n", path);
    std::exit(1);
  }
  return content.str();
}

text::TextResult<text::Tokenizer> load(int count, char** arguments) {
  const std::string kind = count > 2 ? arguments[1] : "";
  if (kind == "json") return text::Tokenizer::from_json(read_file(arguments[2]));
  if (kind == "ranks" && count > 3) {
    std::vector<text::SpecialToken> specials;
    for (int i = 4; i + 1 < count; i += 2) specials.push_back({arguments[i], std::atoi(arguments[i + 1])});
    return text::Tokenizer::from_tiktoken(read_file(arguments[2]), read_file(arguments[3]), specials);
  }
  std::fprintf(stderr, "usage: encode_lines json FILE | encode_lines ranks FILE PATTERN_FILE [CONTENT ID]...\n");
  std::exit(2);
}

void append_json_string(std::string& out, const std::string& value) {
  out += '"';
  for (const char c : value) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string decode(const text::Tokenizer& tokenizer, const std::string& list) {
  std::vector<hunyuan_reso::TokenId> ids;
  for (std::size_t i = 0; i < list.size();) {
    if (list[i] < '0' || list[i] > '9') {
      ++i;
      continue;
    }
    hunyuan_reso::TokenId id = 0;
    for (; i < list.size() && list[i] >= '0' && list[i] <= '9'; ++i) id = id * 10 + (list[i] - '0');
    ids.push_back(id);
  }
  std::string out;
  append_json_string(out, tokenizer.decode(ids));
  return out;
}

std::string encode(const text::Tokenizer& tokenizer, const std::string& line) {
  text::detail::JsonReader reader(line);
  std::string_view value;
  if (!reader.read_string(value, "a line") || !reader.expect_end()) return "null";
  std::string out = "[";
  for (const hunyuan_reso::TokenId id : tokenizer(value)) {
    if (out.size() > 1) out += ',';
    out += std::to_string(id);
  }
  return out + "]";
}

}  // namespace

int main(int count, char** arguments) {
  const text::TextResult<text::Tokenizer> tokenizer = load(count, arguments);
  if (!tokenizer) {
    std::fprintf(stderr, "encode_lines: %s at byte %zu: %s\n", text::message(tokenizer.error().code),
                 tokenizer.error().position, tokenizer.error().what.c_str());
    return 1;
  }
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const bool is_decode = line.compare(0, 7, "decode ") == 0;
    std::cout << (is_decode ? decode(*tokenizer, line) : encode(*tokenizer, line)) << '\n';
  }
}
