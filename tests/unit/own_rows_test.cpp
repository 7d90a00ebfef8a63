// SPDX-License-Identifier: MIT
// Groups from lists of one's own: rows in any order, equal ratios, rows twice; snapped as the plain definition says,
// one by one, in batches and in constant expressions.
#include <hunyuan_reso/snap_batch.hpp>

#include <memory>
#include <string>
#include <vector>

#include "support/snapping.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool rows_in_the_callers_order() {
  const Resolution rows[] = {{1024, 1024}, {768, 1344}, {1344, 768}, {512, 2048}, {832, 1216}};
  const ResolutionGroup group = *ResolutionGroup::from_rows(rows, 5);
  EXPECT(group.size() == 5 && group.end() - group.begin() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT(group[i] == rows[i]);
    EXPECT(group.snap(rows[i]) == i);
  }
  EXPECT(group[5] == Resolution{});
  EXPECT(group.base_size() == 0 && group.step() == 0 && group.align() == 0);
  EXPECT(group.threshold_count() == 4 && group.separable());
  EXPECT(group.threshold(0).lower == 3 && group.threshold(0).upper == 1);
  EXPECT(group.threshold(3).lower == 0 && group.threshold(3).upper == 2);
  EXPECT((group.get_target_size(1920, 1080) == Resolution{768, 1344}));
  EXPECT(group.get_base_size_and_ratio_index(1, 1).ratio_index == 0);
  EXPECT(group.get_base_size_and_ratio_index(1, 1).base_size == 0);
  return true;
}
BOTH_TIMES(rows_in_the_callers_order)

constexpr bool the_first_of_equal_ratios_wins() {
  const Resolution rows[] = {{512, 512}, {640, 1280}, {1024, 1024}, {320, 640}, {640, 1280}, {2048, 2048}};
  const ResolutionGroup group = *ResolutionGroup::from_rows(rows, 6);
  EXPECT(group.size() == 6 && group.threshold_count() == 1);
  EXPECT(group.snap({2048, 2048}) == 0 && group.snap({1024, 1024}) == 0);
  EXPECT(group.snap({320, 640}) == 1 && group.snap({1, 9}) == 1);
  // 3/4 is half-way between 1/2 and 1: the lower index, which is the upper ratio here
  EXPECT(group.snap({3, 4}) == 0);
  const Resolution other_order[] = {{640, 1280}, {512, 512}};
  EXPECT(ResolutionGroup::from_rows(other_order, 2)->snap({3, 4}) == 0);
  EXPECT(ResolutionGroup::from_rows(other_order, 2)->snap({4, 4}) == 1);
  return true;
}
BOTH_TIMES(the_first_of_equal_ratios_wins)

constexpr bool one_binary64_ratio_is_one_ratio() {
  // Different fractions, 2^-62 apart, that round to one number: the first one wins, whichever it is.
  const Resolution a{max_side - 2, max_side - 1}, b{max_side - 1, max_side};
  const Resolution rows[] = {b, a, {1, 2}};
  const ResolutionGroup group = *ResolutionGroup::from_rows(rows, 3);
  EXPECT(group.size() == 3 && group.threshold_count() == 1 && group.separable());
  EXPECT(group.snap(a) == 0 && group.snap(b) == 0 && group.snap({1, 1}) == 0);
  const Resolution turned[] = {a, b, {1, 2}};
  EXPECT(ResolutionGroup::from_rows(turned, 3)->snap(b) == 0);
  return true;
}
BOTH_TIMES(one_binary64_ratio_is_one_ratio)

constexpr bool refused_lists() {
  const Resolution rows[] = {{1, 1}, {2, 3}, {0, 5}, {5, 0}};
  EXPECT(ResolutionGroup::from_rows(rows, 0).error() == Errc::no_rows);
  EXPECT(ResolutionGroup::from_rows(nullptr, 0).error() == Errc::no_rows);
  EXPECT(ResolutionGroup::from_rows(rows, 4).error() == Errc::side_not_positive);
  EXPECT(ResolutionGroup::from_rows(rows, 4).position() == 2);
  EXPECT(ResolutionGroup::from_rows(rows + 3, 1).error() == Errc::side_not_positive);
  const Resolution negative[] = {{1, -max_side - 1}};
  EXPECT(ResolutionGroup::from_rows(negative, 1).error() == Errc::side_not_positive);
  EXPECT(BasicResolutionGroup<1>::from_rows(rows, 2).error() == Errc::capacity_exceeded);
  EXPECT(BasicResolutionGroup<2>::from_rows(rows, 2).has_value());
  EXPECT(BasicResolutionGroup<2>::from_rows(rows, 2)->size() == 2);
  return true;
}
BOTH_TIMES(refused_lists)

constexpr bool batches_of_own_rows() {
  const Resolution rows[] = {{1024, 1024}, {768, 1344}, {1344, 768}};
  const ResolutionGroup group = *ResolutionGroup::from_rows(rows, 3);
  const std::int32_t widths[] = {1920, 1080, 7, 0, -1};
  const std::int32_t heights[] = {1080, 1920, 7, 5, 5};
  std::uint8_t indices[5] = {};
  snap_batch(group, widths, heights, indices, 5);
  EXPECT(indices[0] == 1 && indices[1] == 2 && indices[2] == 0);
  EXPECT(indices[3] == snap_refused && indices[4] == snap_refused);
  return true;
}
BOTH_TIMES(batches_of_own_rows)

// One row, and the longest sides there are.
constexpr bool extreme_lists() {
  const Resolution one[] = {{7, 9}};
  const ResolutionGroup single = *ResolutionGroup::from_rows(one, 1);
  EXPECT(single.threshold_count() == 0 && single.snap({1, max_side}) == 0 && single.snap({max_side, 1}) == 0);
  const Resolution far[] = {{max_side, 1}, {1, max_side}};
  const ResolutionGroup group = *ResolutionGroup::from_rows(far, 2);
  EXPECT(group.snap({1, 1}) == 1 && group.snap({max_side, 1}) == 0 && group.snap({1, max_side}) == 1);
  EXPECT(group.snap({1073741823, 1}) == 1 && group.snap({1073741825, 1}) == 0);
  return true;
}
BOTH_TIMES(extreme_lists)

/// Every size up to `most` a side.
template <class Group>
std::string first_difference_in_square(const Group& group, std::int32_t most) {
  const plain::Group definition = definition_of(group);
  for (std::int32_t h = 1; h <= most; ++h) {
    for (std::int32_t w = 1; w <= most; ++w) {
      const std::string difference = first_difference(group, definition, {h, w});
      if (!difference.empty()) return difference;
    }
  }
  return {};
}

/// What every list must pass: small sizes all, random ones, and those around its thresholds.
template <class Group>
void check_list(const Group& group, std::uint64_t seed, std::int32_t most) {
  CHECK(first_difference_in_square(group, most) == "");
  CHECK(first_random_difference(group, seed, 3000) == "");
  if (group.separable()) check_thresholds(group, definition_of(group));
}

template <std::size_t Capacity>
void check_rows(const std::vector<Resolution>& rows, std::uint64_t seed, std::int32_t most) {
  const auto group = std::make_unique<Result<BasicResolutionGroup<Capacity>>>(
      BasicResolutionGroup<Capacity>::from_rows(rows.data(), rows.size()));
  REQUIRE(group->has_value());
  REQUIRE((*group)->size() == rows.size());
  bool same = true;
  for (std::size_t i = 0; i < rows.size(); ++i) same = same && (**group)[i] == rows[i];
  CHECK(same);
  check_list(**group, seed, most);
}

TEST_CASE("every list of up to three rows with sides up to 4") {
  std::vector<Resolution> all;
  for (std::int32_t h = 1; h <= 4; ++h) {
    for (std::int32_t w = 1; w <= 4; ++w) all.push_back({h, w});
  }
  for (const Resolution a : all) {
    check_rows<3>({a}, 1, 24);
    for (const Resolution b : all) {
      check_rows<3>({a, b}, 2, 24);
      for (const Resolution c : all) {
        const Resolution rows[] = {a, b, c};
        const auto group = *BasicResolutionGroup<3>::from_rows(rows, 3);
        const std::string difference = first_difference_in_square(group, 24);
        if (!difference.empty()) FAIL_CHECK(difference);
        if (group.separable()) check_thresholds(group, definition_of(group));
      }
    }
  }
}

TEST_CASE("lists as bucketing code has them, shuffled") {
  Random random(81);
  for (const std::int32_t step : {64, 32}) {
    std::vector<Resolution> rows;
    for (std::int32_t h = 512; h <= 2048; h += step) {
      for (std::int32_t w = 512; w <= 2048; w += step) {
        const std::int64_t area = std::int64_t{h} * w;
        if (area <= 1024 * 1024 && area + std::int64_t{step} * w > 1024 * 1024) rows.push_back({h, w});
      }
    }
    REQUIRE(rows.size() > 20);
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.place_below(i)]);
      check_rows<300>(rows, random.next(), 300);
    }
  }
}

TEST_CASE("random lists with equal ratios and with rows twice") {
  Random random(82);
  for (int round = 0; round < 60; ++round) {
    std::vector<Resolution> rows;
    const std::size_t count = 1 + random.place_below(60);
    const std::uint64_t most = std::uint64_t{1} << (2 + random.below(20));
    while (rows.size() < count) {
      const Resolution row{static_cast<std::int32_t>(1 + random.below(most)),
                           static_cast<std::int32_t>(1 + random.below(most))};
      rows.push_back(row);
      const auto times = static_cast<std::int32_t>(1 + random.below(5));
      if (rows.size() < count && random.below(3) == 0) rows.push_back({row.height * times, row.width * times});
    }
    check_rows<64>(rows, random.next(), 120);
  }
}

TEST_CASE("rows closer than thresholds can tell apart") {
  const std::vector<Resolution> lists[] = {
      {{1000000, 1000001}, {1000001, 1000000}, {1000001, 1000002}},
      {{max_side, max_side - 1}, {max_side - 1, max_side}, {max_side - 4, max_side}, {1, 1}},
      {{1, max_side}, {1, max_side - 1}, {2, max_side}, {max_side, 1}},
      {{4194304, 4194305}, {1048577, 4194303}, {4194303, 1048577}, {4194305, 4194304}, {3, 3}}};
  for (const std::vector<Resolution>& rows : lists) {
    const ResolutionGroup group = *ResolutionGroup::from_rows(rows.data(), rows.size());
    CHECK(!group.separable());
    check_list(group, 83, 200);
    CHECK(first_random_difference(group, 84, 50000) == "");
    const std::vector<Resolution> turned(rows.rbegin(), rows.rend());
    check_list(*ResolutionGroup::from_rows(turned.data(), turned.size()), 85, 200);
  }
}

TEST_CASE("the rows of published groups, as a list: the same answers as the group itself") {
  for (const std::int32_t base_size : {256, 1024, 4096}) {
    const plain::Group published(plain::panorama(base_size));
    std::vector<Resolution> rows;
    for (const plain::Size row : published.rows()) rows.push_back({row.height, row.width});
    check_rows<64>(rows, 86, 400);
    const std::vector<Resolution> turned(rows.rbegin(), rows.rend());
    check_rows<64>(turned, 87, 400);
  }
}

TEST_CASE("a list of thousands of rows") {
  std::vector<Resolution> rows;
  Random random(88);
  for (int i = 0; i < 3000; ++i) {
    rows.push_back(
        {static_cast<std::int32_t>(1 + random.below(5000)), static_cast<std::int32_t>(1 + random.below(5000))});
  }
  const auto group =
      std::make_unique<BasicResolutionGroup<4096>>(*BasicResolutionGroup<4096>::from_rows(rows.data(), rows.size()));
  const plain::Group definition = definition_of(*group);
  CHECK(first_random_difference(*group, 89, 2000) == "");
  for (const Resolution row : rows) {
    const std::string difference = first_difference(*group, definition, row);
    if (!difference.empty()) FAIL_CHECK(difference);
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
