// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TOKENS_HPP
#define HUNYUAN_RESO_TOKENS_HPP

#include <optional>     // optional
#include <string_view>  // string_view

#include "detail/decimal.hpp"
#include "detail/fixed_text.hpp"
#include "detail/search.hpp"
#include "profile.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// Ids of the special tokens that stand alone (resolution.md, section 3; one vocabulary for all checkpoints).
namespace tokens {
inline constexpr TokenId eos = 127957;                // <|endoftext|>
inline constexpr TokenId bos = 127958;                // <|startoftext|>
inline constexpr TokenId boi = 128000, eoi = 128001;  // begin and end of an image
inline constexpr TokenId img = 128006;                // one cell of an image
inline constexpr TokenId pad = 128009;
inline constexpr TokenId cfg = 128010;  // stands for dropped text in the unconditional row
inline constexpr TokenId timestep = 128017;
inline constexpr TokenId recaption = 128018, end_recaption = 128019;
inline constexpr TokenId think = 128023, end_think = 128024;
inline constexpr TokenId answer = 128025, end_answer = 128026;
inline constexpr TokenId joint_img_sep = 128077;  // between the VAE and the ViT run of a joint block
inline constexpr TokenId guidance = 130082;
inline constexpr TokenId timestep_r = 130107;
}  // namespace tokens

/// The base sizes that have a token <img_size_N>, ascending.
struct BaseSizeLadder {
  static constexpr std::size_t count = 10;
  std::int32_t sizes[count] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};
};

namespace detail {

inline constexpr TokenId first_size_token = 128034;
inline constexpr std::int32_t base_sizes_as_numbers = -1;

/// Consecutive ids whose texts are prefix + number + '>', or, with count 1, the prefix alone. The numbers go up from
/// first_number, or are those of the ladder.
struct TokenFamily {
  TokenId first_id = 0;
  std::int32_t count = 0;
  std::string_view prefix{};
  std::int32_t first_number = 0;

  [[nodiscard]] constexpr std::int32_t number(std::int32_t offset) const noexcept {
    return first_number == base_sizes_as_numbers ? BaseSizeLadder{}.sizes[offset] : first_number + offset;
  }
  /// The place of a number, or one outside 0 .. count - 1.
  [[nodiscard]] constexpr std::int64_t offset(std::int64_t number) const noexcept {
    if (first_number != base_sizes_as_numbers) return number - first_number;
    std::int32_t i = 0;
    while (i < count && BaseSizeLadder{}.sizes[i] != number) ++i;
    return i;
  }
};

/// The whole table of resolution.md, section 3, in ascending order of ids.
inline constexpr TokenFamily token_families[] = {
    {127957, 1, "<|endoftext|>"},
    {127958, 1, "<|startoftext|>"},
    {128000, 1, "<boi>"},
    {128001, 1, "<eoi>"},
    {128002, 1, "<boa>"},
    {128003, 1, "<eoa>"},
    {128004, 1, "<bov>"},
    {128005, 1, "<eov>"},
    {128006, 1, "<img>"},
    {128007, 1, "<audio>"},
    {128008, 1, "<video>"},
    {128009, 1, "<pad>"},
    {128010, 1, "<cfg>"},
    {128011, 1, "<iw>"},
    {128012, 1, "<ih>"},
    {128013, 1, "<bot>"},
    {128014, 1, "<eot>"},
    {128015, 1, "<text>"},
    {128016, 1, "<mask>"},
    {128017, 1, "<timestep>"},
    {128018, 1, "<recaption>"},
    {128019, 1, "</recaption>"},
    {128020, 1, "<bof>"},
    {128021, 1, "<eof>"},
    {128022, 1, "<face>"},
    {128023, 1, "<think>"},
    {128024, 1, "</think>"},
    {128025, 1, "<answer>"},
    {128026, 1, "</answer>"},
    {128027, 1, "<und_boi>"},
    {128028, 1, "<und_eoi>"},
    {128029, 1, "<src_boi>"},
    {128030, 1, "<src_eoi>"},
    {128031, 1, "<gen_boi>"},
    {128032, 1, "<gen_eoi>"},
    {128033, 1, "<gen_img>"},
    {first_size_token, 10, "<img_size_", base_sizes_as_numbers},
    {128044, 33, "<img_ratio_"},
    {128077, 1, "<joint_img_sep>"},
    {128078, 1, "<ref>"},
    {128079, 1, "</ref>"},
    {128080, 1, "<quad>"},
    {128081, 1, "</quad>"},
    {128082, 1000, "<pos_x_"},
    {129082, 1000, "<pos_y_"},
    {130082, 1, "<guidance>"},
    {130083, 10, "<relation_"},
    {130093, 10, "</relation_"},
    {130103, 4, "<img_ratio_", 33},
    {130107, 1, "<timestep_r>"},
};

inline constexpr std::size_t family_count = sizeof(token_families) / sizeof(token_families[0]);

[[nodiscard]] constexpr std::size_t special_token_count() noexcept {
  std::size_t count = 0;
  for (const TokenFamily& family : token_families) count += static_cast<std::size_t>(family.count);
  return count;
}

/// For each value of a hash of a prefix the number of the first family that has it. No two prefixes share a value.
struct FamilyIndex {
  static constexpr std::size_t slots = 256;
  static constexpr std::uint8_t none = 0xFF;
  static constexpr std::size_t shortest_prefix = 4;

  std::uint8_t family[slots]{};
  bool has_collision = false;

  [[nodiscard]] static constexpr std::size_t slot(std::string_view prefix) noexcept {
    const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(prefix[i])}; };
    const std::size_t size = prefix.size();
    return (4 * size + 2 * at(1) + 5 * at(size - 2) + at(size - 4)) % slots;
  }
};

[[nodiscard]] constexpr FamilyIndex make_family_index() noexcept {
  FamilyIndex index;
  for (std::uint8_t& family : index.family) family = FamilyIndex::none;
  for (std::size_t i = 0; i < family_count; ++i) {
    std::uint8_t& family = index.family[FamilyIndex::slot(token_families[i].prefix)];
    if (family == FamilyIndex::none) {
      family = static_cast<std::uint8_t>(i);
    } else if (token_families[family].prefix != token_families[i].prefix) {
      index.has_collision = true;
    }
  }
  return index;
}

inline constexpr FamilyIndex family_index = make_family_index();
static_assert(!family_index.has_collision, "two prefixes share a slot: choose other factors in FamilyIndex::slot");

}  // namespace detail

// In device code, where std::optional cannot be used: the same functions with a plain value for "there is none".

/// The id of <img_size_N>, or invalid_token_id.
[[nodiscard]] HUNYUAN_RESO_HD constexpr TokenId size_token_id_or_invalid(std::int32_t base_size) noexcept {
  const BaseSizeLadder ladder;
  for (std::size_t i = 0; i < BaseSizeLadder::count; ++i) {
    if (ladder.sizes[i] == base_size) return detail::first_size_token + static_cast<TokenId>(i);
  }
  return invalid_token_id;
}

/// The base size N of a token <img_size_N>, or 0.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t base_size_or_zero(TokenId id) noexcept {
  const BaseSizeLadder ladder;
  const std::int64_t i = std::int64_t{id} - detail::first_size_token;
  return i >= 0 && i < static_cast<std::int64_t>(BaseSizeLadder::count) ? ladder.sizes[i] : 0;
}

/// The id of <img_ratio_i> in this profile, or invalid_token_id. Ids are not contiguous.
[[nodiscard]] HUNYUAN_RESO_HD constexpr TokenId ratio_token_id_or_invalid(const ModelProfile& profile,
                                                                          std::size_t ratio_index) noexcept {
  for (std::size_t i = 0; i < ModelProfile::max_ratio_token_ranges; ++i) {
    const RatioTokenRange& range = profile.ratio_tokens[i];
    if (range.first_id == invalid_token_id || ratio_index < range.first_index) continue;
    const std::size_t offset = ratio_index - range.first_index;
    if (offset < range.count) return range.first_id + static_cast<TokenId>(offset);
  }
  return invalid_token_id;
}

/// What ratio_index_or_invalid gives for a token that is no ratio token of the profile.
inline constexpr std::size_t no_ratio_index = static_cast<std::size_t>(-1);

/// The ratio index that a token id names in this profile, or no_ratio_index.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t ratio_index_or_invalid(const ModelProfile& profile,
                                                                           TokenId id) noexcept {
  for (std::size_t i = 0; i < ModelProfile::max_ratio_token_ranges; ++i) {
    const RatioTokenRange& range = profile.ratio_tokens[i];
    if (range.first_id == invalid_token_id || id < range.first_id) continue;
    const auto offset = static_cast<std::size_t>(std::int64_t{id} - range.first_id);
    if (offset < range.count) return range.first_index + offset;
  }
  return no_ratio_index;
}

// The same for host code.

/// The id of <img_size_N>; empty for a base size outside the ladder.
[[nodiscard]] constexpr std::optional<TokenId> size_token_id(std::int32_t base_size) noexcept {
  const TokenId id = size_token_id_or_invalid(base_size);
  return id == invalid_token_id ? std::nullopt : std::optional<TokenId>(id);
}

/// The id of <img_size_N> at compile time; a base size outside the ladder does not compile.
template <std::int32_t BaseSize>
[[nodiscard]] HUNYUAN_RESO_HD constexpr TokenId size_token_id() noexcept {
  constexpr TokenId id = size_token_id_or_invalid(BaseSize);
  static_assert(id != invalid_token_id,
                "no size token: the base size must be 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144 or 8192");
  return id;
}

/// The base size N of a token <img_size_N>; empty for any other token.
[[nodiscard]] constexpr std::optional<std::int32_t> base_size_of(TokenId id) noexcept {
  const std::int32_t base_size = base_size_or_zero(id);
  return base_size == 0 ? std::nullopt : std::optional<std::int32_t>(base_size);
}

/// The id of <img_ratio_i>; empty where the profile has no such token, or where its id is in no published source.
[[nodiscard]] constexpr std::optional<TokenId> ratio_token_id(const ModelProfile& profile,
                                                              std::size_t ratio_index) noexcept {
  const TokenId id = ratio_token_id_or_invalid(profile, ratio_index);
  return id == invalid_token_id ? std::nullopt : std::optional<TokenId>(id);
}

/// The same, saying why there is none: Errc::ratio_index_out_of_range or Errc::ratio_token_id_unknown.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<TokenId> require_ratio_token_id(const ModelProfile& profile,
                                                                               std::size_t ratio_index) noexcept {
  const TokenId id = ratio_token_id_or_invalid(profile, ratio_index);
  if (id != invalid_token_id) return id;
  return ratio_index < profile.ratio_token_count() ? Errc::ratio_token_id_unknown : Errc::ratio_index_out_of_range;
}

/// The ratio index that a token id names; empty for any other token.
[[nodiscard]] constexpr std::optional<std::size_t> ratio_index_of(const ModelProfile& profile, TokenId id) noexcept {
  const std::size_t index = ratio_index_or_invalid(profile, id);
  return index == no_ratio_index ? std::nullopt : std::optional<std::size_t>(index);
}

/// The ratio index for a token that the model predicted. A token that is no ratio is an error, Errc::not_a_ratio_token;
/// upstream's base release reads it as 1:1: ask for that with ratio_index_or_square.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> predicted_ratio_index(const ModelProfile& profile,
                                                                                  TokenId id) noexcept {
  const std::size_t index = ratio_index_or_invalid(profile, id);
  if (index == no_ratio_index) return Errc::not_a_ratio_token;
  return index;
}

/// The ratio index of 1:1, which is row 16 of every published group.
inline constexpr std::size_t square_ratio_index = 16;

/// The ratio index for a predicted token, 1:1 where it is no ratio.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t ratio_index_or_square(const ModelProfile& profile,
                                                                          TokenId id) noexcept {
  const std::size_t index = ratio_index_or_invalid(profile, id);
  return index == no_ratio_index ? square_ratio_index : index;
}

/// The compact index of a ratio token: its place in the logits cut down to the profile's ratio tokens in order of
/// ratio index, leaving out those without an id. Empty for any other token.
[[nodiscard]] constexpr std::optional<std::size_t> compact_index_of(const ModelProfile& profile, TokenId id) noexcept {
  std::size_t before = 0;
  for (const RatioTokenRange& range : profile.ratio_tokens) {
    if (range.first_id == invalid_token_id) continue;
    const std::int64_t offset = std::int64_t{id} - range.first_id;
    if (offset >= 0 && offset < static_cast<std::int64_t>(range.count))
      return before + static_cast<std::size_t>(offset);
    before += range.count;
  }
  return std::nullopt;
}

/// The token at a compact index: the inverse of compact_index_of.
[[nodiscard]] constexpr std::optional<TokenId> token_of_compact_index(const ModelProfile& profile,
                                                                      std::size_t compact_index) noexcept {
  for (const RatioTokenRange& range : profile.ratio_tokens) {
    if (range.first_id == invalid_token_id) continue;
    if (compact_index < range.count) return range.first_id + static_cast<TokenId>(compact_index);
    compact_index -= range.count;
  }
  return std::nullopt;
}

/// The text of a special token, in place.
using TokenText = FixedText<20>;

/// The text of a special token; empty for an id that is none, and for caller-supplied ratio tokens.
[[nodiscard]] constexpr TokenText token_text(TokenId id) noexcept {
  TokenText text;
  const std::size_t begun =
      detail::count_begun(detail::token_families, detail::family_count, &detail::TokenFamily::first_id, id);
  if (begun == 0) return text;
  const detail::TokenFamily& family = detail::token_families[begun - 1];
  const std::int32_t offset = id - family.first_id;
  if (offset >= family.count) return text;
  text.append(family.prefix);
  if (family.count == 1) return text;
  return text.append_number(static_cast<std::uint64_t>(family.number(offset))).append(">");
}

/// The id of a special token from its exact text ("<img_ratio_33>"; numbers without leading zeros); empty for any
/// other text. The table is the published one: a profile may lack a token (ModelProfile::required_tokens_end).
[[nodiscard]] constexpr std::optional<TokenId> find_token(std::string_view text) noexcept {
  // Digits in front of a '>' at the end are a number; no token without a number ends like that.
  std::size_t number_at = text.size();
  if (!text.empty() && text.back() == '>') {
    while (number_at > 1 && detail::is_digit(text[number_at - 2])) --number_at;
  }
  const bool has_number = number_at < text.size();
  if (has_number) --number_at;
  const std::string_view prefix = text.substr(0, number_at);
  if (prefix.size() < detail::FamilyIndex::shortest_prefix) return std::nullopt;
  std::size_t i = detail::family_index.family[detail::FamilyIndex::slot(prefix)];
  if (i == detail::FamilyIndex::none || detail::token_families[i].prefix != prefix) return std::nullopt;
  if (!has_number) {
    const detail::TokenFamily& family = detail::token_families[i];
    return family.count == 1 ? std::optional<TokenId>(family.first_id) : std::nullopt;
  }
  const detail::Decimal number = detail::parse_decimal(text.substr(number_at));
  if (number.digits > 1 && text[number_at] == '0') return std::nullopt;
  for (; i < detail::family_count; ++i) {  // <img_ratio_ has two families
    const detail::TokenFamily& family = detail::token_families[i];
    const std::int64_t offset = family.offset(number.value);
    if (family.count == 1 || offset < 0 || offset >= family.count || family.prefix != prefix) continue;
    return family.first_id + static_cast<TokenId>(offset);
  }
  return std::nullopt;
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_TOKENS_HPP
