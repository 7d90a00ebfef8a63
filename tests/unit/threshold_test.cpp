// SPDX-License-Identifier: MIT
// Thresholds between two rows: the short way by the mean against the general way by binary64 numbers and the
// Stern-Brocot tree, which snapping_test.cpp holds against the definition.
#include <hunyuan_reso/detail/threshold.hpp>

#include <initializer_list>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;
using detail::RowRatio;

RowRatio row(std::int32_t height, std::int32_t width) {
  return {height, width, detail::divide(static_cast<std::uint64_t>(height), static_cast<std::uint64_t>(width))};
}

struct Counts {
  int same = 0;
  int different = 0;
  int general = 0;  // pairs whose mean has no short fraction
  int at_mean = 0;  // thresholds that are the mean itself
};

/// Compares both ways for two rows in either order of ties, unless their ratios are too near for thresholds.
void compare(const RowRatio& a, const RowRatio& b, Counts& counts) {
  const RowRatio& lower = a.ratio < b.ratio ? a : b;
  const RowRatio& upper = a.ratio < b.ratio ? b : a;
  if (detail::distance(lower.ratio, upper.ratio) < detail::smallest_separable_gap()) return;
  const detail::Mean mean = detail::mean_ratio(lower, upper);
  if (mean.n == 0) ++counts.general;
  for (const bool lower_first : {false, true}) {
    const detail::Fraction actual = detail::last_fraction_below(lower, upper, lower_first);
    const detail::Fraction expected =
        detail::last_fraction_rounding_to(detail::last_binary64_below(lower.ratio, upper.ratio, lower_first));
    const bool same = actual.numerator == expected.numerator && actual.denominator == expected.denominator;
    ++(same ? counts.same : counts.different);
    if (mean.n != 0 && actual.numerator == mean.m && actual.denominator == mean.n) ++counts.at_mean;
  }
}

TEST_CASE("the mean of two rows") {
  const detail::Mean mean = detail::mean_ratio(row(768, 1024), row(1024, 1024));  // 3/4 and 1: 7/8
  CHECK(mean.m == 7);
  CHECK(mean.n == 8);
  CHECK(mean.m * mean.q % mean.n == 1);
  const detail::Mean whole = detail::mean_ratio(row(3, 1), row(5, 1));
  CHECK(whole.m == 4);
  CHECK(whole.n == 1);
  CHECK(whole.q == 1);
  CHECK(detail::mean_ratio(row(32768, 1), row(32769, 1)).n == 0);  // a side over 15 bits
  CHECK(detail::mean_ratio(row(523, 521), row(509, 503)).n == 0);  // a denominator over 16 bits
}

TEST_CASE("thresholds of all pairs of small rows") {
  Counts counts;
  constexpr std::int32_t most = 24;
  for (std::int32_t a = 0; a < most * most; ++a) {
    const RowRatio first = row(1 + a / most, 1 + a % most);
    for (std::int32_t b = 0; b < a; ++b) compare(first, row(1 + b / most, 1 + b % most), counts);
  }
  CHECK(counts.different == 0);
  CHECK(counts.general == 0);
  CHECK(counts.same > 200000);
  CHECK(counts.at_mean > counts.same / 4);
  CHECK(counts.at_mean < counts.same * 3 / 4);
}

TEST_CASE("thresholds of rows of all lengths") {
  Random random(61);
  Counts counts;
  for (int i = 0; i < 100000; ++i) {
    const std::uint64_t longest = std::uint64_t{1} << (10 + random.below(12));  // over 15 bits, too
    const auto any_row = [&] {
      const std::uint64_t step = std::uint64_t{1} << random.below(10);
      const auto side = [&] { return static_cast<std::int32_t>(step * (1 + random.below(longest / step))); };
      const std::int32_t height = side();
      return row(height, side());
    };
    const RowRatio first = any_row();
    compare(first, any_row(), counts);
  }
  CHECK(counts.different == 0);
  CHECK(counts.general > 10000);
  CHECK(counts.same - 2 * counts.general > 10000);
}

}  // namespace
}  // namespace hunyuan_reso_test
