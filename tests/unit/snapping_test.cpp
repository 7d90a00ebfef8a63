// SPDX-License-Identifier: MIT
// Snapping against the plain definition in double: exhaustively up to 2048 a side, at every threshold of every
// published group, and in groups that nobody would publish. Compiled with optimization, since it asks millions of
// times.
#include <hunyuan_reso/model.hpp>

#include <memory>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/fraction.hpp"
#include "support/plain.hpp"
#include "support/random.hpp"
#include "support/snapping.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

std::string first_difference_in_square(const ResolutionGroup& group, const plain::Group& definition) {
  for (std::int32_t h = 1; h <= 2048; ++h) {
    for (std::int32_t w = 1; w <= 2048; ++w) {
      if (group.snap({h, w}) != definition.nearest_index(w, h)) return first_difference(group, definition, {h, w});
    }
  }
  return {};
}

// One case each, so that a failing one does not hide the others.
TEST_CASE("every size up to 2048 a side: instruct") {
  CHECK(first_difference_in_square(*make_group(profiles::instruct), plain::Group(plain::instruct())) == "");
}
TEST_CASE("every size up to 2048 a side: base") {
  CHECK(first_difference_in_square(*make_group(profiles::base), plain::Group(plain::base())) == "");
}
TEST_CASE("every size up to 2048 a side: panorama") {
  CHECK(first_difference_in_square(*make_group(profiles::panorama), plain::Group(plain::panorama())) == "");
}
TEST_CASE("every size up to 2048 a side: instruct at 2048, extras scaled") {
  plain::Parameters parameters = plain::instruct(2048);
  parameters.scaled = true;
  const ResolutionGroup group = *make_group(profiles::instruct, 2048, ExtraScaling::scaled);
  CHECK(first_difference_in_square(group, plain::Group(parameters)) == "");
}

TEST_CASE("exact ties up to 2048 a side are as many as were counted") {
  const plain::Group definition(plain::instruct());
  const std::vector<std::size_t> order = definition.order();
  std::vector<std::size_t> place(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
  const ResolutionGroup group = *make_group(profiles::instruct);
  int exact = 0, tied = 0, higher = 0;
  for (std::int32_t h = 1; h <= 2048; ++h) {
    for (std::int32_t w = 1; w <= 2048; ++w) {
      // A size that is half-way between two rows snaps to one of them: the other is its neighbour by ratio.
      const std::size_t index = group.snap({h, w});
      for (const std::size_t k : {place[index] - 1, place[index] + 1}) {
        if (k >= order.size() || !definition.ties_exactly(index, order[k], {h, w})) continue;
        ++exact;
        tied += definition.ties_in_double(index, order[k], {h, w}) ? 1 : 0;
        higher += index > order[k] ? 1 : 0;
      }
    }
  }
  CHECK(exact == 1026);
  CHECK(tied == 853);
  CHECK(higher == 115);
}

TEST_CASE("the neighbours of every threshold of every published group") {
  for (const ModelProfile* profile : profiles::all) {
    for (const std::int32_t base_size : {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192}) {
      for (const ExtraScaling scaling : {ExtraScaling::absolute, ExtraScaling::scaled}) {
        const ResolutionGroup group = *make_group(*profile, base_size, scaling);
        REQUIRE(group.separable());
        check_thresholds(group, definition_of(group));
      }
    }
  }
}

constexpr bool thresholds_at_compile_time() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  const SnapThreshold first = group.threshold(0);
  EXPECT(first.lower == 0 && first.upper == 1);
  EXPECT(group.snap(first.last) == 0);
  // row 0 is 512x2048, row 1 is 512x1984: half-way lies 63/248
  EXPECT(group.snap({63, 248}) == 0);
  const Fraction64 next = next_fraction({first.last.height, first.last.width});
  EXPECT(next.numerator * first.last.width - next.denominator * first.last.height == 1);
  EXPECT(group.snap({static_cast<std::int32_t>(next.numerator), static_cast<std::int32_t>(next.denominator)}) == 1);
  return true;
}
BOTH_TIMES(thresholds_at_compile_time)

TEST_CASE("random sizes up to 2^31 - 1 in every published group") {
  for (const ModelProfile* profile : profiles::all) {
    for (const std::int32_t base_size : {256, 1024, 8192}) {
      CHECK(first_random_difference(*make_group(*profile, base_size), 11, 100000) == "");
    }
  }
}

TEST_CASE("rows that are nearly equal") {
  // Ratios closer than 2^-22: thresholds between neighbours cannot decide, and the group says so.
  const Resolution extras[][3] = {{{max_side, max_side - 1}, {max_side - 1, max_side}, {max_side - 4, max_side}},
                                  {{1000000, 1000001}, {1000001, 1000000}, {2000003, 2000001}},
                                  {{1, max_side}, {1, max_side - 1}, {2, max_side}},
                                  {{1048577, 4194303}, {4194303, 1048577}, {4194304, 4194305}}};
  for (const auto& rows : extras) {
    GroupSpec spec = profiles::instruct.group_spec(1024, ExtraScaling::absolute);
    for (const Resolution row : rows) spec = spec.with_extra(row);
    const ResolutionGroup group = *ResolutionGroup::create(spec);
    CHECK(group.size() == 40);
    CHECK(!group.separable());
    CHECK(first_random_difference(group, 12, 50000) == "");
  }
}

TEST_CASE("gaps around the limit of separability") {
  // 1 + gap, for gaps from 2^-24 to 2^-20, as exactly as sides allow.
  for (std::int32_t denominator = 1 << 20; denominator <= 1 << 24; denominator += 100003) {
    const GroupSpec spec = GroupSpec{}.with_extra({denominator + 1, denominator}).with_extra({max_side, 1});
    const ResolutionGroup group = *ResolutionGroup::create(spec);
    CHECK(group.separable() == (denominator < 1 << 22));
    CHECK(first_random_difference(group, static_cast<std::uint64_t>(denominator), 2000) == "");
  }
}

TEST_CASE("extreme extras") {
  const Resolution extras[] = {{1, max_side},     {max_side, 1},       {1, 1000000}, {1000000, 1}, {3, max_side},
                               {max_side, 3},     {46341, max_side},   {2, 3},       {7, 65536},   {65536, 7},
                               {max_side, 65536}, {123456789, 987654}, {1, 5}};
  GroupSpec spec = profiles::base.group_spec(1024, ExtraScaling::absolute);
  for (const Resolution row : extras) {
    spec = spec.with_extra(row);
    CHECK(first_random_difference(*ResolutionGroup::create(spec), 13, 20000) == "");
    const GroupSpec alone = profiles::instruct.group_spec(2048, ExtraScaling::absolute).with_extra(row);
    const ResolutionGroup group = *ResolutionGroup::create(alone);
    CHECK(first_random_difference(group, 14, 20000) == "");
    if (group.separable()) check_thresholds(group, definition_of(group));
  }
}

TEST_CASE("random groups") {
  Random random(15);
  int made = 0;
  for (int i = 0; i < 400; ++i) {
    GroupSpec spec;
    spec.align = static_cast<std::int32_t>(1 + random.below(20));
    spec.base_size = spec.align * static_cast<std::int32_t>(1 + random.below(200));
    spec.step = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(spec.base_size)));
    const std::uint64_t extras = random.below(6);
    for (std::uint64_t k = 0; k < extras; ++k) spec = spec.with_extra({random.side(), random.side()});
    const auto group = BasicResolutionGroup<200>::create(spec);
    if (!group) continue;
    ++made;
    CHECK(first_random_difference(*group, random.next(), 3000) == "");
    const plain::Group definition = definition_of(*group);
    if (group->separable() && group->threshold_count() + 1 == group->size()) check_thresholds(*group, definition);
  }
  CHECK(made > 50);
}

TEST_CASE("a group of thousands of rows") {
  const GroupSpec spec = GroupSpec{}.with_step(1).with_align(1);
  const auto group = std::make_unique<BasicResolutionGroup<4096>>(*BasicResolutionGroup<4096>::create(spec));
  CHECK(group->size() == 2049);
  CHECK(first_random_difference(*group, 16, 20000) == "");
  for (std::size_t i = 0; i < group->size(); ++i) CHECK(group->snap((*group)[i]) == i);
}

}  // namespace
}  // namespace hunyuan_reso_test
