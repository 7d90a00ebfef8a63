// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_TESTS_SUPPORT_SNAPPING_HPP
#define HUNYUAN_RESO_TESTS_SUPPORT_SNAPPING_HPP

#include <hunyuan_reso/resolution_group.hpp>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/fraction.hpp"
#include "support/plain.hpp"
#include "support/random.hpp"

/// Groups against the plain definition. To be included by files that are compiled with strict floating point.
namespace hunyuan_reso_test {

using hunyuan_reso::Resolution;

/// The same rows in the plain definition.
template <class Group>
plain::Group definition_of(const Group& group) {
  std::vector<plain::Size> rows;
  for (const Resolution row : group) rows.push_back({row.height, row.width});
  return plain::Group(rows);
}

/// The first size that snaps differently, as a text; empty where there is none.
template <class Group>
std::string first_difference(const Group& group, const plain::Group& definition, Resolution size) {
  const std::size_t actual = group.snap(size);
  const std::size_t expected = definition.nearest_index(size.width, size.height);
  if (actual == expected) return {};
  return std::to_string(size.height) + "x" + std::to_string(size.width) + " snaps to " + std::to_string(actual) +
         ", the definition says " + std::to_string(expected);
}

/// The last size below each threshold and the first one above, among all sizes up to 2^31 - 1 a side.
template <class Group>
void check_thresholds(const Group& group, const plain::Group& definition) {
  const std::vector<std::size_t> order = definition.order();
  REQUIRE(group.threshold_count() + 1 == order.size());
  for (std::size_t k = 0; k < group.threshold_count(); ++k) {
    const hunyuan_reso::SnapThreshold threshold = group.threshold(k);
    const Fraction64 next = next_fraction({threshold.last.height, threshold.last.width});
    const Resolution above{static_cast<std::int32_t>(next.numerator), static_cast<std::int32_t>(next.denominator)};
    INFO("base size " << group.base_size() << ", threshold " << k);
    CHECK(threshold.lower == order[k]);
    CHECK(threshold.upper == order[k + 1]);
    REQUIRE(threshold.last.is_positive());
    REQUIRE(above.is_positive());
    CHECK(group.snap(threshold.last) == threshold.lower);
    CHECK(group.snap(above) == threshold.upper);
    CHECK(definition.nearest_index(threshold.last.width, threshold.last.height) == threshold.lower);
    CHECK(definition.nearest_index(above.width, above.height) == threshold.upper);
  }
  CHECK(!group.threshold(group.threshold_count()).last.is_positive());
}

/// Random sizes; half of them close to a row or to the middle of two rows.
template <class Group>
std::string first_random_difference(const Group& group, std::uint64_t seed, int count) {
  const plain::Group definition = definition_of(group);
  Random random(seed);
  for (int i = 0; i < count; ++i) {
    Resolution size{random.side(), random.side()};
    if (i % 2 != 0) {
      const Resolution a = group[random.place_below(group.size())];
      const Resolution b = group[random.place_below(group.size())];
      const double middle = (a.ratio() + b.ratio()) / 2;
      const double width = middle > 1 ? size.width / middle : size.width;
      size.width = width < 1 ? 1 : static_cast<std::int32_t>(width);
      const double height = size.width * middle + static_cast<double>(random.below(3)) - 1;
      size.height = height < 1                        ? 1
                    : height > hunyuan_reso::max_side ? hunyuan_reso::max_side
                                                      : static_cast<std::int32_t>(height);
    }
    const std::string difference = first_difference(group, definition, size);
    if (!difference.empty()) return difference;
  }
  return {};
}

}  // namespace hunyuan_reso_test

#endif  // HUNYUAN_RESO_TESTS_SUPPORT_SNAPPING_HPP
