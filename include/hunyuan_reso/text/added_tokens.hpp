// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_ADDED_TOKENS_HPP
#define HUNYUAN_RESO_TEXT_ADDED_TOKENS_HPP

#include "unicode.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {

/// A token that is found in the text before anything else is done to it.
struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool special = false;
  bool normalized = false;   ///< is looked for in the normalized text
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool single_word = false;  ///< only where no word character stands before or after it
};

namespace detail {

/// Finds added tokens: the leftmost, of those the longest, then on from its end. A text of n bytes takes at most n
/// times the longest token's steps.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() : roots_(256, none) {}

  /// `content` is what to look for; of equal ones the first added counts.
  void add(std::string_view content, const AddedToken& token) {
    if (content.empty()) return;
    if (tokens_.empty()) white_space_ = white_space();
    if (token.single_word && words_.ranges().empty()) words_ = word_characters();
    std::uint32_t* link = &roots_[static_cast<unsigned char>(content[0])];
    for (std::size_t i = 0;; ++i) {
      const unsigned char byte = static_cast<unsigned char>(content[i]);
      while (*link != none && nodes_[*link].byte != byte) link = &nodes_[*link].sibling;
      std::uint32_t node = *link;
      if (node == none) {
        node = *link = static_cast<std::uint32_t>(nodes_.size());
        nodes_.push_back({none, none, none, byte});
      }
      if (i + 1 == content.size()) {
        if (nodes_[node].token == none) nodes_[node].token = static_cast<std::uint32_t>(tokens_.size());
        break;
      }
      link = &nodes_[node].child;
    }
    tokens_.push_back({token.id, token.lstrip, token.rstrip, token.single_word});
  }

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }

  /// Calls on_text(part) and on_token(id) for what `text`, valid UTF-8, is made of, in order.
  template <class OnText, class OnToken>
  void split(std::string_view text, OnText&& on_text, OnToken&& on_token) const {
    std::size_t done = 0;
    std::size_t at = 0;
    while (!tokens_.empty() && at < text.size()) {
      if (roots_[static_cast<unsigned char>(text[at])] == none) {
        ++at;
        continue;
      }
      std::size_t length = 0;
      const std::uint32_t found = longest_at(text, at, length);
      if (found == none) {
        ++at;
        continue;
      }
      std::size_t start = at;
      std::size_t stop = at += length;
      const Token& token = tokens_[found];
      if (token.single_word && !stands_alone(text, start, stop)) continue;
      if (token.lstrip) {
        start = (std::max)(before_space(text, start), done);
      }
      if (token.rstrip) stop = after_space(text, stop);
      if (done < start) on_text(text.substr(done, start - done));
      on_token(token.id);
      done = stop;
    }
    if (done < text.size()) on_text(text.substr(done));
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;
  struct Node {
    std::uint32_t child;
    std::uint32_t sibling;
    std::uint32_t token;
    unsigned char byte;
  };
  struct Token {
    TokenId id;
    bool lstrip;
    bool rstrip;
    bool single_word;
  };

  [[nodiscard]] std::uint32_t longest_at(std::string_view text, std::size_t at, std::size_t& length) const noexcept {
    std::uint32_t found = none;
    std::uint32_t node = roots_[static_cast<unsigned char>(text[at])];
    for (std::size_t i = at; node != none;) {
      ++i;
      if (nodes_[node].token != none) {
        found = nodes_[node].token;
        length = i - at;
      }
      if (i == text.size()) break;
      node = nodes_[node].child;
      while (node != none && nodes_[node].byte != static_cast<unsigned char>(text[i])) node = nodes_[node].sibling;
    }
    return found;
  }

  [[nodiscard]] static const unsigned char* bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  [[nodiscard]] static std::size_t previous_start(std::string_view text, std::size_t at) noexcept {
    do {
      --at;
    } while (is_continuation(bytes(text)[at]));
    return at;
  }

  [[nodiscard]] bool stands_alone(std::string_view text, std::size_t start, std::size_t stop) const noexcept {
    const bool follows_word =
        start > 0 && words_.contains(decode_valid(bytes(text) + previous_start(text, start)).value);
    const bool precedes_word = stop < text.size() && words_.contains(decode_valid(bytes(text) + stop).value);
    return !follows_word && !precedes_word;
  }
  [[nodiscard]] std::size_t before_space(std::string_view text, std::size_t at) const noexcept {
    while (at > 0) {
      const std::size_t start = previous_start(text, at);
      if (!white_space_.contains(decode_valid(bytes(text) + start).value)) break;
      at = start;
    }
    return at;
  }
  [[nodiscard]] std::size_t after_space(std::string_view text, std::size_t at) const noexcept {
    while (at < text.size()) {
      const CodePoint c = decode_valid(bytes(text) + at);
      if (!white_space_.contains(c.value)) break;
      at += c.length;
    }
    return at;
  }

  std::vector<std::uint32_t> roots_;
  std::vector<Node> nodes_;
  std::vector<Token> tokens_;
  CodePointSet white_space_;
  CodePointSet words_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_ADDED_TOKENS_HPP
