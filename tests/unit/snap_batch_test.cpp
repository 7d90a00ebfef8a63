// SPDX-License-Identifier: MIT
#include <hunyuan_reso/model.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include <cstring>
#include <type_traits>
#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr std::int32_t least_side = -max_side - 1;

constexpr std::int32_t few_widths[] = {1280, 0, 720, -1, 1024, max_side, least_side, 72};
constexpr std::int32_t few_heights[] = {720, 720, 1280, -1, 0, 1, 5, 55};
constexpr int few_answers[] = {36, 255, 34, 255, 255, 0, 255, 35};

constexpr bool batch_with_refused_entries() {
  std::uint8_t indices[] = {7, 7, 7, 7, 7, 7, 7, 7, 99};
  snap_batch(group_for<profiles::instruct>, few_widths, few_heights, indices, 8);
  for (int i = 0; i < 8; ++i) EXPECT(indices[i] == few_answers[i]);
  EXPECT(indices[8] == 99);
  EXPECT(snap_refused == 255);
  return true;
}
BOTH_TIMES(batch_with_refused_entries)

static_assert(detail::bytes_in_order(1, 2, 3, 0x84, true) == 0x01020384);
static_assert(detail::bytes_in_order(1, 2, 3, 0x84, false) == 0x84030201);

constexpr bool table_in_constant_expressions() {
  const Result<SnapTable> table = SnapTable::create(group_for<profiles::instruct>);
  EXPECT(table.has_value());
  std::uint8_t indices[] = {7, 7, 7, 7, 7, 7, 7, 7, 99};
  snap_batch(*table, few_widths, few_heights, indices, 8);
  for (int i = 0; i < 8; ++i) {
    EXPECT(indices[i] == few_answers[i]);
    EXPECT(table->snap({few_heights[i], few_widths[i]}) == few_answers[i]);
  }
  EXPECT(indices[8] == 99);
  return true;
}
BOTH_TIMES(table_in_constant_expressions)

constexpr bool batch_of_nothing() {
  std::uint8_t untouched = 42;
  snap_batch(group_for<profiles::base>, nullptr, nullptr, &untouched, 0);
  snap_batch(SnapTable{}, nullptr, nullptr, &untouched, 0);
  EXPECT(untouched == 42);
  return true;
}
BOTH_TIMES(batch_of_nothing)

constexpr bool histogram_of_few() {
  const auto histogram = snap_histogram(group_for<profiles::instruct>, few_widths, few_heights, 8);
  EXPECT(histogram.refused == 4 && histogram.total() == 8);
  EXPECT(histogram.counts[0] == 1 && histogram.counts[34] == 1 && histogram.counts[35] == 1);
  EXPECT(histogram.counts[36] == 1 && histogram.counts[1] == 0);
  auto twice = histogram;
  twice.add(histogram);
  EXPECT(twice.refused == 8 && twice.total() == 16 && twice.counts[36] == 2);
  return true;
}
BOTH_TIMES(histogram_of_few)

// A table is what __shared__, memcpy and the copy of a kernel's arguments take.
static_assert(std::is_trivial_v<SnapTable> && std::is_standard_layout_v<SnapTable>);
static_assert(sizeof(SnapTable) % 16 == 0 && alignof(SnapTable) == 16 && sizeof(SnapTable) <= 8192);

struct Sizes {
  std::vector<std::int32_t> widths{};
  std::vector<std::int32_t> heights{};
  void add(Resolution size) {
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
  [[nodiscard]] Resolution operator[](std::size_t i) const { return {heights[i], widths[i]}; }
};

/// The answer that a batch must give, from the group's function for one size.
template <class Group>
std::size_t answer(const Group& group, Resolution size) {
  return size.is_positive() ? group.snap(size) : std::size_t{snap_refused};
}

/// Compares a part of the sizes with one size at a time, and looks for writes beside the output. `by` is what
/// snap_batch takes: the group or its table.
template <class Group, class By>
void check_batch(const Group& group, const By& by, const Sizes& sizes, std::size_t offset, std::size_t count) {
  std::vector<std::uint8_t> indices(count + 2, 77);
  snap_batch(by, sizes.widths.data() + offset, sizes.heights.data() + offset, indices.data() + 1, count);
  bool same = indices.front() == 77 && indices.back() == 77;
  for (std::size_t i = 0; i < count; ++i) same = same && indices[1 + i] == answer(group, sizes[offset + i]);
  CHECK_MESSAGE(same, "offset " << offset << ", count " << count);
}

template <class Group>
void check_histogram(const Group& group, const Sizes& sizes, std::size_t offset, std::size_t count) {
  std::vector<std::uint64_t> expected(256);
  for (std::size_t i = 0; i < count; ++i) ++expected[answer(group, sizes[offset + i])];
  const auto histogram = snap_histogram(group, sizes.widths.data() + offset, sizes.heights.data() + offset, count);
  bool same = histogram.refused == expected[snap_refused] && histogram.total() == count;
  for (std::size_t row = 0; row < Group::capacity(); ++row) same = same && histogram.counts[row] == expected[row];
  CHECK_MESSAGE(same, "offset " << offset << ", count " << count);
}

/// All ways over a part of the sizes; the table's where there is one.
template <class Group>
void check_part(const Group& group, const Sizes& sizes, std::size_t offset, std::size_t count) {
  check_batch(group, group, sizes, offset, count);
  check_histogram(group, sizes, offset, count);
  const Result<SnapTable> table = SnapTable::create(group);
  if (!table) return;
  check_batch(group, *table, sizes, offset, count);
  bool same = true;
  for (std::size_t i = offset; i < offset + count; ++i) same = same && table->snap(sizes[i]) == answer(group, sizes[i]);
  CHECK_MESSAGE(same, "one by one, offset " << offset << ", count " << count);
}

/// Random sizes, one in eight with a side below 1, then runs of equal and of refused sizes.
Sizes mixed_sizes(std::uint64_t seed) {
  Random random(seed);
  Sizes sizes;
  for (int i = 0; i < 5000; ++i) {
    const std::int32_t width = random.below(16) != 0 ? random.side() : -random.side();
    sizes.add({random.below(16) != 0 ? random.side() : 0, width});
  }
  for (std::int32_t i = 0; i < 600; ++i) sizes.add({1024, i < 300 ? 0 : 1024});
  for (const std::int32_t side : {1, max_side, least_side, -1}) {
    for (const std::int32_t other : {1, max_side, least_side, 0}) sizes.add({side, other});
  }
  return sizes;
}

TEST_CASE("a batch equals one size at a time, at every length and offset") {
  const ResolutionGroup group = *make_group(profiles::panorama);
  const Sizes sizes = mixed_sizes(21);
  check_part(group, sizes, 0, sizes.widths.size());
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t count = 0; count < 70; ++count) check_part(group, sizes, offset, count);
    for (std::size_t count = 250; count < 260; ++count) check_part(group, sizes, offset, count);
    for (std::size_t count = 1000; count < 1050; ++count) check_part(group, sizes, offset, count);
    for (std::size_t count = 1270; count < 1290; ++count) check_part(group, sizes, 4000 + offset, count);
  }
}

/// Sizes along every threshold: what a table by cells gets wrong first.
template <class Group>
Sizes sizes_near_thresholds(const Group& group) {
  Sizes sizes = mixed_sizes(22);
  Random random(23);
  for (std::size_t k = 0; k < group.threshold_count(); ++k) {
    const Resolution last = group.threshold(k).last;
    sizes.add(last);
    for (int i = 0; i < 200; ++i) {
      const std::int32_t width = random.side();
      const std::int64_t height = std::int64_t{width} * last.height / last.width;
      for (std::int64_t h = height - 1; h <= height + 2; ++h) {
        if (h > 0 && h <= max_side) sizes.add({static_cast<std::int32_t>(h), width});
      }
    }
  }
  return sizes;
}

template <class Group>
void check_group(const Group& group) {
  const Sizes sizes = sizes_near_thresholds(group);
  check_part(group, sizes, 0, sizes.widths.size());
}

TEST_CASE("batches near thresholds, in published and in odd groups") {
  for (const ModelProfile* profile : profiles::all) {
    for (const std::int32_t base_size : {256, 1024, 8192}) {
      const ResolutionGroup group = *make_group(*profile, base_size);
      CHECK(SnapTable::create(group).has_value());
      check_group(group);
    }
  }
  const Resolution extras[] = {{1, max_side}, {max_side, 1}, {max_side, max_side - 1},
                               {1, 5000},     {5000, 1},     {4097, 4096}};
  GroupSpec spec = profiles::instruct.group_spec(1024, ExtraScaling::absolute);
  for (const Resolution extra : extras) {
    for (const GroupSpec& odd : {GroupSpec{}.with_extra(extra), spec = spec.with_extra(extra)}) {
      check_group(*ResolutionGroup::create(odd));
    }
  }
  // 65 to 249 rows, in types of other capacities
  for (const std::int32_t step : {32, 17, 16, 9}) {
    check_group(*BasicResolutionGroup<250>::create(GroupSpec{}.with_step(step).with_align(1)));
  }
}

TEST_CASE("batches in groups from rows of one's own") {
  const Resolution one[] = {{3, 7}};
  check_group(*ResolutionGroup::from_rows(one, 1));
  // In no order, one row twice, one ratio twice: the first of them wins.
  const Resolution free[] = {{1024, 1024}, {512, 2048}, {768, 1344}, {1344, 768}, {768, 1344}, {512, 512}, {2048, 512}};
  check_group(*ResolutionGroup::from_rows(free, 7));
  // Several thresholds in one cell of the table, and thresholds in its first and last cells.
  Resolution close[128];
  for (std::int32_t i = 0; i < 128; ++i) {
    const std::int32_t far = 200 * (i - 90);
    close[i] = i < 100 ? Resolution{1000 + i, 1000} : i % 2 != 0 ? Resolution{1, far} : Resolution{far, 1};
  }
  const auto group = *BasicResolutionGroup<128>::from_rows(close, 128);
  CHECK(SnapTable::create(group).has_value());
  check_group(group);
  Random random(24);
  for (int round = 0; round < 40; ++round) {
    Resolution rows[64];
    const std::size_t count = 1 + random.place_below(64);
    for (std::size_t i = 0; i < count; ++i) {
      rows[i] = {1 + static_cast<std::int32_t>(random.below(4096)), 1 + static_cast<std::int32_t>(random.below(4096))};
    }
    check_group(*ResolutionGroup::from_rows(rows, count));
  }
}

TEST_CASE("groups that a table does not take, and objects that nobody filled") {
  const Resolution close[] = {{1000000, 1000001}, {1000001, 1000000}, {1000001, 1000002}};
  const ResolutionGroup not_separable = *ResolutionGroup::from_rows(close, 3);
  REQUIRE(!not_separable.separable());
  CHECK(SnapTable::create(not_separable).error() == Errc::rows_too_close);
  check_group(not_separable);

  Resolution many[129];
  for (std::int32_t i = 0; i < 129; ++i) many[i] = {100 + i, 200};
  CHECK(SnapTable::create(*BasicResolutionGroup<250>::from_rows(many, 128)).has_value());
  const auto too_many = *BasicResolutionGroup<250>::from_rows(many, 129);
  CHECK(SnapTable::create(too_many).error() == Errc::too_many_rows);
  check_group(too_many);

  check_group(ResolutionGroup{});
  check_group(*BasicResolutionGroup<37>::create(GroupSpec{}.with_base_size(-1)));
  const SnapTable refused = *SnapTable::create(too_many);
  for (const Resolution size : {Resolution{1, 1}, Resolution{max_side, 1}, Resolution{1, max_side}, Resolution{}}) {
    CHECK(refused.snap(size) == 0);
  }
}

TEST_CASE("a table is moved as bytes") {
  const SnapTable table = *SnapTable::create(group_for<profiles::instruct>);
  SnapTable copy;
  std::memcpy(&copy, &table, sizeof copy);
  bool same = true;
  for (std::int32_t height = -3; height <= 2100; ++height) {
    for (std::int32_t width = -3; width <= 2100; width += 5) {
      same = same && copy.snap({height, width}) == answer(group_for<profiles::instruct>, {height, width});
    }
  }
  CHECK(same);
}

}  // namespace
}  // namespace hunyuan_reso_test
