// SPDX-License-Identifier: MIT
#include <hunyuan_reso/profile.hpp>
#include <hunyuan_reso/snap_batch.hpp>

#include <vector>

#include "support/expect.hpp"
#include "support/random.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

constexpr bool batch_with_invalid_entries() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const std::int32_t widths[] = {1280, 0, 720, -1, 1024, max_side, -max_side - 1, 72};
  const std::int32_t heights[] = {720, 720, 1280, -1, 0, 1, 5, 55};
  std::uint8_t indices[] = {7, 7, 7, 7, 7, 7, 7, 7, 99};
  snap_batch(group, widths, heights, indices, 8);
  const int expected[] = {36, 255, 34, 255, 255, 0, 255, 35, 99};
  for (int i = 0; i < 9; ++i) EXPECT(indices[i] == expected[i]);
  EXPECT(invalid_ratio_index == 255);
  return true;
}
BOTH_TIMES(batch_with_invalid_entries)

constexpr bool batch_of_nothing() {
  std::uint8_t untouched = 42;
  snap_batch(*make_group(profiles::base), nullptr, nullptr, &untouched, 0);
  EXPECT(untouched == 42);
  return true;
}
BOTH_TIMES(batch_of_nothing)

struct Sizes {
  std::vector<std::int32_t> widths{};
  std::vector<std::int32_t> heights{};
  void add(Resolution size) {
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
};

/// Compares a part of the sizes with one size at a time, and looks for writes beside the output.
template <class Group>
void check_part(const Group& group, const Sizes& sizes, std::size_t offset, std::size_t count) {
  std::vector<std::uint8_t> indices(count + 2, 77);
  snap_batch(group, sizes.widths.data() + offset, sizes.heights.data() + offset, indices.data() + 1, count);
  bool same = indices.front() == 77 && indices.back() == 77;
  for (std::size_t i = 0; i < count; ++i) {
    const Resolution size{sizes.heights[offset + i], sizes.widths[offset + i]};
    const std::size_t expected = size.is_positive() ? group.snap(size) : std::size_t{invalid_ratio_index};
    same = same && indices[1 + i] == expected;
  }
  CHECK_MESSAGE(same, "offset " << offset << ", count " << count);
}

/// Random sizes, one in eight with a side below 1, then runs of equal and of invalid sizes.
Sizes mixed_sizes(std::uint64_t seed) {
  Random random(seed);
  Sizes sizes;
  for (int i = 0; i < 5000; ++i) {
    const std::int32_t width = random.below(16) != 0 ? random.side() : -random.side();
    sizes.add({random.below(16) != 0 ? random.side() : 0, width});
  }
  for (std::int32_t i = 0; i < 600; ++i) sizes.add({1024, i < 300 ? 0 : 1024});
  for (const std::int32_t side : {1, max_side, -max_side - 1, -1}) {
    for (const std::int32_t other : {1, max_side, -max_side - 1, 0}) sizes.add({side, other});
  }
  return sizes;
}

TEST_CASE("a batch equals one size at a time, at every length and offset") {
  const ResolutionGroup group = *make_group(profiles::panorama);
  const Sizes sizes = mixed_sizes(21);
  check_part(group, sizes, 0, sizes.widths.size());
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t count = 0; count < 70; ++count) check_part(group, sizes, offset, count);
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

TEST_CASE("batches near thresholds, in published and in odd groups") {
  for (const ModelProfile* profile : {&profiles::base, &profiles::instruct, &profiles::panorama}) {
    for (const std::int32_t base_size : {256, 1024, 8192}) {
      const ResolutionGroup group = *make_group(*profile, base_size);
      const Sizes sizes = sizes_near_thresholds(group);
      check_part(group, sizes, 0, sizes.widths.size());
    }
  }
  const Resolution extras[] = {{1, max_side}, {max_side, 1}, {max_side, max_side - 1},
                               {1, 5000},     {5000, 1},     {4097, 4096}};
  GroupSpec spec = profiles::instruct.group_spec(1024, ExtraScaling::absolute);
  for (const Resolution extra : extras) {
    for (const GroupSpec& odd : {GroupSpec{}.with_extra(extra), spec = spec.with_extra(extra)}) {
      const ResolutionGroup group = *ResolutionGroup::create(odd);
      const Sizes sizes = sizes_near_thresholds(group);
      check_part(group, sizes, 0, sizes.widths.size());
    }
  }
  // 65 to 249 rows, in types of other capacities
  for (const std::int32_t step : {32, 17, 16, 9}) {
    const auto group = *BasicResolutionGroup<250>::create(GroupSpec{}.with_step(step).with_align(1));
    const Sizes sizes = sizes_near_thresholds(group);
    check_part(group, sizes, 0, sizes.widths.size());
  }
}

}  // namespace
}  // namespace hunyuan_reso_test
