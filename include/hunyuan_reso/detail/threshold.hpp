// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_DETAIL_THRESHOLD_HPP
#define HUNYUAN_RESO_DETAIL_THRESHOLD_HPP

#include "binary64.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {
namespace detail {

/// By default infinite: above every size.
struct Fraction {
  std::uint32_t numerator = 1;
  std::uint32_t denominator = 0;
};

/// The smallest power of four that is at least n; at least 4.
[[nodiscard]] HUNYUAN_RESO_HD constexpr std::size_t power_of_four_from(std::size_t n) noexcept {
  std::size_t power = 4;
  while (power < n) power *= 4;
  return power;
}

/// Gap between neighbouring ratios from which on the nearest row is always one of the two neighbours: distances are
/// below 2^31, where two of them that differ by more than 2^-22, the spacing of binary64 there, cannot round to a tie.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 smallest_separable_gap() noexcept {
  return {binary64_implicit_bit + 1, -22 - 52};
}

[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 next_up(const Binary64& a) noexcept {
  if (a.significand + 1 == 2 * binary64_implicit_bit) return {binary64_implicit_bit, a.exponent + 1};
  return {a.significand + 1, a.exponent};
}
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 next_down(const Binary64& a) noexcept {
  if (a.significand == binary64_implicit_bit) return {2 * binary64_implicit_bit - 1, a.exponent - 1};
  return {a.significand - 1, a.exponent};
}

/// Whether the distance from `ratio` to `lower` counts as the smaller one (`lower_first`: who wins a tie).
[[nodiscard]] HUNYUAN_RESO_HD constexpr bool goes_to_lower(const Binary64& ratio, const Binary64& lower,
                                                           const Binary64& upper, bool lower_first) noexcept {
  const Binary64 to_lower = distance(ratio, lower);
  const Binary64 to_upper = distance(ratio, upper);
  return to_lower < to_upper || (lower_first && to_lower == to_upper);
}

/// The largest binary64 number between `lower` and `upper` that goes to `lower`. The decision is monotone, and it
/// changes within a few units in the last place of the mean, where the walk starts.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Binary64 last_binary64_below(const Binary64& lower, const Binary64& upper,
                                                                     bool lower_first) noexcept {
  const std::int32_t shift = upper.exponent - lower.exponent;  // below 64: ratios lie between 2^-31 and 2^31
  const std::uint64_t sum = upper.significand + (lower.significand >> shift);
  Binary64 last = round_to_binary64(sum, upper.exponent - 1, false);
  while (!goes_to_lower(last, lower, upper, lower_first)) last = next_down(last);
  while (goes_to_lower(next_up(last), lower, upper, lower_first)) last = next_up(last);
  return last;
}

/// Quotient and rest of the Euclidean algorithm's first step on 2^exponent / divisor.
struct QuotientAndRest {
  std::uint64_t quotient;
  std::uint64_t rest;
};
[[nodiscard]] HUNYUAN_RESO_HD constexpr QuotientAndRest divide_power_of_two(std::int32_t exponent,
                                                                            std::uint64_t divisor) noexcept {
  QuotientAndRest result{0, 1};
  while (exponent > 0) {  // the rest is below 2^54, so ten bits at a time fit
    const std::int32_t bits = exponent < 10 ? exponent : 10;
    const std::uint64_t value = result.rest << bits;
    result.quotient = (result.quotient << bits) + value / divisor;
    result.rest = value % divisor;
    exponent -= bits;
  }
  return result;
}

/// The largest fraction, both parts in 1 .. 2^31 - 1, that rounds to `limit` or less, for a limit above the ratio of
/// two such sides. No such fraction lies half-way between two binary64 numbers (that would take a numerator of 54
/// bits), so it is the largest one below limit + half a unit in the last place = odd / 2^power: found by walking the
/// Stern-Brocot tree in runs, whose lengths are the continued fraction's quotients.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Fraction last_fraction_rounding_to(const Binary64& limit) noexcept {
  constexpr std::uint64_t most = static_cast<std::uint64_t>(max_side);
  const std::uint64_t odd = 2 * limit.significand + 1;
  const std::int32_t power = 1 - limit.exponent;
  std::uint64_t low_num = 0, low_den = 1, high_num = 1, high_den = 0;
  std::uint64_t dividend = odd;
  std::uint64_t divisor = 0;
  bool raising_low = true;
  if (power < 64) {
    divisor = std::uint64_t{1} << power;
  } else {  // below 2^-9: the first quotient is 0, and the second one comes from 2^power / odd
    const QuotientAndRest first = divide_power_of_two(power, odd);
    high_den = first.quotient;
    divisor = first.rest;
  }
  while (true) {
    std::uint64_t& num = raising_low ? low_num : high_num;
    std::uint64_t& den = raising_low ? low_den : high_den;
    const std::uint64_t step_num = raising_low ? high_num : low_num;
    const std::uint64_t step_den = raising_low ? high_den : low_den;
    const std::uint64_t run = dividend / divisor;
    std::uint64_t allowed = run;
    if (step_num != 0 && (most - num) / step_num < allowed) allowed = (most - num) / step_num;
    if (step_den != 0 && (most - den) / step_den < allowed) allowed = (most - den) / step_den;
    num += allowed * step_num;
    den += allowed * step_den;
    if (allowed < run) return {static_cast<std::uint32_t>(low_num), static_cast<std::uint32_t>(low_den)};
    const std::uint64_t rest = dividend - run * divisor;
    dividend = divisor;
    divisor = rest;
    raising_low = !raising_low;
  }
}

/// A row's sides, and its ratio height / width as upstream has it.
struct RowRatio {
  std::int32_t height = 0;
  std::int32_t width = 0;
  Binary64 ratio{};
};

/// The mean of two rows' ratios as the reduced fraction m / n, and q with m * q = 1 modulo n (extended Euclidean
/// algorithm); n = 0 where m or n does not fit 16 bits.
struct Mean {
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t q = 0;
};
[[nodiscard]] HUNYUAN_RESO_HD constexpr Mean mean_ratio(const RowRatio& a, const RowRatio& b) noexcept {
  constexpr std::uint32_t too_long = 1 << 15;  // so that the products fit 31 bits
  const auto ah = static_cast<std::uint32_t>(a.height), aw = static_cast<std::uint32_t>(a.width);
  const auto bh = static_cast<std::uint32_t>(b.height), bw = static_cast<std::uint32_t>(b.width);
  if ((ah | aw | bh | bw) >= too_long) return {};
  const std::uint32_t numerator = ah * bw + bh * aw;
  const std::uint32_t denominator = 2 * aw * bw;
  // rest = factor * numerator modulo the denominator, for both pairs; the factors alternate in sign.
  std::uint32_t rest = denominator, next_rest = numerator;
  std::uint32_t factor = 0, next_factor = 1;
  bool is_negative = true;
  while (next_rest != 0) {
    const std::uint32_t run = rest / next_rest;
    const std::uint32_t last_rest = rest - run * next_rest;
    const std::uint32_t last_factor = factor + run * next_factor;
    rest = next_rest;
    next_rest = last_rest;
    factor = next_factor;
    next_factor = last_factor;
    is_negative = !is_negative;
  }
  const std::uint32_t m = numerator / rest;  // rest is the greatest common divisor, next_factor what n is
  if ((m | next_factor) > 0xFFFF) return {};
  return {m, next_factor, is_negative ? next_factor - factor : factor};
}

/// The threshold between two neighbouring rows as a fraction p / q: height / width goes to `lower` exactly when
/// height * q <= width * p, for every height and width in 1 .. 2^31 - 1.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Fraction last_fraction_below(const RowRatio& lower, const RowRatio& upper,
                                                                     bool lower_first) noexcept {
  const Mean mean = mean_ratio(lower, upper);
  if (mean.n == 0) return last_fraction_rounding_to(last_binary64_below(lower.ratio, upper.ratio, lower_first));
  // Every fraction but the mean m / n itself is 1 / (q * n) or more away from it, over 2^-48 of the upper ratio, where
  // rounding moves nothing by more than 2^-51 of it. So rounding decides about the mean alone.
  if (goes_to_lower(divide(mean.m, mean.n), lower.ratio, upper.ratio, lower_first)) return {mean.m, mean.n};
  // The fraction below it that is nearest: m * q - n * p = 1 with the largest p and q there are.
  constexpr auto most = static_cast<std::uint32_t>(max_side);
  const auto p = static_cast<std::uint32_t>((std::uint64_t{mean.m} * mean.q - 1) / mean.n);
  const std::uint32_t times_q = (most - mean.q) / mean.n;
  const std::uint32_t times_p = (most - p) / mean.m;
  const std::uint32_t times = times_p < times_q ? times_p : times_q;
  return {p + times * mean.m, mean.q + times * mean.n};
}

}  // namespace detail
}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_DETAIL_THRESHOLD_HPP
