// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_TOKEN_TABLE_HPP
#define HUNYUAN_RESO_DETAIL_TOKEN_TABLE_HPP

#include <string_view>  // string_view

#include "../profile.hpp"
#include "search.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// A text of a table, held in place: a pointer would weigh more than the text, and again as much for the loader. One
/// that is too long does not compile, since tables are constants.
class TableText {
 public:
  constexpr TableText(const char* text) noexcept {  // NOLINT(google-explicit-constructor)
    for (; text[size_] != '\0'; ++size_) data_[size_] = text[size_];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_, size_}; }

 private:
  char data_[15]{};
  std::uint8_t size_ = 0;
};

/// Consecutive ids whose texts are prefix + number + '>', the numbers from 0 up, or, with count 1, the prefix alone.
struct TokenFamily {
  TokenId first_id;
  std::int32_t count;
  TableText prefix;
};

/// The special tokens of the published vocabulary whose ids and numbers no profile changes, in ascending order of ids.
/// Size and ratio tokens are not here, nor those of ModelProfile::special.
inline constexpr TokenFamily token_families[] = {
    {128002, 1, "<boa>"},       {128003, 1, "<eoa>"},        {128004, 1, "<bov>"},      {128005, 1, "<eov>"},
    {128007, 1, "<audio>"},     {128008, 1, "<video>"},      {128011, 1, "<iw>"},       {128012, 1, "<ih>"},
    {128013, 1, "<bot>"},       {128014, 1, "<eot>"},        {128015, 1, "<text>"},     {128016, 1, "<mask>"},
    {128020, 1, "<bof>"},       {128021, 1, "<eof>"},        {128022, 1, "<face>"},     {128027, 1, "<und_boi>"},
    {128028, 1, "<und_eoi>"},   {128029, 1, "<src_boi>"},    {128030, 1, "<src_eoi>"},  {128031, 1, "<gen_boi>"},
    {128032, 1, "<gen_eoi>"},   {128033, 1, "<gen_img>"},    {128078, 1, "<ref>"},      {128079, 1, "</ref>"},
    {128080, 1, "<quad>"},      {128081, 1, "</quad>"},      {128082, 1000, "<pos_x_"}, {129082, 1000, "<pos_y_"},
    {130083, 10, "<relation_"}, {130093, 10, "</relation_"},
};
inline constexpr std::size_t family_count = sizeof(token_families) / sizeof(token_families[0]);

/// The family that holds an id, or nullptr.
[[nodiscard]] constexpr const TokenFamily* family_of(TokenId id) noexcept {
  const std::size_t begun = count_begun(token_families, family_count, &TokenFamily::first_id, id);
  if (begun == 0) return nullptr;
  const TokenFamily& family = token_families[begun - 1];
  return id - family.first_id < family.count ? &family : nullptr;
}

using SpecialField = TokenId SpecialTokens::*;  // with a name, since nvcc writes it with parentheses that GCC warns of

/// A special token that stands alone and whose id is the profile's.
struct NamedToken {
  SpecialField id;
  TableText text;
};

inline constexpr NamedToken named_tokens[] = {
    {&SpecialTokens::eos, "<|endoftext|>"},
    {&SpecialTokens::bos, "<|startoftext|>"},
    {&SpecialTokens::boi, "<boi>"},
    {&SpecialTokens::eoi, "<eoi>"},
    {&SpecialTokens::img, "<img>"},
    {&SpecialTokens::pad, "<pad>"},
    {&SpecialTokens::cfg, "<cfg>"},
    {&SpecialTokens::timestep, "<timestep>"},
    {&SpecialTokens::recaption, "<recaption>"},
    {&SpecialTokens::end_recaption, "</recaption>"},
    {&SpecialTokens::think, "<think>"},
    {&SpecialTokens::end_think, "</think>"},
    {&SpecialTokens::answer, "<answer>"},
    {&SpecialTokens::end_answer, "</answer>"},
    {&SpecialTokens::joint_img_sep, "<joint_img_sep>"},
    {&SpecialTokens::guidance, "<guidance>"},
    {&SpecialTokens::timestep_r, "<timestep_r>"},
};
inline constexpr std::size_t named_count = sizeof(named_tokens) / sizeof(named_tokens[0]);

inline constexpr std::string_view size_prefix = size_text_prefix;
inline constexpr std::string_view ratio_prefix = ratio_text_prefix;

/// For each value of a hash of a text or prefix, its number: named tokens first, then families. No two share a value.
struct PrefixIndex {
  static constexpr std::size_t slots = 256;
  static constexpr std::uint8_t none = 0xFF;
  static constexpr std::size_t shortest_prefix = 4;

  std::uint8_t number[slots]{};
  bool has_collision = false;

  [[nodiscard]] static constexpr std::size_t slot(std::string_view prefix) noexcept {
    const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(prefix[i])}; };
    const std::size_t size = prefix.size();
    return (4 * size + 2 * at(1) + 5 * at(size - 2) + at(size - 4)) % slots;
  }
};

[[nodiscard]] constexpr std::string_view prefix_of(std::size_t number) noexcept {
  return number < named_count ? named_tokens[number].text.view() : token_families[number - named_count].prefix.view();
}

[[nodiscard]] constexpr PrefixIndex make_prefix_index() noexcept {
  PrefixIndex index;
  for (std::uint8_t& number : index.number) number = PrefixIndex::none;
  for (std::size_t i = 0; i < named_count + family_count; ++i) {
    std::uint8_t& number = index.number[PrefixIndex::slot(prefix_of(i))];
    index.has_collision = index.has_collision || number != PrefixIndex::none;
    number = static_cast<std::uint8_t>(i);
  }
  return index;
}

inline constexpr PrefixIndex prefix_index = make_prefix_index();
static_assert(!prefix_index.has_collision, "two prefixes share a slot: choose other factors in PrefixIndex::slot");

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_TOKEN_TABLE_HPP
