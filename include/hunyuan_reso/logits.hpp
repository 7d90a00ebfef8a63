// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_LOGITS_HPP
#define HUNYUAN_RESO_LOGITS_HPP

#include "detail/float_order.hpp"
#include "tokens.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// The lowest finite binary32 number, which stands for "never" in masked logits.
inline constexpr float lowest_logit = -3.402823466385288598e38F;

/// Token ids start .. stop - 1. A slice is cut where the vocabulary ends, so it may stop anywhere behind that.
struct VocabularySlice {
  TokenId start = 0;
  TokenId stop = 0;

  /// Without a start, without an end, or without both.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr VocabularySlice until(TokenId stop) noexcept { return {0, stop}; }
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr VocabularySlice from(TokenId start) noexcept {
    return {start, max_side};
  }
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr VocabularySlice whole() noexcept { return {0, max_side}; }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool contains(TokenId id) const noexcept { return id >= start && id < stop; }
};

/// The ratio tokens of a profile that have an id, as slices in order of the ratio index.
struct RatioSlices {
  VocabularySlice slices[RatioTokens::capacity]{};
  std::size_t count = 0;

  /// How many slices there are: `count`, but no more than there is room for.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept {
    return count < RatioTokens::capacity ? count : RatioTokens::capacity;
  }
  /// Ratio tokens in all, which is the length of the compact logits.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t token_count() const noexcept {
    std::size_t tokens = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const std::int64_t length = std::int64_t{slices[i].stop} - slices[i].start;
      tokens += length > 0 ? static_cast<std::size_t>(length) : 0;
    }
    return tokens;
  }
};

/// Successive ids make one slice: 128044 .. 128076 and 130103 .. 130106 of the Instruct family are two.
[[nodiscard]] HUNYUAN_RESO_HD constexpr RatioSlices ratio_slices(const ModelProfile& profile) noexcept {
  RatioSlices result;
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    const TokenId id = profile.ratio_tokens.ids[i];
    if (id < 0 || id == max_side) continue;
    if (result.count != 0 && result.slices[result.count - 1].stop == id) {
      result.slices[result.count - 1].stop = id + 1;
    } else {
      result.slices[result.count++] = {id, id + 1};
    }
  }
  return result;
}

namespace detail {

/// The greatest order among `count` values, one at least. With a constant count the compiler makes vectors of it.
template <class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr auto greatest_order(const Float* logits, std::size_t count) noexcept {
  auto greatest = float_order(logits[0]);
  for (std::size_t i = 0; i < count; ++i) {
    const auto order = float_order(logits[i]);
    greatest = order > greatest ? order : greatest;
  }
  return greatest;
}

/// The ids that a slice has in a vocabulary; none where begin == end.
struct VocabularyRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

[[nodiscard]] HUNYUAN_RESO_HD constexpr VocabularyRange range_of(VocabularySlice slice,
                                                                 std::size_t vocabulary_size) noexcept {
  if (slice.start < 0 || slice.start >= slice.stop) return {};
  const auto start = static_cast<std::size_t>(slice.start);
  const auto stop = static_cast<std::size_t>(slice.stop);
  if (start >= vocabulary_size) return {};
  return {start, stop < vocabulary_size ? stop : vocabulary_size};
}

}  // namespace detail

/// The index of the greatest value; the first one on ties; NaN counts as the greatest, as in torch. Errc::no_value for
/// an empty row. Float: float, double, or anything that converts to float. The same under any compiler flags.
template <class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> argmax_logit(const Float* logits,
                                                                         std::size_t count) noexcept {
  if (count == 0) return Errc::no_value;
  // Which block holds the greatest value; where in it is only asked at the end.
  constexpr std::size_t block = 256;
  std::size_t best_begin = 0;
  auto best = detail::float_order(logits[0]);
  for (std::size_t begin = 0; begin < count; begin += block) {
    const auto order = count - begin < block ? detail::greatest_order(logits + begin, count - begin)
                                             : detail::greatest_order(logits + begin, block);
    if (order > best) {
      best = order;
      best_begin = begin;
    }
  }
  std::size_t i = best_begin;
  while (detail::float_order(logits[i]) != best) ++i;
  return i;
}

/// The ratio index that a row of logits over the whole vocabulary predicts: of the profile's ratio tokens the one with
/// the greatest value, as argmax_logit ranks them. Tokens without an id are skipped; the others keep their index, which
/// the argmax of slice_logits' compact values would not. Errc::ratio_token_id_unknown where no ratio token has an id,
/// Errc::vocabulary_too_small where the row ends before one (position(): its ratio index).
template <class Float>
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> predict_ratio(const ModelProfile& profile,
                                                                          const Float* logits,
                                                                          std::size_t count) noexcept {
  Result<std::size_t> best = Errc::ratio_token_id_unknown;
  decltype(detail::float_order(*logits)) best_order = 0;
  for (std::size_t i = 0; i < ratio_token_count(profile); ++i) {
    const TokenId id = profile.ratio_tokens.ids[i];
    if (id < 0) continue;
    if (static_cast<std::size_t>(id) >= count) return {Errc::vocabulary_too_small, i};
    const auto order = detail::float_order(logits[id]);
    if (best && order <= best_order) continue;
    best = i;
    best_order = order;
  }
  return best;
}

/// Upstream's compact processor: the values of the slices one after another, in the order given. Returns how many were
/// written. Further slices may be empty and then add nothing. Errc::vocabulary_slice_empty where the first is empty or
/// starts behind the vocabulary, Errc::token_id_out_of_range for a negative bound (position(): which slice),
/// Errc::buffer_too_small; nothing is written then.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> slice_logits(const float* logits,
                                                                         std::size_t vocabulary_size,
                                                                         const VocabularySlice* slices,
                                                                         std::size_t count, float* out,
                                                                         std::size_t capacity) noexcept {
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (slices[i].start < 0 || slices[i].stop < 0) return {Errc::token_id_out_of_range, i};
    const detail::VocabularyRange range = detail::range_of(slices[i], vocabulary_size);
    if (i == 0 && range.begin == range.end) return Errc::vocabulary_slice_empty;
    total += range.end - range.begin;
  }
  if (total > capacity) return Errc::buffer_too_small;
  for (std::size_t i = 0; i < count; ++i) {
    const detail::VocabularyRange range = detail::range_of(slices[i], vocabulary_size);
    for (std::size_t id = range.begin; id < range.end; ++id) *out++ = logits[id];
  }
  return total;
}

/// Leaves one token possible: all else gets the lowest finite value, the token 0. Errc::token_id_out_of_range changes
/// nothing.
HUNYUAN_RESO_HD constexpr Errc force_token(float* logits, std::size_t vocabulary_size, TokenId token) noexcept {
  if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size) return Errc::token_id_out_of_range;
  for (std::size_t id = 0; id < vocabulary_size; ++id) logits[id] = lowest_logit;
  logits[token] = 0.0F;
  return Errc::none;
}

/// Upstream's masked processor: everything outside the slices becomes the lowest finite value; empty slices keep
/// nothing. With `force_greedy` only the best of what is left stays, with score 0; where nothing above the lowest
/// finite value is left that is token 0, as upstream. Errc::token_id_out_of_range for a negative bound changes nothing.
HUNYUAN_RESO_HD constexpr Errc mask_logits(float* logits, std::size_t vocabulary_size, const VocabularySlice* slices,
                                           std::size_t count, bool force_greedy = false) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (slices[i].start < 0 || slices[i].stop < 0) return Errc::token_id_out_of_range;
  }
  for (std::size_t id = 0; id < vocabulary_size;) {
    std::size_t next = vocabulary_size;  // the next id of a slice, or where the slice that holds `id` ends
    bool kept = false;
    for (std::size_t i = 0; i < count && !kept; ++i) {
      const detail::VocabularyRange range = detail::range_of(slices[i], vocabulary_size);
      kept = id >= range.begin && id < range.end;
      if (kept) next = range.end;
      if (range.begin > id && range.begin < next) next = range.begin;
    }
    for (; !kept && id < next; ++id) logits[id] = lowest_logit;
    id = next;
  }
  if (!force_greedy || vocabulary_size == 0) return Errc::none;
  const Result<std::size_t> best = argmax_logit(logits, vocabulary_size);
  return force_token(logits, vocabulary_size, static_cast<TokenId>(*best));
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_LOGITS_HPP
