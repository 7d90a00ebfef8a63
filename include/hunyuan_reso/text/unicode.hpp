// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TEXT_UNICODE_HPP
#define HUNYUAN_RESO_TEXT_UNICODE_HPP

#include <algorithm>  // sort
#include <vector>     // vector

#include "detail/unicode_tables.hpp"
#include "utf8.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace text {
namespace detail {

/// General categories in the order of the tables; their names are two letters each.
inline constexpr std::string_view category_names = "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCoCn";

/// Bits of the categories that "Lu" or "L" names; 0 for no category.
[[nodiscard]] constexpr std::uint32_t category_mask(std::string_view name) noexcept {
  std::uint32_t mask = 0;
  if (name.empty() || name.size() > 2) return 0;
  for (std::size_t i = 0; i < category_names.size() / 2; ++i) {
    const bool same_group = category_names[2 * i] == name[0];
    if (same_group && (name.size() == 1 || category_names[2 * i + 1] == name[1])) mask |= std::uint32_t{1} << i;
  }
  return mask;
}

/// A set of code points as ascending ranges that neither touch nor overlap.
class CodePointSet {
 public:
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };

  void add(std::uint32_t first, std::uint32_t last) { ranges_.push_back({first, last}); }
  void add(const CodePointSet& other) { ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end()); }

  template <std::size_t Size>
  void add_pairs(const std::uint32_t (&pairs)[Size]) {
    for (std::size_t i = 0; i + 1 < Size; i += 2) add(pairs[i], pairs[i + 1]);
  }

  void add_categories(std::uint32_t mask) {
    std::uint32_t first = 0;
    constexpr std::size_t size = sizeof(category_runs) / sizeof(category_runs[0]);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t category = category_runs[i] & 31U;
      std::uint32_t count = category_runs[i] >> 5U;
      if (count == 0) {
        count = std::uint32_t{category_runs[i + 1]} << 16U | category_runs[i + 2];
        i += 2;
      }
      if ((mask >> category & 1U) != 0) add(first, first + count - 1);
      first += count;
    }
  }

  /// Sorts and joins the ranges; the other functions expect it after the last add.
  void normalize() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const Range& range : ranges_) {
      if (kept > 0 && range.first <= ranges_[kept - 1].last + 1) {
        if (range.last > ranges_[kept - 1].last) ranges_[kept - 1].last = range.last;
      } else {
        ranges_[kept++] = range;
      }
    }
    ranges_.resize(kept);
  }

  void negate() {
    std::vector<Range> out;
    std::uint32_t first = 0;
    for (const Range& range : ranges_) {
      if (range.first > first) out.push_back({first, range.first - 1});
      first = range.last + 1;
    }
    if (first < code_point_limit) out.push_back({first, code_point_limit - 1});
    ranges_.swap(out);
  }

  [[nodiscard]] bool contains(std::uint32_t c) const noexcept {
    std::size_t low = 0;
    std::size_t high = ranges_.size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (ranges_[middle].last < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < ranges_.size() && ranges_[low].first <= c;
  }

  [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }

  [[nodiscard]] friend bool operator==(const CodePointSet& a, const CodePointSet& b) noexcept {
    if (a.ranges_.size() != b.ranges_.size()) return false;
    for (std::size_t i = 0; i < a.ranges_.size(); ++i) {
      if (a.ranges_[i].first != b.ranges_[i].first || a.ranges_[i].last != b.ranges_[i].last) return false;
    }
    return true;
  }

 private:
  std::vector<Range> ranges_;
};

[[nodiscard]] inline CodePointSet white_space() {
  CodePointSet set;
  set.add_pairs(white_space_ranges);
  set.normalize();
  return set;
}

/// \w as Rust's engines have it: letters, marks, decimal and letter numbers, connectors, joiners, other alphabetic
/// ones.
[[nodiscard]] inline CodePointSet word_characters() {
  CodePointSet set;
  set.add_categories(category_mask("L") | category_mask("M") | category_mask("Nd") | category_mask("Nl") |
                     category_mask("Pc"));
  set.add_pairs(word_extra_ranges);
  set.normalize();
  return set;
}

/// Simple case folding.
[[nodiscard]] inline std::uint32_t fold_case(std::uint32_t c) noexcept {
  constexpr std::size_t size = sizeof(simple_fold_rows) / sizeof(simple_fold_rows[0]);
  for (std::size_t i = 0; i < size; i += 4) {
    const std::uint32_t first = static_cast<std::uint32_t>(simple_fold_rows[i]);
    const std::uint32_t count = static_cast<std::uint32_t>(simple_fold_rows[i + 1]);
    const std::uint32_t stride = static_cast<std::uint32_t>(simple_fold_rows[i + 2]);
    if (c < first || c > first + (count - 1) * stride || (c - first) % stride != 0) continue;
    return static_cast<std::uint32_t>(static_cast<std::int32_t>(c) + simple_fold_rows[i + 3]);
  }
  return c;
}

/// Adds what folds to the same as a member does.
inline void close_under_case(CodePointSet& set) {
  set.normalize();
  CodePointSet folded = set;
  constexpr std::size_t size = sizeof(simple_fold_rows) / sizeof(simple_fold_rows[0]);
  const auto for_each_fold = [&](auto&& visit) {
    for (std::size_t i = 0; i < size; i += 4) {
      for (std::int32_t k = 0; k < simple_fold_rows[i + 1]; ++k) {
        const std::int32_t source = simple_fold_rows[i] + k * simple_fold_rows[i + 2];
        visit(static_cast<std::uint32_t>(source), static_cast<std::uint32_t>(source + simple_fold_rows[i + 3]));
      }
    }
  };
  for_each_fold([&](std::uint32_t source, std::uint32_t target) {
    if (set.contains(source)) folded.add(target, target);
  });
  folded.normalize();
  CodePointSet closed = folded;
  for_each_fold([&](std::uint32_t source, std::uint32_t target) {
    if (folded.contains(target)) closed.add(source, source);
  });
  closed.normalize();
  set = closed;
}

/// Whether some full case folding turns `c` into several code points.
[[nodiscard]] inline bool folds_to_several(std::uint32_t c) noexcept {
  for (const std::uint32_t source : multiple_fold_sources) {
    if (source == c) return true;
  }
  return false;
}

/// Whether some full case folding starts with these two, each folded already.
[[nodiscard]] inline bool starts_multiple_fold(std::uint32_t first, std::uint32_t second) noexcept {
  constexpr std::size_t size = sizeof(multiple_fold_starts) / sizeof(multiple_fold_starts[0]);
  for (std::size_t i = 0; i < size; i += 2) {
    if (multiple_fold_starts[i] == first && multiple_fold_starts[i + 1] == second) return true;
  }
  return false;
}

}  // namespace detail
}  // namespace text
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TEXT_UNICODE_HPP
