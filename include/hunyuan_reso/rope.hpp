// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ROPE_HPP
#define HUNYUAN_RESO_ROPE_HPP

#include "detail/float_order.hpp"
#include "detail/math.hpp"
#include "detail/search.hpp"
#include "image_runs.hpp"
#include "profile.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

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

/// Whether a run gets a grid. Generated images and conditioning images that go through one
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
  /// From images in upstream's order; none is fine. Errc::too_many_images; Errc::negative_length for a negative grid
  /// side; Errc::position_too_large from position 2^22 on, where upstream's binary32 positions lose their halves;
  /// Errc::image_beyond_sequence where the last grid ends after `sequence_length`. position(): the image at fault.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicRopeLayout> create(const RopeImage* images,
                                                                                std::size_t count,
                                                                                std::int32_t sequence_length) noexcept {
    if (sequence_length < 0) return {Errc::negative_length, count};
    Builder builder(sequence_length);
    for (std::size_t i = 0; i < count; ++i) {
      const Errc error = builder.append(images[i], i);
      if (error != Errc::none) return {error, i};
    }
    return builder.finish();
  }

  /// From the image runs of a sequence; the profile's conditioning attention says which of them get a grid. Errors as
  /// above, and Errc::image_grid_unknown for such a run whose grid is not known; position(): the run at fault.
  [[nodiscard]] HUNYUAN_RESO_HD static constexpr Result<BasicRopeLayout> create(const ModelProfile& profile,
                                                                                const ImageRun* runs, std::size_t count,
                                                                                std::int32_t sequence_length) noexcept {
    if (sequence_length < 0) return {Errc::negative_length, count};
    Builder builder(sequence_length);
    for (std::size_t i = 0; i < count; ++i) {
      const ImageRun& run = runs[i];
      if (!has_rope_grid(run, profile.conditioning_attention)) continue;
      const bool is_unknown = run.token_height == 0 || run.token_width == 0;
      if (is_unknown && run.slice.length() != 0) return {Errc::image_grid_unknown, i};
      const Errc error = builder.append({run.slice.start, run.token_height, run.token_width}, i);
      if (error != Errc::none) return {error, i};
    }
    return builder.finish();
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

  /// Appends images one after another, as upstream's list of positions grows.
  struct Builder {
    HUNYUAN_RESO_HD explicit constexpr Builder(std::int32_t sequence_length) noexcept {
      layout.sequence_length_ = sequence_length;
    }

    /// `number`: what the caller counts the image by.
    HUNYUAN_RESO_HD constexpr Errc append(const RopeImage& image, std::size_t number) noexcept {
      if (layout.count_ == Capacity) return Errc::too_many_images;
      if (image.token_height < 0 || image.token_width < 0) return Errc::negative_length;
      const std::int64_t cells = std::int64_t{image.token_height} * image.token_width;
      const std::int64_t sides = std::int64_t{image.token_height} + image.token_width;
      if (cells + image.start + sides >= first_refused_position || image.start <= -first_refused_position) {
        return Errc::position_too_large;
      }
      if (image.start > next_position) next_index += image.start - next_position;
      layout.segments_[layout.count_++] = {static_cast<std::int32_t>(next_index), image};
      next_index += cells;
      next_position = image.start + cells;
      last_number = number;
      return next_index > max_side ? Errc::position_too_large : Errc::none;
    }

    [[nodiscard]] HUNYUAN_RESO_HD constexpr Result<BasicRopeLayout> finish() const noexcept {
      if (next_position > layout.sequence_length_) return {Errc::image_beyond_sequence, last_number};
      return layout;
    }

    BasicRopeLayout layout{};
    std::int64_t next_index = 0;     // in the list
    std::int64_t next_position = 0;  // of text
    std::size_t last_number = 0;
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

namespace detail {

/// A number rounded to binary32, as a double of unknown origin: x87 code would keep the digits behind binary32, and a
/// compiler that sees where the double came from calls powf, cosf and sinf under -ffast-math (clang does), whose last
/// bits differ.
[[nodiscard]] HUNYUAN_RESO_HD inline double rounded_to_binary32(double value) noexcept {
  const volatile float narrow = static_cast<float>(value);
  const volatile double wide = static_cast<double>(narrow);
  return wide;
}

}  // namespace detail

/// Writes the head_dimension / 2 angular frequencies as upstream computes them: p = binary32(base^(2k / D)),
/// theta_k = 1 / p in binary32. `base_rescale`: upstream's factor for longer contexts; 1 in the published checkpoints.
/// Every step is one correctly rounded operation on doubles that is then narrowed, so no compiler flag changes it,
/// beyond the pow of the C library or of the device. Errc::head_dimension_not_multiple_of_four, Errc::buffer_too_small,
/// Errc::rescale_not_positive where the base or the factor is not positive and finite.
HUNYUAN_RESO_HD inline Errc write_rope_thetas(float* thetas, std::size_t capacity, std::int32_t head_dimension,
                                              double base, double base_rescale = 1.0) noexcept {
  if (head_dimension <= 0 || head_dimension % 4 != 0) return Errc::head_dimension_not_multiple_of_four;
  if (capacity < static_cast<std::size_t>(head_dimension) / 2) return Errc::buffer_too_small;
  if (!detail::is_positive_and_finite(base_rescale)) return Errc::rescale_not_positive;
  const double dimension = head_dimension;
  if (base_rescale != 1.0) base *= detail::power(base_rescale, dimension / (dimension - 2.0));
  if (!detail::is_positive_and_finite(base)) return Errc::rescale_not_positive;
  for (std::int32_t k = 0; k < head_dimension / 2; ++k) {
    const double exponent = detail::rounded_to_binary32(2 * k / dimension);
    const double power = detail::rounded_to_binary32(detail::power(base, exponent));
    thetas[k] = static_cast<float>(1.0 / power);
  }
  return Errc::none;
}

/// The same with the head dimension and the base of a profile.
HUNYUAN_RESO_HD inline Errc write_rope_thetas(const ModelProfile& profile, float* thetas, std::size_t capacity,
                                              double base_rescale = 1.0) noexcept {
  return write_rope_thetas(thetas, capacity, profile.head_dimension, profile.rope_theta, base_rescale);
}

/// The factor of RopeScaling::area for a grid of so many tokens: its area over that of the trained square (4096 tokens
/// in the published checkpoints); 1 for a grid that is not larger. Of several images the largest counts.
[[nodiscard]] HUNYUAN_RESO_HD constexpr double rope_area_factor(const ModelProfile& profile,
                                                                std::int64_t image_tokens) noexcept {
  const std::int64_t high = profile.trained_base_size / profile.token_pixels_high();
  const std::int64_t wide = profile.trained_base_size / profile.token_pixels_wide();
  const std::int64_t trained = high * wide;
  return trained > 0 && image_tokens > trained ? static_cast<double>(image_tokens) / static_cast<double>(trained) : 1.0;
}

/// The same for the largest grid among the image runs of a sequence.
[[nodiscard]] HUNYUAN_RESO_HD constexpr double rope_area_factor(const ModelProfile& profile, const ImageRun* runs,
                                                                std::size_t count) noexcept {
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t tokens = std::int64_t{runs[i].token_height} * runs[i].token_width;
    if (has_rope_grid(runs[i], profile.conditioning_attention) && tokens > largest) largest = tokens;
  }
  return rope_area_factor(profile, largest);
}

/// What write_rope_thetas takes as `base_rescale` at a noise level sigma (1 at the first step, see FlowSchedule).
[[nodiscard]] HUNYUAN_RESO_HD inline double rope_base_rescale(RopeScaling scaling, double area_factor,
                                                              double sigma = 1.0) noexcept {
  if (scaling == RopeScaling::none || area_factor <= 1.0) return 1.0;
  return scaling == RopeScaling::area ? area_factor : detail::power(area_factor, sigma * sigma);
}

/// Writes rows of cos and sin, `count` rows of head_dimension values each: column k < D/2 is the angle y * theta_k for
/// even k and x * theta_k for odd k, in binary32; the second half of a row repeats the first (the rotate-half
/// convention). `thetas`: head_dimension / 2 values of write_rope_thetas; cos_out and sin_out hold `capacity` values
/// each. Errc::head_dimension_not_multiple_of_four; Errc::buffer_too_small writes nothing.
HUNYUAN_RESO_HD inline Errc write_rope_table(const RopePosition* positions, std::size_t count, const float* thetas,
                                             std::int32_t head_dimension, float* cos_out, float* sin_out,
                                             std::size_t capacity) noexcept {
  if (head_dimension <= 0 || head_dimension % 4 != 0) return Errc::head_dimension_not_multiple_of_four;
  const auto half = static_cast<std::size_t>(head_dimension / 2);
  if (capacity / (2 * half) < count) return Errc::buffer_too_small;
  for (std::size_t row = 0; row < count; ++row) {
    float* cos_row = cos_out + row * 2 * half;
    float* sin_row = sin_out + row * 2 * half;
    for (std::size_t k = 0; k < half; ++k) {
      const double position = k % 2 == 0 ? positions[row].y : positions[row].x;
      const double angle = detail::rounded_to_binary32(position * static_cast<double>(thetas[k]));
      cos_row[k] = cos_row[k + half] = static_cast<float>(detail::cosine(angle));
      sin_row[k] = sin_row[k + half] = static_cast<float>(detail::sine(angle));
    }
  }
  return Errc::none;
}

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ROPE_HPP
