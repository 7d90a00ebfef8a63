// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TOKENS_HPP
#define HUNYUAN_RESO_TOKENS_HPP

#include "profile.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

// Ids of a profile's size and ratio tokens, in both directions; in device code too. The ids of special tokens that
// stand alone are ModelProfile::special, the published ones tokens::boi and so on. Texts of tokens: vocabulary.hpp.

/// The id of <img_size_N>; Errc::unknown_base_size where the profile has no token for this base size.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TokenId> size_token_id(const ModelProfile& profile,
                                                                      std::int32_t base_size) noexcept {
  const SizeTokens& sizes = profile.size_tokens;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes.base_sizes[i] == base_size) return sizes.ids[i];
  }
  return Errc::unknown_base_size;
}

/// The base size N of a token <img_size_N>; Errc::not_a_size_token.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::int32_t> base_size_of(const ModelProfile& profile,
                                                                          TokenId id) noexcept {
  const SizeTokens& sizes = profile.size_tokens;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes.ids[i] == id) return sizes.base_sizes[i];
  }
  return Errc::not_a_size_token;
}

/// Number of ratio tokens, those without a known id included.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t ratio_token_count(const ModelProfile& profile) noexcept {
  return profile.ratio_tokens.size();
}

/// The id of <img_ratio_i>. Ids are not contiguous: of the published ones 32 is 128076 and 33 is 130103.
/// Errc::ratio_index_out_of_range where the profile has no such token, Errc::ratio_token_id_unknown where its id is in
/// no published source.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TokenId> ratio_token_id(const ModelProfile& profile,
                                                                       std::size_t ratio_index) noexcept {
  if (ratio_index >= ratio_token_count(profile)) return Errc::ratio_index_out_of_range;
  const TokenId id = profile.ratio_tokens.ids[ratio_index];
  if (id == RatioTokens::unknown) return Errc::ratio_token_id_unknown;
  return id;
}

/// The ratio index that a token id names; Errc::not_a_ratio_token.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> ratio_index_of(const ModelProfile& profile,
                                                                           TokenId id) noexcept {
  const TokenId* ids = profile.ratio_tokens.ids;
  const std::size_t count = ratio_token_count(profile);
  if (id == RatioTokens::unknown || count == 0) return Errc::not_a_ratio_token;
  // Ids are runs of successive numbers: the first run and the last one are tried before the search.
  const std::int64_t guesses[] = {std::int64_t{id} - ids[0],
                                  static_cast<std::int64_t>(count) - 1 + id - ids[count - 1]};
  for (const std::int64_t guess : guesses) {
    const auto i = static_cast<std::size_t>(guess);
    if (i < count && ids[i] == id) return i;
  }
  std::int32_t found = 0;
  for (std::size_t i = 0; i < RatioTokens::capacity; ++i) found |= ids[i] == id ? 1 : 0;  // several at once
  for (std::size_t i = 0; found != 0 && i < count; ++i) {
    if (ids[i] == id) return i;
  }
  return Errc::not_a_ratio_token;
}

/// The ratio index that a generated token stands for: its own, or the profile's fallback where it is no ratio token
/// (the base release takes 1:1; the later ones have none: Errc::not_a_ratio_token).
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> generated_ratio_index(const ModelProfile& profile,
                                                                                  TokenId id) noexcept {
  const Result<std::size_t> index = ratio_index_of(profile, id);
  return index ? index : profile.text_stage.ratio_fallback;
}

/// The last ratio token of an id stream, as a ratio index; Errc::no_ratio_token where there is none.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> last_ratio_index(const ModelProfile& profile,
                                                                             const TokenId* ids,
                                                                             std::size_t count) noexcept {
  for (std::size_t i = count; i-- > 0;) {
    const Result<std::size_t> index = ratio_index_of(profile, ids[i]);
    if (index) return index;
  }
  return Errc::no_ratio_token;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TOKENS_HPP
