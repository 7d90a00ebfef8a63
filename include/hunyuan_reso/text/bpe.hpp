// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_BPE_HPP
#define HUNYUAN_RESO_TEXT_BPE_HPP

#include <algorithm>  // make_heap, pop_heap, push_heap
#include <atomic>     // atomic
#include <memory>     // make_unique, unique_ptr

#include "detail/vocabulary.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// Which pairs of tokens merge, in which order, and into what.
class MergeTable {
 public:
  static constexpr std::uint32_t no_rank = (1U << 22U) - 1;  // and merges are fewer

  void reserve(std::size_t merges) {
    std::size_t size = 64;
    while (size < 2 * merges) size *= 2;
    if (size > slots_.size()) rehash(size);
    results_.reserve(merges);
  }

  /// Merges are added in order of their ranks, 0, 1, 2 ...; the last rank of a pair counts, as in the reference.
  void add(TokenId left, TokenId right, TokenId result) {
    add(left, right, static_cast<std::uint32_t>(results_.size()));
    results_.push_back(result);
  }

  /// For rank files, where the rank is the result's id.
  void add(TokenId left, TokenId right, std::uint32_t rank) {
    if (2 * (count_ + 1) > slots_.size()) rehash(slots_.empty() ? 64 : 2 * slots_.size());
    const std::uint64_t key = key_of(left, right);
    std::uint64_t& slot = slots_[find(key)];
    if (slot == empty) ++count_;
    slot = key << 22U | rank;
  }
  void set_results(std::vector<TokenId>&& results) { results_ = std::move(results); }

  /// no_rank: the two do not merge.
  [[nodiscard]] std::uint32_t rank(TokenId left, TokenId right) const noexcept {
    const std::uint64_t slot = slots_[find(key_of(left, right))];
    return static_cast<std::uint32_t>(slot) & no_rank;  // an empty slot has no_rank, too
  }
  [[nodiscard]] TokenId result(std::uint32_t rank) const noexcept { return results_[rank]; }
  [[nodiscard]] std::size_t count() const noexcept { return results_.size(); }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};

  [[nodiscard]] static std::uint64_t key_of(TokenId left, TokenId right) noexcept {
    return static_cast<std::uint64_t>(left) << 21U | static_cast<std::uint64_t>(right);
  }
  [[nodiscard]] std::size_t find(std::uint64_t key) const noexcept {
    std::uint64_t hash = key * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != empty && slots_[at] >> 22U != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void rehash(std::size_t size) {
    std::vector<std::uint64_t> old(size, empty);
    old.swap(slots_);
    for (const std::uint64_t slot : old) {
      if (slot != empty) slots_[find(slot >> 22U)] = slot;
    }
  }

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(64, empty);
  std::vector<TokenId> results_;
  std::size_t count_ = 0;
};

/// Memory of the merging; reusable, one a thread.
struct BpeScratch {
  struct Symbol {
    TokenId id;
    std::uint32_t rank;  ///< of the merge with the next symbol
    std::uint32_t previous;
    std::uint32_t next;
  };
  std::vector<Symbol> symbols;
  std::vector<std::uint64_t> heap;
};

/// The merging of one word's bytes into tokens: of all pairs of neighbours that merge, always the one of the lowest
/// rank, the leftmost of equals.
class BpeModel {
 public:
  Vocabulary vocabulary;
  MergeTable merges;
  bool ignore_merges = false;  ///< a word that is a token itself is that token, whatever its merges give
  TokenId byte_ids[256];       ///< no_id: the vocabulary lacks the byte, and the reference drops it

  BpeModel() {
    for (TokenId& id : byte_ids) id = no_id;
  }

  /// After the last token and merge.
  void finish() {
    for (std::size_t i = 0; i < 256; ++i) {
      const char byte = static_cast<char>(static_cast<unsigned char>(i));
      byte_ids[i] = vocabulary.find(std::string_view(&byte, 1), TokenKind::bytes);
    }
    whole_ = std::make_unique<std::atomic<std::uint8_t>[]>(vocabulary.id_end());
  }

  /// Appends the ids of one word.
  void encode(std::string_view word, std::vector<TokenId>& out, BpeScratch& scratch) const {
    if (word.size() == 1) {
      const TokenId id = byte_ids[static_cast<unsigned char>(word[0])];
      if (id != no_id) out.push_back(id);
      return;
    }
    const TokenId whole = word.size() <= vocabulary.longest() ? vocabulary.find(word, TokenKind::bytes) : no_id;
    if (whole == no_id) return merge(word, out, scratch);
    if (ignore_merges) return out.push_back(whole);
    // Does the token's text merge to the token? Asked once a token; threads that ask together get the same answer.
    std::atomic<std::uint8_t>& state = whole_[static_cast<std::size_t>(whole)];
    const std::uint8_t known = state.load(std::memory_order_relaxed);
    if (known == merges_to_itself) return out.push_back(whole);
    const std::size_t start = out.size();
    merge(word, out, scratch);
    if (known == not_asked) {
      const bool is_itself = out.size() == start + 1 && out[start] == whole;
      state.store(is_itself ? merges_to_itself : merges_to_others, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::uint8_t not_asked = 0, merges_to_itself = 1, merges_to_others = 2;
  static constexpr std::size_t short_word = 48;
  static constexpr std::uint32_t none = 0xFFFFFFFFU;

  void merge(std::string_view word, std::vector<TokenId>& out, BpeScratch& scratch) const {
    if (word.size() <= short_word) {
      merge_short(word, out);
    } else {
      merge_long(word, out, scratch);
    }
  }

  /// Looks through all pairs before each merge: quick for few, quadratic for many.
  void merge_short(std::string_view word, std::vector<TokenId>& out) const {
    TokenId ids[short_word];
    std::uint32_t ranks[short_word];
    std::size_t count = 0;
    for (const char c : word) {
      const TokenId id = byte_ids[static_cast<unsigned char>(c)];
      if (id != no_id) ids[count++] = id;
    }
    for (std::size_t i = 0; i + 1 < count; ++i) ranks[i] = merges.rank(ids[i], ids[i + 1]);
    while (count > 1) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < count; ++i) {
        if (ranks[i] < ranks[best]) best = i;
      }
      if (ranks[best] == MergeTable::no_rank) break;
      ids[best] = merges.result(ranks[best]);
      --count;
      for (std::size_t i = best + 1; i < count; ++i) ids[i] = ids[i + 1];
      for (std::size_t i = best + 1; i + 1 < count; ++i) ranks[i] = ranks[i + 1];
      if (best > 0) ranks[best - 1] = merges.rank(ids[best - 1], ids[best]);
      if (best + 1 < count) ranks[best] = merges.rank(ids[best], ids[best + 1]);
    }
    out.insert(out.end(), ids, ids + count);
  }

  /// Keeps the pairs in a heap: n log n steps for n bytes, whatever they are.
  void merge_long(std::string_view word, std::vector<TokenId>& out, BpeScratch& scratch) const {
    std::vector<BpeScratch::Symbol>& symbols = scratch.symbols;
    std::vector<std::uint64_t>& heap = scratch.heap;
    symbols.clear();
    heap.clear();
    for (const char c : word) {
      const TokenId id = byte_ids[static_cast<unsigned char>(c)];
      const std::uint32_t at = static_cast<std::uint32_t>(symbols.size());
      if (id != no_id) symbols.push_back({id, MergeTable::no_rank, at - 1, at + 1});
    }
    if (symbols.empty()) return;
    symbols.front().previous = none;
    symbols.back().next = none;
    for (std::uint32_t i = 0; i + 1 < symbols.size(); ++i) {
      symbols[i].rank = merges.rank(symbols[i].id, symbols[i + 1].id);
      if (symbols[i].rank != MergeTable::no_rank) heap.push_back(heap_key(symbols[i].rank, i));
    }
    std::make_heap(heap.begin(), heap.end(), Later());
    while (!heap.empty()) {
      const std::uint32_t rank = static_cast<std::uint32_t>(heap.front() >> 32U);
      const std::uint32_t i = static_cast<std::uint32_t>(heap.front());
      std::pop_heap(heap.begin(), heap.end(), Later());
      heap.pop_back();
      if (symbols[i].rank != rank) continue;  // one of the pair has merged since
      merge_pair(symbols, heap, i);
    }
    for (std::uint32_t i = 0; i != none; i = symbols[i].next) out.push_back(symbols[i].id);
  }

  void merge_pair(std::vector<BpeScratch::Symbol>& symbols, std::vector<std::uint64_t>& heap, std::uint32_t i) const {
    BpeScratch::Symbol& left = symbols[i];
    BpeScratch::Symbol& right = symbols[left.next];
    left.id = merges.result(left.rank);
    left.next = right.next;
    right.rank = MergeTable::no_rank;
    if (right.next != none) symbols[right.next].previous = i;
    update(symbols, heap, i);
    if (left.previous != none) update(symbols, heap, left.previous);
  }

  void update(std::vector<BpeScratch::Symbol>& symbols, std::vector<std::uint64_t>& heap, std::uint32_t i) const {
    BpeScratch::Symbol& symbol = symbols[i];
    symbol.rank = symbol.next == none ? MergeTable::no_rank : merges.rank(symbol.id, symbols[symbol.next].id);
    if (symbol.rank == MergeTable::no_rank) return;
    heap.push_back(heap_key(symbol.rank, i));
    std::push_heap(heap.begin(), heap.end(), Later());
  }

  struct Later {
    [[nodiscard]] bool operator()(std::uint64_t a, std::uint64_t b) const noexcept { return a > b; }
  };
  [[nodiscard]] static std::uint64_t heap_key(std::uint32_t rank, std::uint32_t position) noexcept {
    return std::uint64_t{rank} << 32U | position;
  }

  std::unique_ptr<std::atomic<std::uint8_t>[]> whole_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_BPE_HPP
