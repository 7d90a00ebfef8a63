// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ATTENTION_HPP
#define HUNYUAN_RESO_ATTENTION_HPP

#include "detail/errc.hpp"
#include "detail/search.hpp"
#include "image_runs.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// The attention of a sequence: causal, plus full attention inside each listed slice (sequence.md, section 4). Since
/// every query sees everything before it, the keys that it sees are always one range, 0 .. allowed_end - 1.
/// Trivially copyable: pass it to kernels by value.
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

  /// From the image runs of a sequence. Generated images are full unless `include_generated` is off; conditioning
  /// images by their type and attention. Errc::unknown_attention_combination for a pair that does not exist.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicAttentionLayout> create(
      const ImageRun* runs, std::size_t count, ConditioningImageType image_type, ConditioningAttention attention,
      bool include_generated = true) noexcept {
    const bool mixes =
        attention == ConditioningAttention::joint_full || attention == ConditioningAttention::full_causal;
    if (mixes && image_type != ConditioningImageType::vae_vit) return Errc::unknown_attention_combination;
    BasicAttentionLayout layout;
    for (std::size_t i = 0; i < count; ++i) {
      const ImageRun& run = runs[i];
      if (!is_listed(run, image_type, attention, include_generated)) continue;
      Slice slice = run.slice;
      if (run.kind == ImageRunKind::vae && attention == ConditioningAttention::joint_full) {
        if (i + 1 < count) slice.stop = runs[i + 1].slice.stop;  // the joint span ends with the ViT run
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

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ATTENTION_HPP
