// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_LOGITS_HPP
#define HUNYUAN_RESO_LOGITS_HPP

#include <cstring>  // memcpy

#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// Token ids start .. stop - 1 of the vocabulary.
struct VocabularySlice {
  TokenId start = 0;
  TokenId stop = 0;
};

/// The ratio tokens of a profile that have an id, as slices in order of the ratio index.
struct RatioSlices {
  VocabularySlice slices[ModelProfile::max_ratio_token_ranges]{};
  std::size_t count = 0;

  /// Ratio tokens in all, which is the length of the compact logits.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t token_count() const noexcept {
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < count; ++i) tokens += static_cast<std::size_t>(slices[i].stop - slices[i].start);
    return tokens;
  }
};

[[nodiscard]] HUNYUAN_RESO_HD constexpr RatioSlices ratio_slices(const ModelProfile& profile) noexcept {
  RatioSlices result;
  for (std::size_t i = 0; i < ModelProfile::max_ratio_token_ranges; ++i) {
    const RatioTokenRange& range = profile.ratio_tokens[i];
    if (range.count == 0 || range.first_id == invalid_token_id) continue;
    result.slices[result.count++] = {range.first_id, range.first_id + static_cast<TokenId>(range.count)};
  }
  return result;
}

/// The lowest finite binary32 number, which stands for "never" in masked logits.
inline constexpr float lowest_logit = -3.402823466385288598e38F;

namespace detail {

/// A whole number that orders floats, infinities included, NaN above all, both zeros equal. Comparing floats directly
/// would not survive -ffast-math, which lets a compiler assume that there is no NaN.
[[nodiscard]] HUNYUAN_RESO_HD inline std::int32_t logit_order(float value) noexcept {
  constexpr std::int32_t infinity = 0x7F800000;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const auto magnitude = static_cast<std::int32_t>(bits & 0x7FFFFFFF);
  const std::int32_t order = (bits >> 31) != 0 ? -magnitude : magnitude;
  return magnitude > infinity ? infinity + 1 : order;
}

/// The greatest order among `count` values, one at least. With a constant count the compiler makes vectors of it.
[[nodiscard]] HUNYUAN_RESO_HD inline std::int32_t greatest_order(const float* logits, std::size_t count) noexcept {
  std::int32_t greatest = logit_order(logits[0]);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t order = logit_order(logits[i]);
    greatest = order > greatest ? order : greatest;
  }
  return greatest;
}

}  // namespace detail

/// The index of the greatest value; the first one on ties; NaN counts as the greatest, as in torch. 0 for an empty row.
[[nodiscard]] HUNYUAN_RESO_HD inline std::size_t argmax_logit(const float* logits, std::size_t count) noexcept {
  if (count == 0) return 0;
  // Which block holds the greatest value; where in it is only asked at the end.
  constexpr std::size_t block = 256;
  std::size_t best_begin = 0;
  std::int32_t best = detail::logit_order(logits[0]);
  for (std::size_t begin = 0; begin < count; begin += block) {
    const std::int32_t order = count - begin < block ? detail::greatest_order(logits + begin, count - begin)
                                                     : detail::greatest_order(logits + begin, block);
    if (order > best) {
      best = order;
      best_begin = begin;
    }
  }
  std::size_t i = best_begin;
  while (detail::logit_order(logits[i]) != best) ++i;
  return i;
}

/// The compact ratio logits (sequence.md, section 5): the values of the slices one after another, in the order given.
/// With ratio_slices(profile) the argmax of the result is a ratio index, not a token id. Slices are cut at the end of
/// the vocabulary. Returns how many values were written. Errc::vocabulary_slice_empty (position(): which slice),
/// Errc::buffer_too_small; nothing is written then.
[[nodiscard]] HUNYUAN_RESO_HD inline Result<std::size_t> slice_logits(const float* logits, std::size_t vocabulary_size,
                                                                      const VocabularySlice* slices, std::size_t count,
                                                                      float* out, std::size_t capacity) noexcept {
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const VocabularySlice& slice = slices[i];
    const bool starts_inside = slice.start >= 0 && static_cast<std::size_t>(slice.start) < vocabulary_size;
    if (!starts_inside || slice.start >= slice.stop) return {Errc::vocabulary_slice_empty, i};
    const auto stop = static_cast<std::size_t>(slice.stop);
    total += (stop < vocabulary_size ? stop : vocabulary_size) - static_cast<std::size_t>(slice.start);
  }
  if (total > capacity) return Errc::buffer_too_small;
  for (std::size_t i = 0; i < count; ++i) {
    const auto stop = static_cast<std::size_t>(slices[i].stop);
    const std::size_t end = stop < vocabulary_size ? stop : vocabulary_size;
    for (auto id = static_cast<std::size_t>(slices[i].start); id < end; ++id) *out++ = logits[id];
  }
  return total;
}

/// Leaves one token possible: all else gets the lowest finite value, the token 0. A token outside the vocabulary
/// leaves none.
HUNYUAN_RESO_HD inline void force_token(float* logits, std::size_t vocabulary_size, TokenId token) noexcept {
  for (std::size_t id = 0; id < vocabulary_size; ++id) logits[id] = lowest_logit;
  if (token >= 0 && static_cast<std::size_t>(token) < vocabulary_size) logits[token] = 0.0F;
}

/// The masked ratio rule: everything outside the slices becomes the lowest finite value. With `force_greedy` only the
/// best of what is left stays, with score 0; where nothing above the lowest finite value is left that is token 0, as
/// upstream. Empty slices keep nothing.
HUNYUAN_RESO_HD inline void mask_logits(float* logits, std::size_t vocabulary_size, const VocabularySlice* slices,
                                        std::size_t count, bool force_greedy = false) noexcept {
  for (std::size_t id = 0; id < vocabulary_size;) {
    std::size_t next = vocabulary_size;  // the next id of a slice, or where the slice that holds `id` ends
    bool kept = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (slices[i].start < 0 || slices[i].start >= slices[i].stop) continue;
      const auto start = static_cast<std::size_t>(slices[i].start);
      const auto stop = static_cast<std::size_t>(slices[i].stop);
      if (id >= start && id < stop) {
        kept = true;
        next = stop < vocabulary_size ? stop : vocabulary_size;
        break;
      }
      if (start > id && start < next) next = start;
    }
    if (!kept) {
      for (; id < next; ++id) logits[id] = lowest_logit;
    }
    id = next;
  }
  if (force_greedy && vocabulary_size != 0) {
    force_token(logits, vocabulary_size, static_cast<TokenId>(argmax_logit(logits, vocabulary_size)));
  }
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_LOGITS_HPP
