// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ATTENTION_HPP
#define HUNYUAN_RESO_ATTENTION_HPP

#include "detail/search.hpp"
#include "image_runs.hpp"
#include "profile.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// A part of the attention that a kernel without masks computes in one go: `queries` (positions of the sequence) see
/// `keys`, which are always 0 .. stop - 1. With `causal` the last query sees the last key, the one before it one key
/// less, and so on (aligned at the bottom right); without it every query sees every key.
struct AttentionSegment {
  Slice queries{};
  Slice keys{};
  bool causal = true;
};

/// The attention of a sequence: causal, plus full attention inside each listed slice. Since every query sees everything
/// before it, the keys that it sees are always one range, 0 .. allowed_end - 1. Trivially copyable: pass it to kernels
/// by value.
template <std::size_t Capacity>
class BasicAttentionLayout {
 public:
  /// From slices in ascending order. Errc::too_many_images; Errc::images_not_ascending where one is out of order,
  /// overlaps or is negative (position(): which).
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicAttentionLayout> create(const Slice* slices,
                                                                                     std::size_t count) noexcept {
    BasicAttentionLayout layout;
    for (std::size_t i = 0; i < count; ++i) {
      const Errc error = layout.append(slices[i]);
      if (error != Errc::none) return {error, i};
    }
    return layout;
  }

  /// From the image runs of a sequence. Generated images are full unless `include_generated` is off, conditioning
  /// images by the profile's type and attention: `causal` lists none, `full` the runs of its encoders, `full_causal`
  /// the VAE runs, `joint_full` the joint spans, from the first VAE token to the last ViT token. The last two exist for
  /// vae_vit alone: else Errc::unknown_attention_combination. Errc::image_kind_mismatch for a joint VAE run without its
  /// ViT run (position(): which run); the others as above. Upstream lists the slices by kind; here they ascend.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicAttentionLayout> create(
      const ModelProfile& profile, const ImageRun* runs, std::size_t count, bool include_generated = true) noexcept {
    const ConditioningAttention attention = profile.conditioning_attention;
    const bool mixes =
        attention == ConditioningAttention::joint_full || attention == ConditioningAttention::full_causal;
    if (mixes && profile.conditioning_image_type != ConditioningImageType::vae_vit) {
      return Errc::unknown_attention_combination;
    }
    BasicAttentionLayout layout;
    for (std::size_t i = 0; i < count; ++i) {
      const ImageRun& run = runs[i];
      if (!is_listed(run, profile.conditioning_image_type, attention, include_generated)) continue;
      Slice slice = run.slice;
      if (run.kind == ImageRunKind::vae && attention == ConditioningAttention::joint_full) {
        const bool has_vit = i + 1 < count && runs[i + 1].in_joint_block && runs[i + 1].kind == ImageRunKind::vit;
        if (!has_vit) return {Errc::image_kind_mismatch, i};
        slice.stop = runs[i + 1].slice.stop;
      }
      const Errc error = layout.append(slice);
      if (error != Errc::none) return {error, i};
    }
    return layout;
  }

  /// The full slices, ascending and disjoint: what a block-sparse attention kernel needs.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Slice operator[](std::size_t i) const noexcept {
    return i < count_ ? slices_[i] : Slice{};
  }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const Slice* begin() const noexcept { return slices_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr const Slice* end() const noexcept { return slices_ + count_; }

  /// One past the last key that `query` sees. Binary search over the slices.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t allowed_end(std::int32_t query) const noexcept {
    const std::size_t before = detail::count_begun(slices_, count_, &Slice::start, query);
    const bool in_slice = before != 0 && query < slices_[before - 1].stop;
    if (in_slice) return slices_[before - 1].stop;
    return query < max_side ? query + 1 : query;
  }

  /// Whether `query` may attend to `key` (indices into the sequence).
  [[nodiscard]] HUNYUAN_RESO_HD constexpr bool allows(std::int32_t query, std::int32_t key) const noexcept {
    return key >= 0 && (key <= query || key < allowed_end(query));
  }

  /// The keys that a row of the mask sees, as a range.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Slice row_range(std::int32_t query) const noexcept {
    return {0, allowed_end(query)};
  }

  /// Writes the rows `queries` of the mask, each `length` keys long, as T(1) for "may attend" and T(0); for another
  /// pair of values pass `allowed` and `forbidden` (0 and minus infinity for an additive mask).
  /// Errc::buffer_too_small writes nothing; Errc::negative_length for a negative slice or length.
  template <class T>
  HUNYUAN_RESO_HD constexpr Errc write_mask(Slice queries, std::int32_t length, T* out, std::size_t capacity,
                                            T allowed = T(1), T forbidden = T(0)) const noexcept {
    if (length < 0 || queries.start < 0 || queries.length() < 0) return Errc::negative_length;
    const auto width = static_cast<std::size_t>(length);
    if (width != 0 && capacity / width < static_cast<std::size_t>(queries.length())) return Errc::buffer_too_small;
    for (std::int32_t query = queries.start; query < queries.stop; ++query, out += width) {
      const std::int32_t end = allowed_end(query);
      const auto seen = static_cast<std::size_t>(end < length ? end : length);
      for (std::size_t key = 0; key < seen; ++key) out[key] = allowed;
      for (std::size_t key = seen; key < width; ++key) out[key] = forbidden;
    }
    return Errc::none;
  }

  /// Writes the whole mask of a sequence, length * length values.
  template <class T>
  HUNYUAN_RESO_HD constexpr Errc write_mask(std::int32_t length, T* out, std::size_t capacity) const noexcept {
    return write_mask(Slice{0, length}, length, out, capacity);
  }

  /// Writes the segments of the queries in `query_slices` (the whole sequence, or what a later step feeds, in any
  /// order) in a sequence of `length` tokens, in order of the queries, each query in one of them. Returns how many
  /// there are, at most 2 * size() + 1 for a query slice. Errc::negative_length; Errc::query_slices_overlap where one
  /// overlaps an earlier one or lies outside the sequence (position(): which); Errc::buffer_too_small (position(): how
  /// many are needed) writes nothing.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> write_segments(const Slice* query_slices,
                                                                             std::size_t count, std::int32_t length,
                                                                             AttentionSegment* out,
                                                                             std::size_t capacity) const noexcept {
    if (length < 0) return Errc::negative_length;
    for (std::size_t i = 0; i < count; ++i) {
      const Slice slice = query_slices[i];
      if (slice.start < 0 || slice.stop < slice.start || slice.stop > length) return {Errc::query_slices_overlap, i};
      for (std::size_t k = 0; k < i; ++k) {
        const bool overlaps = slice.start < query_slices[k].stop && query_slices[k].start < slice.stop;
        if (overlaps && slice.length() != 0 && query_slices[k].length() != 0) return {Errc::query_slices_overlap, i};
      }
    }
    const std::size_t needed = walk_segments(query_slices, count, length, nullptr);
    if (needed > capacity) return {Errc::buffer_too_small, needed};
    return walk_segments(query_slices, count, length, out);
  }

  /// The segments of the whole sequence.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<std::size_t> write_segments(std::int32_t length, AttentionSegment* out,
                                                                             std::size_t capacity) const noexcept {
    const Slice all{0, length};
    return write_segments(&all, 1, length, out, capacity);
  }

  /// Number of (query, key) pairs that may attend in a sequence of `length` tokens.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t allowed_pairs(std::int32_t length) const noexcept {
    std::int64_t pairs = std::int64_t{length} * (std::int64_t{length} + 1) / 2;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::int32_t stop = slices_[i].stop < length ? slices_[i].stop : length;
      const std::int64_t inside = stop > slices_[i].start ? stop - slices_[i].start : 0;
      pairs += inside * (inside - 1) / 2;
    }
    return pairs;
  }

 private:
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr bool is_listed(const ImageRun& run, ConditioningImageType image_type,
                                                                ConditioningAttention attention,
                                                                bool include_generated) noexcept {
    if (run.kind == ImageRunKind::generated) return include_generated;
    switch (attention) {
      case ConditioningAttention::causal:
        return false;
      case ConditioningAttention::joint_full:
        return run.in_joint_block && run.kind == ImageRunKind::vae;
      case ConditioningAttention::full_causal:
        return run.kind == ImageRunKind::vae;
      case ConditioningAttention::full:
        break;
    }
    const bool is_vae = run.kind == ImageRunKind::vae;
    return image_type == ConditioningImageType::vae_vit || is_vae == (image_type == ConditioningImageType::vae);
  }

  /// The longest segment that starts at `query` and ends at `stop` at the latest.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr AttentionSegment segment_from(std::int32_t query, std::int32_t stop,
                                                                        std::int32_t length) const noexcept {
    std::size_t next = detail::count_begun(slices_, count_, &Slice::start, query);
    const bool is_full = next != 0 && query < slices_[next - 1].stop;
    if (is_full) {
      const std::int32_t full_stop = slices_[next - 1].stop;
      return {{query, full_stop < stop ? full_stop : stop}, {0, full_stop < length ? full_stop : length}, false};
    }
    while (next < count_ && slices_[next].stop == slices_[next].start) ++next;  // empty slices change nothing
    const std::int32_t end = next < count_ && slices_[next].start < stop ? slices_[next].start : stop;
    return {{query, end}, {0, end}, true};
  }

  /// Counts the segments, and writes them where there is an `out`.
  HUNYUAN_RESO_HD constexpr std::size_t walk_segments(const Slice* query_slices, std::size_t count, std::int32_t length,
                                                      AttentionSegment* out) const noexcept {
    std::size_t walked = 0;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::int32_t query = query_slices[i].start; query < query_slices[i].stop; ++walked) {
        const AttentionSegment segment = segment_from(query, query_slices[i].stop, length);
        if (out != nullptr) out[walked] = segment;
        query = segment.queries.stop;
      }
    }
    return walked;
  }

  HUNYUAN_RESO_HD constexpr Errc append(Slice slice) noexcept {
    const std::int32_t last = count_ == 0 ? 0 : slices_[count_ - 1].stop;
    if (slice.start < last || slice.stop < slice.start) return Errc::images_not_ascending;
    if (count_ == Capacity) return Errc::too_many_images;
    slices_[count_++] = slice;
    return Errc::none;
  }

  Slice slices_[Capacity]{};
  std::size_t count_ = 0;
};

/// Room for the published use and a history of generated images.
using AttentionLayout = BasicAttentionLayout<32>;

/// The lengths of segments added up, as attention kernels of variable length take them: entry i is the number of
/// queries (or keys) before segment i, and the last entry, of count + 1, is that of all. Kernels with one causal flag
/// for a call take the causal and the full segments in two calls; the keys of each segment are those of its own
/// sequence, gathered or paged by the caller. Errc::buffer_too_small for a capacity below count + 1,
/// Errc::sequence_too_long where a sum exceeds 2147483647, Errc::negative_length; all write nothing.
HUNYUAN_RESO_HD constexpr Errc write_cumulative_lengths(const AttentionSegment* segments, std::size_t count,
                                                        std::int32_t* query_lengths, std::int32_t* key_lengths,
                                                        std::size_t capacity) noexcept {
  if (capacity == 0 || capacity - 1 < count) return Errc::buffer_too_small;
  std::int64_t keys = 0;
  std::int64_t queries = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t query_length = segments[i].queries.length();
    const std::int32_t key_length = segments[i].keys.length();
    if (query_length < 0 || key_length < 0) return Errc::negative_length;
    queries += query_length;
    keys += key_length;
    if (keys > max_side || queries > max_side) return Errc::sequence_too_long;
  }
  query_lengths[0] = 0;
  key_lengths[0] = 0;
  for (std::size_t i = 0; i < count; ++i) {
    query_lengths[i + 1] = query_lengths[i] + segments[i].queries.length();
    key_lengths[i + 1] = key_lengths[i] + segments[i].keys.length();
  }
  return Errc::none;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ATTENTION_HPP
