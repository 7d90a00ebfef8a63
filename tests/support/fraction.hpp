// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_FRACTION_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_FRACTION_HPP

#include <cstdint>

namespace hunyuan_reso_test {

struct Fraction64 {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;
};

/// The next larger fraction after p / q (in lowest terms) among those with both parts in 1 .. 2^31 - 1; 0 / 0 where
/// p / q is the largest. Neighbours a / b there have a * q - p * b = 1: one solution by Euclid's algorithm, then as
/// many times (p, q) more as fit.
constexpr Fraction64 next_fraction(Fraction64 last) {
  constexpr std::int64_t most = 2147483647;
  const std::int64_t p = last.numerator;
  const std::int64_t q = last.denominator;
  if (p == most && q == 1) return {0, 0};
  // inverse of q modulo p, by the extended algorithm
  std::int64_t old_rest = q % p, rest = p, old_factor = 1, factor = 0;
  while (rest != 0) {
    const std::int64_t quotient = old_rest / rest;
    const std::int64_t next_rest = old_rest - quotient * rest;
    const std::int64_t next_factor = old_factor - quotient * factor;
    old_rest = rest;
    rest = next_rest;
    old_factor = factor;
    factor = next_factor;
  }
  const std::int64_t a = p == 1 ? 1 : (old_factor % p + p) % p;
  const std::int64_t b = (a * q - 1) / p;
  const std::int64_t fit_a = (most - a) / p;
  const std::int64_t fit_b = (most - b) / q;
  const std::int64_t times = fit_a < fit_b ? fit_a : fit_b;
  return {a + times * p, b + times * q};
}

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_FRACTION_HPP
