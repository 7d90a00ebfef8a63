// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ROPE_HPP
#define HUNYUAN_RESO_ROPE_HPP

#include "detail/errc.hpp"
#include "detail/search.hpp"
#include "image_runs.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

/// Rotary position of a token. Text has y == x.
struct RopePosition {
  std::int32_t y = 0;
  std::int32_t x = 0;

  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator==(const RopePosition& a,
                                                                 const RopePosition& b) noexcept {
    return a.y == b.y && a.x == b.x;
  }
  [[nodiscard]] HUNYUAN_RESO_HD friend constexpr bool operator!=(const RopePosition& a,
                                                                 const RopePosition& b) noexcept {
    return !(a == b);
  }
};

/// An image run that gets a two-dimensional grid: its first index in the sequence and its grid, in tokens.
struct RopeImage {
  std::int32_t start = 0;
  std::int32_t token_height = 0;
  std::int32_t token_width = 0;
};

/// Whether a run gets a grid (sequence.md, section 3). Generated images and conditioning images that go through one
/// encoder always do; in a joint block the attention type decides.
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool has_rope_grid(const ImageRun& run,
                                                           ConditioningAttention attention) noexcept {
  if (!run.in_joint_block) return true;
  if (attention == ConditioningAttention::causal) return false;
  return run.kind == ImageRunKind::vae || attention != ConditioningAttention::full_causal;
}

/// Positions of all tokens of a sequence, held as its image grids. Trivially copyable: pass it to kernels by value.
/// Text has its index; a grid of height h and width w that starts at index L is centred on the diagonal: the cell in
/// row a, column b has y = trunc(L + (w h - h) / 2 + a), x = trunc(L + (w h - w) / 2 + b). After it text goes on at
/// position L + w h, whatever the run's length. Where the next image starts before that, upstream's list of positions
/// shifts against the indices; so does this.
template <std::size_t Capacity>
class BasicRopeLayout {
 public:
  /// From images in upstream's order. Errc::too_many_images; Errc::negative_length for a negative grid side;
  /// Errc::position_too_large from position 2^22 on, where upstream's binary32 positions lose their halves;
  /// Errc::image_beyond_sequence where the last grid ends after `sequence_length`. position(): the image at fault.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicRopeLayout> create(const RopeImage* images,
                                                                                std::size_t count,
                                                                                std::int32_t sequence_length) noexcept {
    if (count > Capacity) return {Errc::too_many_images, Capacity};
    if (sequence_length < 0) return {Errc::negative_length, count};
    BasicRopeLayout layout;
    layout.sequence_length_ = sequence_length;
    std::int64_t next_index = 0;     // in the list
    std::int64_t next_position = 0;  // of text
    for (std::size_t i = 0; i < count; ++i) {
      const RopeImage& image = images[i];
      if (image.token_height < 0 || image.token_width < 0) return {Errc::negative_length, i};
      const std::int64_t cells = std::int64_t{image.token_height} * image.token_width;
      const std::int64_t sides = std::int64_t{image.token_height} + image.token_width;
      if (cells + image.start + sides >= first_refused_position || image.start <= -first_refused_position) {
        return {Errc::position_too_large, i};
      }
      if (image.start > next_position) next_index += image.start - next_position;
      layout.segments_[i] = {static_cast<std::int32_t>(next_index), image};
      next_index += cells;
      next_position = image.start + cells;
      if (next_index > max_side) return {Errc::position_too_large, i};
    }
    if (next_position > sequence_length) return {Errc::image_beyond_sequence, count == 0 ? 0 : count - 1};
    layout.count_ = count;
    return layout;
  }

  /// From the image runs of a sequence.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicRopeLayout> create(const ImageRun* runs, std::size_t count,
                                                                                ConditioningAttention attention,
                                                                                std::int32_t sequence_length) noexcept {
    RopeImage images[Capacity]{};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!has_rope_grid(runs[i], attention)) continue;
      if (kept == Capacity) return {Errc::too_many_images, i};
      images[kept++] = {runs[i].slice.start, runs[i].token_height, runs[i].token_width};
    }
    return create(images, kept, sequence_length);
  }

  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::int32_t sequence_length() const noexcept { return sequence_length_; }
  [[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t image_count() const noexcept { return count_; }

  /// The position of the token at `index` (0 .. sequence length - 1; text goes on behind it). Binary search over the
  /// images.
  [[nodiscard]] HUNYUAN_RESO_HD constexpr RopePosition position(std::int32_t index) const noexcept {
    const std::size_t before = detail::count_begun(segments_, count_, &Segment::first_index, index);
    if (before == 0) return {index, index};
    return in_segment(segments_[before - 1], index);
  }

  /// Writes the positions of the whole sequence, sequence_length() of them, or Errc::buffer_too_small and nothing.
  HUNYUAN_RESO_HD constexpr Errc write(RopePosition* out, std::size_t capacity) const noexcept {
    if (capacity < static_cast<std::size_t>(sequence_length_)) return Errc::buffer_too_small;
    std::int32_t index = 0;
    for (std::size_t i = 0; i <= count_; ++i) {
      const std::int32_t next = i < count_ ? segments_[i].first_index : sequence_length_;
      const std::int32_t end = next < sequence_length_ ? next : sequence_length_;
      if (i > 0) index = write_grid(segments_[i - 1], out, index, end);
      if (index >= end) continue;
      const std::int32_t shift = (i == 0 ? index : in_segment(segments_[i - 1], index).y) - index;
      for (; index < end; ++index) out[index] = {index + shift, index + shift};
    }
    return Errc::none;
  }

 private:
  static constexpr std::int64_t first_refused_position = std::int64_t{1} << 22;

  struct Segment {
    std::int32_t first_index = 0;  // of the grid's first cell in the list
    RopeImage image{};
  };

  [[nodiscard]] HUNYUAN_RESO_HD static constexpr RopePosition in_segment(const Segment& segment,
                                                                         std::int32_t index) noexcept {
    const RopeImage& image = segment.image;
    const std::int32_t cells = image.token_height * image.token_width;
    const std::int32_t cell = index - segment.first_index;
    if (cell >= cells) {
      const auto text = static_cast<std::int32_t>(std::int64_t{image.start} + cell);
      return {text, text};
    }
    return {(twice_top(image) + 2 * (cell / image.token_width)) / 2,
            (twice_left(image) + 2 * (cell % image.token_width)) / 2};
  }

  // Doubled, so that halves are whole; integer division by two then truncates towards zero, as upstream does.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::int32_t twice_top(const RopeImage& image) noexcept {
    return 2 * image.start + image.token_height * image.token_width - image.token_height;
  }
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr std::int32_t twice_left(const RopeImage& image) noexcept {
    return 2 * image.start + image.token_height * image.token_width - image.token_width;
  }

  HUNYUAN_RESO_HD static constexpr std::int32_t write_grid(const Segment& segment, RopePosition* out,
                                                           std::int32_t index, std::int32_t end) noexcept {
    const RopeImage& image = segment.image;
    const std::int32_t left = twice_left(image);
    for (std::int32_t row = 0; row < image.token_height; ++row) {
      const std::int32_t y = (twice_top(image) + 2 * row) / 2;
      const std::int32_t count = image.token_width < end - index ? image.token_width : end - index;
      for (std::int32_t column = 0; column < count; ++column) out[index + column] = {y, (left + 2 * column) / 2};
      index += count;
    }
    return index;
  }

  Segment segments_[Capacity]{};
  std::size_t count_ = 0;
  std::int32_t sequence_length_ = 0;
};

/// Room for the published use (three conditioning images of two runs each) and a history of generated images.
using RopeLayout = BasicRopeLayout<32>;

/// The position of one token: RopeLayout::position as a free function, for kernels.
template <std::size_t Capacity>
[[nodiscard]] HUNYUAN_RESO_HD constexpr RopePosition rope_position(const BasicRopeLayout<Capacity>& layout,
                                                                   std::int32_t index) noexcept {
  return layout.position(index);
}

/// Writes the positions of a whole sequence; Errc::buffer_too_small writes nothing.
template <std::size_t Capacity>
HUNYUAN_RESO_HD constexpr Errc write_rope_positions(const BasicRopeLayout<Capacity>& layout, RopePosition* out,
                                                    std::size_t capacity) noexcept {
  return layout.write(out, capacity);
}

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ROPE_HPP
