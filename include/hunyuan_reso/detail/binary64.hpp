// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_BINARY64_HPP
#define HUNYUAN_RESO_DETAIL_BINARY64_HPP

#include "config.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// A non-negative IEEE 754 binary64 number in integers: significand * 2^exponent, the significand in [2^52, 2^53) or 0.
/// The published code decides in binary64; doing its arithmetic in integers gives the same answers under every
/// compiler flag (-ffast-math, FMA contraction, x87) and on every device. Exponents are unbounded: no value that
/// occurs here comes near the limits of the format.
struct Binary64 {
  std::uint64_t significand = 0;
  std::int32_t exponent = -4096;  // zero sorts below everything
};

inline constexpr std::uint64_t binary64_implicit_bit = std::uint64_t{1} << 52;

[[nodiscard]] HUNYUAN_RESO_HD constexpr bool operator==(const Binary64& a, const Binary64& b) noexcept {
  return a.significand == b.significand && a.exponent == b.exponent;
}
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool operator<(const Binary64& a, const Binary64& b) noexcept {
  return a.exponent != b.exponent ? a.exponent < b.exponent : a.significand < b.significand;
}

/// Number of leading zero bits, by halves, for compilers and devices without a builtin; x is not zero.
[[nodiscard]] HUNYUAN_RESO_HD constexpr int leading_zeros_by_halves(std::uint64_t x) noexcept {
  int zeros = 0;
  for (int half = 32; half != 0; half /= 2) {
    if (x >> (64 - half) == 0) {
      zeros += half;
      x <<= half;
    }
  }
  return zeros;
}

/// Number of leading zero bits; 64 for zero.
[[nodiscard]] HUNYUAN_RESO_HD constexpr int leading_zeros(std::uint64_t x) noexcept {
  if (x == 0) return 64;
#if defined(__GNUC__) && !defined(__CUDA_ARCH__) && !defined(__HIP_DEVICE_COMPILE__)
  return __builtin_clzll(x);
#else
  return leading_zeros_by_halves(x);
#endif
}

/// bits * 2^exponent rounded to nearest, halves to even; `inexact` says that a non-zero tail below `bits` was cut off
/// (then `bits` must have at least 55 significant bits, so that the tail lies below the rounding bit).
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 round_to_binary64(std::uint64_t bits, std::int32_t exponent,
                                                                   bool inexact) noexcept {
  if (bits == 0) return {};
  const int zeros = leading_zeros(bits);
  bits <<= zeros;
  std::uint64_t significand = bits >> 11;
  const std::uint64_t tail = bits & 0x7FF;
  std::int32_t result_exponent = exponent - zeros + 11;
  const bool above_half = tail > 0x400 || (tail == 0x400 && inexact);
  if (above_half || (tail == 0x400 && (significand & 1) != 0)) {
    if (++significand == 2 * binary64_implicit_bit) {
      significand = binary64_implicit_bit;
      ++result_exponent;
    }
  }
  return {significand, result_exponent};
}

/// a / b, correctly rounded; both in 1 .. 2^62.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 divide(std::uint64_t a, std::uint64_t b) noexcept {
  // Both scaled to 32 significant bits (exact division by long hand) where they fit, else bit by bit.
  const int zeros_a = leading_zeros(a);
  const int zeros_b = leading_zeros(b);
  if (zeros_a >= 32 && zeros_b >= 32) {
    const std::uint64_t x = a << (zeros_a - 32);
    const std::uint64_t y = b << (zeros_b - 32);
    const std::uint64_t high_input = x << 31;
    const std::uint64_t high = high_input / y;
    const std::uint64_t low_input = (high_input - high * y) << 26;
    const std::uint64_t low = low_input / y;
    // As if something remained: where nothing does, the quotient has at most 32 bits, and its tail is not a half.
    return round_to_binary64(high << 26 | low, zeros_b - zeros_a - 57, true);
  }
  const std::uint64_t y = b << (zeros_b - 1);  // in [2^62, 2^63)
  std::uint64_t rest = a << (zeros_a - 1);
  std::uint64_t quotient = 0;
  for (int bit = 0; bit < 60; ++bit) {
    quotient <<= 1;
    if (rest >= y) {
      rest -= y;
      quotient |= 1;
    }
    rest <<= 1;
  }
  return round_to_binary64(quotient, zeros_b - zeros_a - 59, rest != 0);
}

/// The significands of two numbers in the place of the larger one, each with `guard` more bits below; `inexact` says
/// that a non-zero tail of the smaller one was cut off.
struct Aligned {
  std::uint64_t larger;
  std::uint64_t smaller;
  std::int32_t exponent;
  bool inexact;
};
[[nodiscard]] HUNYUAN_RESO_HD constexpr Aligned align(const Binary64& a, const Binary64& b, int guard) noexcept {
  const Binary64& larger = a < b ? b : a;
  const Binary64& smaller = a < b ? a : b;
  const std::int32_t shift = larger.exponent - smaller.exponent;
  const std::uint64_t unshifted = smaller.significand << guard;
  const std::uint64_t shifted = shift < 64 ? unshifted >> shift : 0;
  const bool inexact = unshifted != 0 && (shift >= 64 || shifted << shift != unshifted);
  return {larger.significand << guard, shifted, larger.exponent - guard, inexact};
}

/// |a - b|, correctly rounded.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 distance(const Binary64& a, const Binary64& b) noexcept {
  const Aligned pair = align(a, b, 10);
  // A cut-off tail makes the true difference smaller: take one unit more away, and say that something remains.
  return round_to_binary64(pair.larger - pair.smaller - (pair.inexact ? 1 : 0), pair.exponent, pair.inexact);
}

/// a + b, correctly rounded.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 add(const Binary64& a, const Binary64& b) noexcept {
  const Aligned pair = align(a, b, 9);
  return round_to_binary64(pair.larger + pair.smaller, pair.exponent, pair.inexact);
}

/// a / divisor, correctly rounded; the divisor in 1 .. 2^62.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 divide(const Binary64& a, std::uint64_t divisor) noexcept {
  if (a.significand == 0) return {};
  Binary64 result = a;
  for (; divisor % 2 == 0; divisor /= 2) --result.exponent;  // powers of two are exact
  if (divisor == 1) return result;
  const Binary64 quotient = divide(a.significand, divisor);
  return {quotient.significand, quotient.exponent + result.exponent};
}

/// The least integer that is not below a; 2^63 - 1 from 2^63 on.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t round_up(const Binary64& a) noexcept {
  if (a.exponent > 10) return 0x7FFFFFFFFFFFFFFF;
  if (a.exponent >= 0) return static_cast<std::int64_t>(a.significand << a.exponent);
  const std::int32_t shift = -a.exponent;
  if (shift > 63) return a.significand != 0 ? 1 : 0;
  const std::uint64_t whole = a.significand >> shift;
  return static_cast<std::int64_t>(whole + (whole << shift != a.significand ? 1 : 0));
}

/// a * factor, correctly rounded; the factor below 2^32.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 multiply(const Binary64& a, std::uint64_t factor) noexcept {
  const std::uint64_t low = (a.significand & 0xFFFFFFFF) * factor;
  const std::uint64_t high = (a.significand >> 32) * factor + (low >> 32);  // below 2^54
  const int zeros = leading_zeros(high);                                    // at least 10
  const int taken = zeros < 32 ? zeros : 32;                                // bits of the lower word that still fit
  const std::uint64_t low_word = low & 0xFFFFFFFF;
  const std::uint64_t bits = high << taken | low_word >> (32 - taken);
  const bool inexact = (low_word << taken & 0xFFFFFFFF) != 0;
  return round_to_binary64(bits, a.exponent + 32 - taken, inexact);
}

/// The square root, correctly rounded.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 square_root(const Binary64& a) noexcept {
  if (a.significand == 0) return {};
  const bool odd = a.exponent % 2 != 0;
  std::uint64_t digits = a.significand << (odd ? 11 : 10);  // two bits a step, from the top; 0s follow
  const std::int32_t exponent = (a.exponent - (odd ? 1 : 0)) / 2;
  std::uint64_t root = 0;
  std::uint64_t rest = 0;
  constexpr int steps = 56;
  for (int i = 0; i < steps; ++i) {
    rest = rest << 2 | digits >> 62;
    digits <<= 2;
    const std::uint64_t trial = root << 2 | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  // digits held significand * 2^10 as 64 bits, so after 32 steps the root has the weight 2^-5 of the significand's.
  return round_to_binary64(root, exponent - 5 - (steps - 32), rest != 0);
}

/// The nearest integer, halves to even (as Python's round); 2^63 - 1 for values from 2^63 on.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::int64_t round_to_integer(const Binary64& a) noexcept {
  if (a.exponent > 10) return 0x7FFFFFFFFFFFFFFF;
  if (a.exponent >= 0) return static_cast<std::int64_t>(a.significand << a.exponent);
  const std::int32_t shift = -a.exponent;
  if (shift > 53) return 0;  // below one half
  const std::uint64_t whole = a.significand >> shift;
  const std::uint64_t tail = a.significand - (whole << shift);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const bool up = tail > half || (tail == half && (whole & 1) != 0);
  return static_cast<std::int64_t>(whole + (up ? 1 : 0));
}

/// The same number as a double: products with powers of two are exact, whatever the flags.
[[nodiscard]] HUNYUAN_RESO_HD constexpr double to_double(const Binary64& a) noexcept {
  double value = static_cast<double>(a.significand);
  for (std::int32_t e = a.exponent; e < 0; ++e) value *= 0.5;
  for (std::int32_t e = a.exponent; e > 0; --e) value *= 2.0;
  return value;
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_BINARY64_HPP
