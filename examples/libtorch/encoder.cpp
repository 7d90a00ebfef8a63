// SPDX-License-Identifier: MIT
#include "encoder.hpp"

#include <charconv>  // from_chars
#include <fstream>   // ifstream
#include <iostream>  // cin
#include <iterator>  // istreambuf_iterator

#include "error.hpp"

namespace hunyuan_generate {
namespace {

using hunyuan_reso::TokenId;

constexpr char id_open = '\2', id_close = '\3';
constexpr TokenId byte_count = 256;

// The id and the length of a special token, or of an id between control characters, at the start of the text; length 0
// where there is neither.
std::pair<TokenId, std::size_t> leading_token(std::string_view text) {
  constexpr std::size_t longest = 24;
  const char close = text.front() == id_open ? id_close : '>';
  const std::size_t end = text.substr(0, longest).find(close);
  if (end == std::string_view::npos) return {0, 0};
  if (close == id_close) {
    TokenId id = 0;
    const auto parsed = std::from_chars(text.data() + 1, text.data() + end, id);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + end ? std::pair{id, end + 1}
                                                                       : std::pair{id, std::size_t{0}};
  }
  const auto token = hunyuan_reso::find_token(text.substr(0, end + 1));
  return token ? std::pair{*token, end + 1} : std::pair{TokenId{0}, std::size_t{0}};
}

}  // namespace

std::vector<TokenId> BytesEncoder::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    const bool may_be_token = text.front() == '<' || text.front() == id_open;
    const auto [id, length] = may_be_token ? leading_token(text) : std::pair{TokenId{0}, std::size_t{0}};
    ids.push_back(length > 0 ? id : Vocabulary::first_text_id + static_cast<unsigned char>(text.front()));
    text.remove_prefix(length > 0 ? length : 1);
  }
  return ids;
}

std::string BytesEncoder::decode(const std::vector<TokenId>& ids) const {
  std::string text;
  for (const TokenId id : ids) {
    const TokenId byte = id - Vocabulary::first_text_id;
    const hunyuan_reso::TokenText token = hunyuan_reso::token_text(id);
    if (!token.empty()) {
      text += token.view();
    } else if (byte >= ' ' && byte < byte_count && byte != '<') {
      text += static_cast<char>(byte);
    } else {
      text += id_open + std::to_string(id) + id_close;  // also '<', which could start the text of a token
    }
  }
  return text;
}

std::vector<TokenId> read_ids(const std::string& path, const Vocabulary& vocabulary, std::int64_t vocab_size) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file) throw Error(path + ": cannot open");
  std::istream& stream = path == "-" ? std::cin : file;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::vector<TokenId> ids;
  const char* const end = text.data() + text.size();
  for (const char* next = text.data(); next != end;) {
    if (std::string_view(" \t\r\n,").find(*next) != std::string_view::npos) {
      ++next;
      continue;
    }
    std::int64_t id = 0;
    const auto parsed = std::from_chars(next, end, id);
    if (parsed.ec != std::errc()) {
      throw Error(path + ": byte " + std::to_string(next - text.data()) + " does not start a token id");
    }
    const bool inside = id >= 0 && id < vocab_size;
    const TokenId token = inside ? vocabulary.to_published(id) : hunyuan_reso::invalid_token_id;
    if (token == hunyuan_reso::invalid_token_id) {
      throw Error(path + ": token id " + std::to_string(id) + " is not in the checkpoint's vocabulary of " +
                  std::to_string(vocab_size));
    }
    ids.push_back(token);
    next = parsed.ptr;
  }
  if (ids.empty()) throw Error(path + ": no token ids");
  return ids;
}

}  // namespace hunyuan_generate
