// SPDX-License-Identifier: MIT
// The arithmetic in integers against the processor's, whose operations come from a translation unit with strict flags.
#include <hunyuan_reso/detail/binary64.hpp>

#include <cmath>
#include <cstring>

#include "support/expect.hpp"
#include "support/plain.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using hunyuan_reso::detail::Binary64;
using hunyuan_reso::detail::binary64_implicit_bit;
namespace detail = hunyuan_reso::detail;

constexpr bool division_at_compile_time() {
  EXPECT(detail::divide(1, 1) == Binary64{binary64_implicit_bit, -52});
  EXPECT(detail::divide(1, 3) == Binary64{0x15555555555555, -54});
  EXPECT(detail::to_double(detail::divide(1, 3)) == 1.0 / 3.0);
  EXPECT(detail::to_double(detail::divide(2147483647, 1)) == 2147483647.0);
  EXPECT(detail::to_double(detail::divide(1, 2147483647)) == 1.0 / 2147483647.0);
  EXPECT(detail::divide(768, 1024) < detail::divide(1024, 768));
  EXPECT(!(detail::divide(3, 4) < detail::divide(768, 1024)));
  return true;
}
BOTH_TIMES(division_at_compile_time)

constexpr bool leading_zeros_of_powers() {
  EXPECT(detail::leading_zeros(0) == 64);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT(detail::leading_zeros(std::uint64_t{1} << bit) == 63 - bit);
    EXPECT(detail::leading_zeros(~std::uint64_t{0} >> bit) == bit);
  }
  return true;
}
BOTH_TIMES(leading_zeros_of_powers)

constexpr bool rounding_to_binary64() {
  constexpr std::uint64_t one = binary64_implicit_bit;
  EXPECT(detail::round_to_binary64(0, 5, false).significand == 0);
  EXPECT(detail::round_to_binary64(1, 0, false) == Binary64{one, -52});
  // 54 bits: a half goes to the even significand, unless a cut-off tail makes it more than a half
  EXPECT(detail::round_to_binary64(2 * one + 1, 0, false) == Binary64{one, 1});
  EXPECT(detail::round_to_binary64(2 * one + 3, 0, false) == Binary64{one + 2, 1});
  EXPECT(detail::round_to_binary64(8 * one + 4, 0, true) == Binary64{one + 1, 3});
  EXPECT(detail::round_to_binary64(8 * one + 4, 0, false) == Binary64{one, 3});
  // rounding up can carry into the next power of two
  EXPECT(detail::round_to_binary64(~std::uint64_t{0}, 0, false) == Binary64{one, 12});
  return true;
}
BOTH_TIMES(rounding_to_binary64)

constexpr bool distances_at_compile_time() {
  const Binary64 third = detail::divide(1, 3);
  const Binary64 half = detail::divide(1, 2);
  EXPECT(detail::to_double(detail::distance(third, half)) == 0.5 - 1.0 / 3.0);
  EXPECT(detail::distance(third, half) == detail::distance(half, third));
  EXPECT(detail::distance(half, half).significand == 0);
  EXPECT(detail::distance(half, Binary64{}) == half);
  EXPECT(detail::distance(half, half) < third);  // zero sorts below everything
  return true;
}
BOTH_TIMES(distances_at_compile_time)

constexpr bool integers_from_binary64() {
  EXPECT(detail::round_to_integer(Binary64{}) == 0);
  EXPECT(detail::round_to_integer(detail::divide(1, 2)) == 0);
  EXPECT(detail::round_to_integer(detail::divide(3, 2)) == 2);
  EXPECT(detail::round_to_integer(detail::divide(5, 2)) == 2);
  EXPECT(detail::round_to_integer(detail::divide(7, 2)) == 4);
  EXPECT(detail::round_to_integer(detail::divide(49, 100)) == 0);
  EXPECT(detail::round_to_integer(detail::divide(51, 100)) == 1);
  EXPECT(detail::round_to_integer(detail::divide(1, 1000000)) == 0);
  EXPECT(detail::round_to_integer(Binary64{binary64_implicit_bit, 0}) == std::int64_t{1} << 52);
  EXPECT(detail::round_to_integer(Binary64{binary64_implicit_bit, 10}) == std::int64_t{1} << 62);
  return true;
}
BOTH_TIMES(integers_from_binary64)

constexpr bool square_roots_at_compile_time() {
  EXPECT(detail::square_root(Binary64{}).significand == 0);
  EXPECT(detail::to_double(detail::square_root(detail::divide(9, 4))) == 1.5);
  EXPECT(detail::to_double(detail::square_root(detail::divide(2, 1))) == 1.4142135623730951);
  EXPECT(detail::to_double(detail::square_root(detail::divide(1, 4))) == 0.5);
  return true;
}
BOTH_TIMES(square_roots_at_compile_time)

Binary64 from_double(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (value == 0.0) return {};
  return {static_cast<std::uint64_t>(std::ldexp(fraction, 53)), exponent - 53};
}

bool same(const Binary64& a, double b) { return a == from_double(b); }

/// Exact in double: at most 53 significant bits, spread over 62.
std::uint64_t exact_operand(Random& random) {
  const std::uint64_t bits = random.next() >> (11 + random.below(53));
  const std::uint64_t value = bits << random.below(10);
  return value == 0 ? 1 : value;
}

TEST_CASE("division of sides agrees with the processor") {
  Random random(1);
  long wrong = 0;
  for (int i = 0; i < 2000000; ++i) {
    const auto a = static_cast<std::uint64_t>(random.side());
    const auto b = static_cast<std::uint64_t>(random.side());
    const double expected = plain::divide(static_cast<double>(a), static_cast<double>(b));
    const Binary64 actual = detail::divide(a, b);
    if (!same(actual, expected) || detail::to_double(actual) != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("division of longer integers agrees with the processor") {
  Random random(2);
  long wrong = 0;
  for (int i = 0; i < 500000; ++i) {
    const std::uint64_t a = exact_operand(random);
    const std::uint64_t b = exact_operand(random);
    if (!same(detail::divide(a, b), plain::divide(static_cast<double>(a), static_cast<double>(b)))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("distances agree with the processor") {
  Random random(3);
  long wrong = 0;
  for (int i = 0; i < 1000000; ++i) {
    const auto a = static_cast<std::uint64_t>(random.side());
    const auto b = static_cast<std::uint64_t>(random.side());
    // Half of the time a ratio close to the first one, where subtraction cancels.
    const bool near = random.below(2) == 0;
    const std::uint64_t c = near ? a + random.below(3) : static_cast<std::uint64_t>(random.side());
    const std::uint64_t d = near ? b + random.below(3) : static_cast<std::uint64_t>(random.side());
    const double x = plain::divide(static_cast<double>(a), static_cast<double>(b));
    const double y = plain::divide(static_cast<double>(c), static_cast<double>(d));
    if (!same(detail::distance(detail::divide(a, b), detail::divide(c, d)), plain::distance(x, y))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("products agree with the processor") {
  Random random(4);
  long wrong = 0;
  for (int i = 0; i < 1000000; ++i) {
    const auto a = static_cast<std::uint64_t>(random.side());
    const auto b = static_cast<std::uint64_t>(random.side());
    const std::uint64_t factor = i % 100 == 0 ? 0xFFFFFFFF : static_cast<std::uint64_t>(random.side());
    const double ratio = plain::divide(static_cast<double>(a), static_cast<double>(b));
    const double expected = plain::multiply(ratio, static_cast<double>(factor));
    const Binary64 actual = detail::multiply(detail::divide(a, b), factor);
    if (!same(actual, expected)) ++wrong;
    if (expected < 9e18 && detail::round_to_integer(actual) != std::int64_t(plain::round_half_even(expected))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("halves and their neighbours round as the processor rounds") {
  Random random(5);
  long wrong = 0;
  for (int i = 0; i < 500000; ++i) {
    const std::uint64_t whole = random.next() >> (14 + random.below(50));
    const double half = static_cast<double>(whole) + 0.5;
    for (const double value : {half, std::nextafter(half, 0.0), std::nextafter(half, 1e300), half - 0.5}) {
      if (detail::round_to_integer(from_double(value)) != std::int64_t(plain::round_half_even(value))) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("square roots agree with the processor") {
  Random random(6);
  long wrong = 0;
  for (int i = 0; i < 300000; ++i) {
    const std::uint64_t a = exact_operand(random);
    const std::uint64_t b = exact_operand(random);
    const double ratio = plain::divide(static_cast<double>(a), static_cast<double>(b));
    if (!same(detail::square_root(detail::divide(a, b)), plain::square_root(ratio))) ++wrong;
  }
  for (std::uint64_t a = 1; a <= 3000; ++a) {  // squares, and their neighbours
    for (const std::uint64_t square : {a * a, a * a + 1, a * a * a}) {
      if (!same(detail::square_root(detail::divide(square, 1)), plain::square_root(static_cast<double>(square))))
        ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("comparison agrees with the processor") {
  Random random(7);
  long wrong = 0;
  for (int i = 0; i < 500000; ++i) {
    const auto a = static_cast<std::uint64_t>(random.side());
    const auto b = static_cast<std::uint64_t>(random.side());
    const std::uint64_t c = a + random.below(2);
    const std::uint64_t d = b + random.below(2);
    const double x = plain::divide(static_cast<double>(a), static_cast<double>(b));
    const double y = plain::divide(static_cast<double>(c), static_cast<double>(d));
    if ((detail::divide(a, b) < detail::divide(c, d)) != (x < y)) ++wrong;
    if ((detail::divide(a, b) == detail::divide(c, d)) != (x == y)) ++wrong;
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace hunyuan_reso_test
