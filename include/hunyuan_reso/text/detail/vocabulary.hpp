// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_VOCABULARY_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_VOCABULARY_HPP

#include <vector>  // vector

#include "../utf8.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

inline constexpr TokenId no_id = -1;

/// A token of bytes, or one whose text is not in the byte alphabet (then it can stand in a vocabulary, but no text
/// merges to it).
enum class TokenKind : std::uint8_t { absent, bytes, text };

/// What a token is looked up by: its hash and its first eight bytes.
struct TokenKey {
  std::uint64_t hash;
  std::uint64_t head;
};

[[nodiscard]] inline std::uint64_t load_bytes(const char* p, std::size_t count) noexcept {
  std::uint64_t word = 0;
  if (count >= 8) {
    std::memcpy(&word, p, 8);
    return word;
  }
  for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
  return word;
}

[[nodiscard]] inline TokenKey key_of(const char* p, std::size_t size) noexcept {
  TokenKey key{size * 0x9E3779B97F4A7C15U, load_bytes(p, size)};
  const auto mix = [&](std::uint64_t word) {
    key.hash = (key.hash ^ word) * 0xD6E8FEB86659FD93U;
    key.hash ^= key.hash >> 32U;
  };
  mix(key.head);
  while (size > 8) {
    p += 8;
    size -= 8;
    mix(load_bytes(p, size));
  }
  key.hash = key.hash * 0x9E3779B97F4A7C15U;
  key.hash ^= key.hash >> 32U;
  return key;
}

/// Asks for memory that is needed soon.
inline void prefetch(const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#else
  (void)p;
#endif
}

/// Tokens and their ids, both ways. Ids stay below 2^21 - 1, so that a list by id is never large.
class Vocabulary {
 public:
  static constexpr TokenId max_id = (1 << 21) - 2;

  /// Room for a vocabulary of about this many tokens and bytes.
  void reserve(std::size_t tokens, std::size_t bytes) {
    tokens_.reserve(tokens);
    bytes_.reserve(bytes);
    grow(tokens);
  }

  /// The bytes of a token that is about to be added stand at the end of this.
  [[nodiscard]] std::string& bytes() noexcept { return bytes_; }

  enum class Added : std::uint8_t { yes, token_twice, id_twice };

  /// Adds the token whose bytes `bytes()` has from `start` on; `id` is at most max_id.
  [[nodiscard]] Added add(std::size_t start, TokenKind kind, TokenId id) {
    const std::size_t index = static_cast<std::size_t>(id);
    if (index >= tokens_.size()) tokens_.resize(index + 1);
    if (tokens_[index].kind != TokenKind::absent) return Added::id_twice;
    const std::size_t length = bytes_.size() - start;
    if (2 * (count_ + 1) > slots_.size()) grow(2 * (count_ + 1));
    const TokenKey key = key_of(bytes_.data() + start, length);
    std::size_t at = key.hash & (slots_.size() - 1);
    for (; slots_[at].id != no_id; at = (at + 1) & (slots_.size() - 1)) {
      if (is_same(slots_[at], key, bytes_.data() + start, length, kind)) return Added::token_twice;
    }
    slots_[at] = {key.head, id, pack(length, kind)};
    tokens_[index] = {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(length), kind};
    ++count_;
    if (kind == TokenKind::bytes && length > longest_) longest_ = length;
    return Added::yes;
  }

  [[nodiscard]] TokenId find(std::string_view bytes, TokenKind kind) const noexcept {
    return find(key_of(bytes.data(), bytes.size()), bytes, kind);
  }
  /// With the key of `bytes`.
  [[nodiscard]] TokenId find(const TokenKey& key, std::string_view bytes, TokenKind kind) const noexcept {
    if (slots_.empty()) return no_id;
    std::size_t at = key.hash & (slots_.size() - 1);
    for (; slots_[at].id != no_id; at = (at + 1) & (slots_.size() - 1)) {
      if (is_same(slots_[at], key, bytes.data(), bytes.size(), kind)) return slots_[at].id;
    }
    return no_id;
  }
  /// Before a find with this key.
  void prefetch_slot(const TokenKey& key) const noexcept {
    if (!slots_.empty()) prefetch(&slots_[key.hash & (slots_.size() - 1)]);
  }

  [[nodiscard]] TokenKind kind(TokenId id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < tokens_.size() ? tokens_[static_cast<std::size_t>(id)].kind
                                                                    : TokenKind::absent;
  }
  /// Of an id that is there.
  [[nodiscard]] std::string_view token(TokenId id) const noexcept {
    const Token& token = tokens_[static_cast<std::size_t>(id)];
    return {bytes_.data() + token.start, token.length};
  }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// One more than the highest id.
  [[nodiscard]] std::size_t id_end() const noexcept { return tokens_.size(); }
  /// Bytes of the longest token of bytes.
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

 private:
  struct Token {
    std::uint32_t start = 0;
    std::uint32_t length = 0;
    TokenKind kind = TokenKind::absent;
  };
  struct Slot {
    std::uint64_t head = 0;
    TokenId id = no_id;
    std::uint32_t length_and_kind = 0;
  };

  [[nodiscard]] static std::uint32_t pack(std::size_t length, TokenKind kind) noexcept {
    return static_cast<std::uint32_t>(length) << 2U | static_cast<std::uint32_t>(kind);
  }

  /// A token of up to eight bytes is compared within the slot.
  [[nodiscard]] bool is_same(const Slot& slot, const TokenKey& key, const char* p, std::size_t length,
                             TokenKind kind) const noexcept {
    if (slot.head != key.head || slot.length_and_kind != pack(length, kind)) return false;
    if (length <= 8) return true;
    const std::string_view other = token(slot.id);
    return other.size() == length && std::memcmp(other.data() + 8, p + 8, length - 8) == 0;
  }

  void grow(std::size_t tokens) {
    std::size_t size = 64;
    while (size < 2 * tokens) size *= 2;
    if (size <= slots_.size()) return;
    std::vector<Slot> old(size);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id == no_id) continue;
      const std::string_view bytes = token(slot.id);
      std::size_t at = key_of(bytes.data(), bytes.size()).hash & (size - 1);
      while (slots_[at].id != no_id) at = (at + 1) & (size - 1);
      slots_[at] = slot;
    }
  }

  std::string bytes_;
  std::vector<Token> tokens_;
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_VOCABULARY_HPP
