// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_DETAIL_CHARACTER_TABLE_HPP
#define HUNYUAN_RESO_TEXT_DETAIL_CHARACTER_TABLE_HPP

#include "../unicode.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// Tells for every code point which of up to 64 sets it is in, as bits of one number.
class CharacterTable {
 public:
  static constexpr std::size_t max_sets = 64;

  /// False: the sets divide the code points into more than 256 kinds.
  [[nodiscard]] bool build(const std::vector<CodePointSet>& sets) {
    // Between two edges every code point is in the same sets.
    std::vector<std::uint32_t> edges{0, code_point_limit};
    for (const CodePointSet& set : sets) {
      for (const CodePointSet::Range& range : set.ranges()) {
        edges.push_back(range.first);
        edges.push_back(range.last + 1);
      }
    }
    std::sort(edges.begin(), edges.end());
    pages_.assign(code_point_limit / page_size, 0);
    kinds_.clear();
    kind_masks_.clear();
    std::vector<std::size_t> next(sets.size(), 0);
    std::vector<std::uint16_t> uniform_pages(256, no_page);
    std::uint8_t page[page_size] = {};
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
      if (edges[i] == edges[i + 1]) continue;
      std::uint64_t mask = 0;
      for (std::size_t k = 0; k < sets.size(); ++k) {
        const std::vector<CodePointSet::Range>& ranges = sets[k].ranges();
        while (next[k] < ranges.size() && ranges[next[k]].last < edges[i]) ++next[k];
        if (next[k] < ranges.size() && ranges[next[k]].first <= edges[i]) mask |= std::uint64_t{1} << k;
      }
      std::size_t kind = 0;
      while (kind < kind_masks_.size() && kind_masks_[kind] != mask) ++kind;
      if (kind == 256) return false;
      if (kind == kind_masks_.size()) kind_masks_.push_back(mask);
      fill(edges[i], edges[i + 1], static_cast<std::uint8_t>(kind), page, uniform_pages);
    }
    for (std::uint32_t c = 0; c < 128; ++c) ascii_[c] = kind_masks_[kinds_[std::size_t{pages_[0]} * page_size + c]];
    return true;
  }

  [[nodiscard]] std::uint64_t mask_of_ascii(std::uint32_t c) const noexcept { return ascii_[c]; }
  [[nodiscard]] std::uint64_t mask_of(std::uint32_t c) const noexcept {
    return kind_masks_[kinds_[std::size_t{pages_[c / page_size]} * page_size + c % page_size]];
  }
  /// For every kind of code points: the sets that they are in.
  [[nodiscard]] const std::vector<std::uint64_t>& kinds() const noexcept { return kind_masks_; }

 private:
  static constexpr std::uint32_t page_size = 128;
  static constexpr std::uint16_t no_page = 0xFFFF;

  /// Gives [first, end) its kind; called in ascending order without gaps.
  void fill(std::uint32_t first, std::uint32_t end, std::uint8_t kind, std::uint8_t (&page)[page_size],
            std::vector<std::uint16_t>& uniform_pages) {
    while (first < end) {
      const std::uint32_t offset = first % page_size;
      if (offset == 0 && end - first >= page_size) {
        if (uniform_pages[kind] == no_page) {
          uniform_pages[kind] = static_cast<std::uint16_t>(kinds_.size() / page_size);
          kinds_.insert(kinds_.end(), page_size, kind);
        }
        pages_[first / page_size] = uniform_pages[kind];
        first += page_size;
        continue;
      }
      page[offset] = kind;
      ++first;
      if (offset + 1 == page_size) {
        pages_[(first - 1) / page_size] = static_cast<std::uint16_t>(kinds_.size() / page_size);
        kinds_.insert(kinds_.end(), page, page + page_size);
      }
    }
  }

  std::uint64_t ascii_[128] = {};
  std::vector<std::uint16_t> pages_;
  std::vector<std::uint8_t> kinds_;
  std::vector<std::uint64_t> kind_masks_;
};

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_DETAIL_CHARACTER_TABLE_HPP
