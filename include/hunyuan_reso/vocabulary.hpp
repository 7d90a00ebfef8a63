// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_VOCABULARY_HPP
#define HUNYUAN_RESO_VOCABULARY_HPP

#include <string_view>  // string_view
#include <type_traits>  // is_integral_v

#include "detail/decimal.hpp"
#include "detail/fixed_text.hpp"
#include "detail/token_table.hpp"
#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// The text of a special token, in place.
using TokenText = FixedText<32>;

namespace detail {

/// A published token's text, unless a further token of the profile has the same one.
[[nodiscard]] constexpr Result<TokenText> unless_taken(const ModelProfile& profile, const TokenText& text) noexcept {
  for (std::size_t i = 0; i < profile.further_tokens.size(); ++i) {
    if (text == profile.further_tokens.items[i].text_or_empty()) return Errc::not_a_special_token;
  }
  return text;
}

/// What a token of a profile is.
enum class TokenKind : std::uint8_t { none, ratio, base_size, further, named, family };
struct TokenOwner {
  TokenKind kind = TokenKind::none;
  std::size_t number = 0;  // ratio index, base size, or place in a list of further, named or families of tokens
};

/// What an id is to the profile: the profile's own tokens come first.
[[nodiscard]] constexpr TokenOwner owner_of(const ModelProfile& profile, TokenId id) noexcept {
  if (const Result<std::size_t> ratio = ratio_index_of(profile, id)) return {TokenKind::ratio, *ratio};
  if (const Result<std::int32_t> base_size = base_size_of(profile, id)) {
    return {TokenKind::base_size, static_cast<std::size_t>(*base_size)};
  }
  for (std::size_t i = 0; i < profile.further_tokens.size(); ++i) {
    if (profile.further_tokens.items[i].id == id) return {TokenKind::further, i};
  }
  const bool exists = id < profile.special_tokens_end || !is_published_special(id);  // a moved one does
  for (std::size_t i = 0; exists && i < named_count; ++i) {
    if (profile.special.*named_tokens[i].id == id) return {TokenKind::named, i};
  }
  const TokenFamily* family = family_of(id);
  if (family == nullptr || id >= profile.special_tokens_end) return {};
  return {TokenKind::family, static_cast<std::size_t>(family - token_families)};
}

/// A token that a text names, and what it is then.
struct NamedId {
  Result<TokenId> id = Errc::not_a_special_token;
  TokenOwner owner{};
};

}  // namespace detail

/// The text of a special token of the profile; Errc::not_a_special_token for any other id. The profile's own tokens
/// come first, then those of the published vocabulary that lie below ModelProfile::special_tokens_end.
[[nodiscard]] constexpr Result<TokenText> token_text(const ModelProfile& profile, TokenId id) noexcept {
  const detail::TokenOwner owner = detail::owner_of(profile, id);
  TokenText text;
  switch (owner.kind) {
    case detail::TokenKind::ratio:
      return text.append(detail::ratio_prefix).append_number(owner.number).append(">");
    case detail::TokenKind::base_size:
      return text.append(detail::size_prefix).append_number(owner.number).append(">");
    case detail::TokenKind::further:
      return text.append(profile.further_tokens.items[owner.number].text_or_empty());
    case detail::TokenKind::named:
      return detail::unless_taken(profile, text.append(detail::named_tokens[owner.number].text.view()));
    case detail::TokenKind::family: {
      const detail::TokenFamily& family = detail::token_families[owner.number];
      text.append(family.prefix.view());
      if (family.count > 1) text.append_number(static_cast<std::uint64_t>(id - family.first_id)).append(">");
      return detail::unless_taken(profile, text);
    }
    case detail::TokenKind::none:
      break;
  }
  return Errc::not_a_special_token;
}

namespace detail {

/// The id that a text would have, whether or not another token of the profile has taken it.
[[nodiscard]] constexpr NamedId named_id(const ModelProfile& profile, std::string_view text) noexcept {
  for (std::size_t i = 0; i < profile.further_tokens.size(); ++i) {
    if (profile.further_tokens.items[i].text_or_empty() == text) {
      return {profile.further_tokens.items[i].id, {TokenKind::further, i}};
    }
  }
  // Digits in front of a '>' at the end are a number; no token without a number ends like that.
  std::size_t number_at = text.size();
  if (!text.empty() && text.back() == '>') {
    while (number_at > 1 && is_digit(text[number_at - 2])) --number_at;
  }
  const bool has_number = number_at < text.size();
  if (has_number) --number_at;
  const std::string_view prefix = text.substr(0, number_at);
  Decimal number;
  if (has_number) {
    number = parse_decimal(text.substr(number_at));
    if (number.digits > 1 && text[number_at] == '0') return {};
    const auto value = static_cast<std::size_t>(number.value);
    if (prefix == ratio_prefix) return {ratio_token_id(profile, value), {TokenKind::ratio, value}};
    if (prefix == size_prefix && number.value <= max_side) {
      return {size_token_id(profile, static_cast<std::int32_t>(number.value)), {TokenKind::base_size, value}};
    }
  }
  if (prefix.size() < PrefixIndex::shortest_prefix) return {};
  const std::size_t i = prefix_index.number[PrefixIndex::slot(prefix)];
  if (i == PrefixIndex::none || prefix_of(i) != prefix) return {};
  if (i < named_count) {
    if (has_number) return {};
    return {profile.special.*named_tokens[i].id, {TokenKind::named, i}};
  }
  const TokenFamily& family = token_families[i - named_count];
  if (has_number != (family.count > 1) || number.value >= family.count) return {};
  return {family.first_id + static_cast<TokenId>(number.value), {TokenKind::family, i - named_count}};
}

}  // namespace detail

/// The id of a special token of the profile from its exact text ("<img_ratio_33>"; numbers without leading zeros), the
/// inverse of token_text. Errc::not_a_special_token; for a size or ratio token that the profile lacks the error of
/// size_token_id or ratio_token_id.
[[nodiscard]] constexpr Result<TokenId> find_token(const ModelProfile& profile, std::string_view text) noexcept {
  const detail::NamedId found = detail::named_id(profile, text);
  if (!found.id) return found.id;
  const detail::TokenOwner owner = detail::owner_of(profile, *found.id);
  if (owner.kind == found.owner.kind && owner.number == found.owner.number) return found.id;
  // Another token of the profile has this id; both may have one text.
  const Result<TokenText> own = token_text(profile, *found.id);
  if (!own || own->view() != text) return Errc::not_a_special_token;
  return found.id;
}

/// Where the next special token of a text lies, and its id: a splitter for encoders, which must not see special tokens.
struct SpecialTokenMatch {
  std::size_t begin = 0;  ///< byte of its first character
  std::size_t end = 0;    ///< byte behind its last character
  TokenId id = 0;
};

/// The first special token of the profile in `text` from byte `from` on; Errc::not_a_special_token where there is none.
/// No token's text is the beginning of another's, so "the longest" needs no rule.
[[nodiscard]] constexpr Result<SpecialTokenMatch> next_special_token(const ModelProfile& profile, std::string_view text,
                                                                     std::size_t from = 0) noexcept {
  for (std::size_t begin = text.find('<', from); begin != std::string_view::npos; begin = text.find('<', begin + 1)) {
    // "<|endoftext|>" and all others end with the first '>' behind their '<'.
    const std::size_t close = text.find('>', begin);
    if (close == std::string_view::npos) break;
    const std::string_view candidate = text.substr(begin, close + 1 - begin);
    if (candidate.size() > TokenText::capacity()) continue;
    const Result<TokenId> id = find_token(profile, candidate);
    if (id) return SpecialTokenMatch{begin, close + 1, *id};
  }
  return {Errc::not_a_special_token, text.size()};
}

/// A token about which the caller's tokenizer and the profile do not agree.
struct VocabularyMismatch {
  TokenId expected = 0;                    ///< the profile's id
  Result<TokenId> found = Errc::no_value;  ///< the caller's id; an error where the tokenizer lacks the token
  TokenText text{};
};

/// What verify_vocabulary found. No allocation; mismatches beyond the first 32 are counted only.
struct VocabularyReport {
  static constexpr std::size_t capacity = 32;

  VocabularyMismatch mismatches[capacity]{};  ///< in order of checking
  std::size_t checked_count = 0;              ///< tokens looked up
  std::size_t mismatch_count = 0;             ///< tokens that are missing or have another id
  std::size_t missing_count = 0;              ///< of them, those that the tokenizer lacks
  std::size_t unknown_count = 0;  ///< ratio tokens without an id in the profile that the tokenizer has: no mismatch

  /// Whether every token of the profile has the profile's id.
  [[nodiscard]] constexpr bool ok() const noexcept { return mismatch_count == 0; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] constexpr const VocabularyMismatch* begin() const noexcept { return mismatches; }
  [[nodiscard]] constexpr const VocabularyMismatch* end() const noexcept {
    return mismatches + (mismatch_count < capacity ? mismatch_count : capacity);
  }
};

namespace detail {

/// What a lookup returned, as an id: an integer (negative: no such token), or an optional or a Result of one.
template <class Found>
[[nodiscard]] constexpr Result<TokenId> found_id(const Found& found) noexcept {
  if constexpr (std::is_integral_v<Found>) {
    if (found < Found{} || static_cast<std::uint64_t>(found) > static_cast<std::uint64_t>(max_side)) {
      return Errc::not_a_special_token;
    }
    return static_cast<TokenId>(found);
  } else {
    if (!found) return Errc::not_a_special_token;
    return found_id(*found);
  }
}

template <class Lookup>
constexpr void check_token(VocabularyReport& report, TokenId expected, const TokenText& text, Lookup& lookup) {
  const Result<TokenId> found = found_id(lookup(text.view()));
  ++report.checked_count;
  if (found && *found == expected) return;
  if (report.mismatch_count < VocabularyReport::capacity) {
    report.mismatches[report.mismatch_count] = {expected, found, text};
  }
  ++report.mismatch_count;
  if (!found) ++report.missing_count;
}

}  // namespace detail

/// Does a tokenizer agree with the profile? `lookup` takes the text of a token (std::string_view) and returns its id:
/// an integer (negative: no such token), or an optional or a Result of one. Every token that the profile names is
/// looked up (special, size and ratio tokens and further ones), and those of the published vocabulary below
/// ModelProfile::special_tokens_end. A tokenizer that answers "unknown" with the id of a real token is caught, too.
template <class Lookup>
constexpr VocabularyReport verify_vocabulary(const ModelProfile& profile, Lookup&& lookup) {
  VocabularyReport report;
  const auto check = [&](TokenId id) {
    const Result<TokenText> text = token_text(profile, id);
    if (text) detail::check_token(report, id, *text, lookup);
  };
  detail::for_each_profile_id(profile, [&](TokenId id) {
    check(id);
    return true;
  });
  for (const detail::TokenFamily& family : detail::token_families) {
    for (std::int32_t i = 0; i < family.count; ++i) check(family.first_id + i);
  }
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    if (profile.ratio_tokens.ids[i] != RatioTokens::unknown) continue;
    TokenText text;
    text.append(detail::ratio_prefix).append_number(i).append(">");
    if (detail::found_id(lookup(text.view()))) ++report.unknown_count;
  }
  return report;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_VOCABULARY_HPP
