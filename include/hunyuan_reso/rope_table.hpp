// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_ROPE_TABLE_HPP
#define HUNYUAN_RESO_ROPE_TABLE_HPP

#include "detail/math.hpp"
#include "rope.hpp"

namespace hunyuan_reso {
inline namespace v0_1 {

namespace detail {

/// A number rounded to binary32, as a double of unknown origin: x87 code would keep the digits behind binary32, and a
/// compiler that sees where the double came from calls powf, cosf and sinf under -ffast-math (clang does), whose last
/// bits differ.
[[nodiscard]] inline double rounded_to_binary32(double value) noexcept {
  const volatile float narrow = static_cast<float>(value);
  const volatile double wide = static_cast<double>(narrow);
  return wide;
}

}  // namespace detail

/// Writes the head_dimension / 2 angular frequencies as upstream computes them: p = binary32(base^(2k / D)),
/// theta_k = 1 / p in binary32. `base_rescale`: upstream's factor for longer contexts; 1 in the published checkpoints.
/// Every step is one correctly rounded operation on doubles that is then narrowed, so no compiler flag changes it,
/// beyond the library's pow. Errc::head_dimension_not_even, Errc::buffer_too_small.
inline Errc write_rope_thetas(float* thetas, std::size_t capacity, std::int32_t head_dimension, double base = 10000.0,
                              double base_rescale = 1.0) noexcept {
  if (head_dimension <= 0 || head_dimension % 2 != 0) return Errc::head_dimension_not_even;
  if (capacity < static_cast<std::size_t>(head_dimension) / 2) return Errc::buffer_too_small;
  const double dimension = head_dimension;
  if (base_rescale != 1.0 && head_dimension > 2) base *= detail::power(base_rescale, dimension / (dimension - 2.0));
  for (std::int32_t k = 0; k < head_dimension / 2; ++k) {
    const double exponent = detail::rounded_to_binary32(2 * k / dimension);
    const double power = detail::rounded_to_binary32(detail::power(base, exponent));
    thetas[k] = static_cast<float>(1.0 / power);
  }
  return Errc::none;
}

/// Writes rows of cos and sin, `count` rows of head_dimension values each: column k < D/2 is the angle y * theta_k for
/// even k and x * theta_k for odd k, in binary32; the second half of a row repeats the first (the rotate-half
/// convention). `thetas`: head_dimension / 2 values of write_rope_thetas; cos_out and sin_out hold count *
/// head_dimension values. Errc::head_dimension_not_even.
inline Errc write_rope_table(const RopePosition* positions, std::size_t count, const float* thetas,
                             std::int32_t head_dimension, float* cos_out, float* sin_out) noexcept {
  if (head_dimension <= 0 || head_dimension % 2 != 0) return Errc::head_dimension_not_even;
  const auto half = static_cast<std::size_t>(head_dimension / 2);
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

}  // namespace v0_1
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_ROPE_TABLE_HPP
