// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_VOCABULARY_HPP
#define HUNYUAN_RESO_VOCABULARY_HPP

#include <type_traits>  // is_integral_v

#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// A token about which the caller's tokenizer and the table do not agree.
struct VocabularyMismatch {
  TokenId expected = invalid_token_id;  ///< the id in the published table
  TokenId found = invalid_token_id;     ///< the caller's id, or invalid_token_id where the tokenizer lacks the token
  TokenText text{};
};

/// Result of verify_vocabulary. Holds the caller's id of every token of the table; no allocation (about 9 KiB).
class VocabularyReport {
 public:
  /// Tokens of the published table, the base sizes' and ratios' included.
  static constexpr std::size_t table_size = detail::special_token_count();

  /// Whether every required token has its published id, and no optional one has another.
  [[nodiscard]] constexpr bool ok() const noexcept { return mismatch_count_ == 0; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return ok(); }

  /// Tokens looked up.
  [[nodiscard]] constexpr std::size_t checked_count() const noexcept { return checked_; }
  /// Required tokens that the tokenizer lacks, and tokens with another id.
  [[nodiscard]] constexpr std::size_t mismatch_count() const noexcept { return mismatch_count_; }
  [[nodiscard]] constexpr std::size_t missing_count() const noexcept { return missing_count_; }
  /// Late tokens that the profile does not require and the tokenizer lacks; no mismatch.
  [[nodiscard]] constexpr std::size_t optional_missing_count() const noexcept { return optional_missing_count_; }

  /// Calls visit(VocabularyMismatch) for every mismatch, in ascending order of the expected id.
  template <class Visitor>
  constexpr void for_each_mismatch(Visitor&& visit) const {
    for (std::size_t i = 0; i < checked_; ++i) {
      if (is_mismatch_[i]) visit(VocabularyMismatch{expected_[i], found_[i], token_text(expected_[i])});
    }
  }

 private:
  template <class Lookup>
  friend constexpr VocabularyReport verify_vocabulary(const ModelProfile& profile, Lookup&& lookup);

  constexpr void record(TokenId expected, TokenId found, bool required) noexcept {
    if (checked_ == table_size) return;
    const bool missing = found < 0;
    const bool mismatch = missing ? required : found != expected;
    if (mismatch) ++mismatch_count_;
    if (missing) ++(required ? missing_count_ : optional_missing_count_);
    expected_[checked_] = expected;
    found_[checked_] = missing ? invalid_token_id : found;
    is_mismatch_[checked_++] = mismatch;
  }

  TokenId expected_[table_size]{};
  TokenId found_[table_size]{};
  bool is_mismatch_[table_size]{};
  std::size_t checked_ = 0;
  std::size_t mismatch_count_ = 0;
  std::size_t missing_count_ = 0;
  std::size_t optional_missing_count_ = 0;
};

namespace detail {

/// What a lookup returned, as an id; invalid_token_id for an empty optional and for a negative number.
template <class Found>
[[nodiscard]] constexpr TokenId found_id(const Found& found) noexcept {
  if constexpr (std::is_integral_v<Found>) {
    return found < Found{} || static_cast<std::uint64_t>(found) > static_cast<std::uint64_t>(max_side)
               ? invalid_token_id
               : static_cast<TokenId>(found);
  } else {
    return found ? found_id(*found) : invalid_token_id;
  }
}

}  // namespace detail

/// Does a tokenizer agree with the published table? `lookup` takes the text of a token (std::string_view) and returns
/// its id: an integer (negative: no such token) or an optional of one. A tokenizer that answers "unknown" with an id of
/// a real token is caught as a difference. Tokens from profile.required_tokens_end on may be missing, not different.
template <class Lookup>
constexpr VocabularyReport verify_vocabulary(const ModelProfile& profile, Lookup&& lookup) {
  VocabularyReport report;
  const auto check = [&](TokenId id) {
    const TokenText text = token_text(id);
    const auto found = lookup(text.view());
    report.record(id, detail::found_id(found), id < profile.required_tokens_end);
  };
  for (const detail::TokenFamily& family : detail::token_families) {
    for (std::int32_t i = 0; i < family.count; ++i) check(family.first_id + i);
  }
  return report;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_VOCABULARY_HPP
