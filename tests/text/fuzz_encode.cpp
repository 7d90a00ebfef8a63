// SPDX-License-Identifier: MIT
// Any bytes as a text, and any bytes as a pattern. With all bytes in the vocabulary and a normalizer that is off, what
// is encoded comes back; the two ways of merging and a plain third one agree.
#include <hunyuan_reso/text/tokenizer.hpp>

#include <cstdlib>

namespace {

namespace text = hunyuan_reso::text;
using hunyuan_reso::TokenId;

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

std::string rank_file() {
  std::string out;
  int rank = 0;
  const auto add = [&](const std::string& token) { out += base64(token) + ' ' + std::to_string(rank++) + '\n'; };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
  for (const char* const token : {"aa", "ab", "ba", "bb", "aab", "aaaa", "  ", "\n\n", "abab", "the", "th", "he",
                                  "\xe4\xb8", "\xe4\xb8\xad", "\xcc\x81", "aaaaaaaa", "ababab", "    "})
    add(token);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string ranks = rank_file();
  static const text::Tokenizer whole = *text::Tokenizer::from_tiktoken(ranks, "[\\s\\S]+");
  static const text::Tokenizer usual =
      *text::Tokenizer::from_tiktoken(ranks,
                                      "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                                      "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                                      {{"<a>", 900}});
  static const text::detail::NfcNormalizer normalizer;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string valid;
  text::detail::append_lossy(valid, input);
  for (const text::Tokenizer* tokenizer : {&whole, &usual}) {
    if (tokenizer->decode(tokenizer->encode(input)) != valid) std::abort();
  }
  std::string first;
  std::string second;
  const std::string normal(normalizer.normalize(valid, first));
  if (normalizer.normalize(normal, second) != normal) std::abort();
  // The first half as a pattern for the second one.
  const std::string_view pattern = input.substr(0, size / 2);
  for (const text::PatternDialect dialect : {text::PatternDialect::oniguruma, text::PatternDialect::fancy}) {
    const text::TextResult<text::Pattern> made = text::Pattern::compile(pattern, dialect);
    if (!made) {
      if (made.error().position > pattern.size()) std::abort();
      continue;
    }
    text::PatternScratch scratch;
    std::size_t done = 0;
    made->split(valid, scratch, [&](std::size_t start, std::size_t end, bool) {
      if (start != done || end <= start) std::abort();
      done = end;
    });
    if (done != valid.size()) std::abort();
  }
  return 0;
}
