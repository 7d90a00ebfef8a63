// SPDX-License-Identifier: MIT
// Rows, the order of extras, and every reason to refuse a group.
#include <hunyuan_reso/model.hpp>

#include <type_traits>

#include "support/expect.hpp"
#include "support/plain.hpp"

namespace hunyuan_reso_test {
namespace {

using namespace hunyuan_reso;

static_assert(std::is_trivially_copyable_v<ResolutionGroup>, "a group is passed by value to kernels");
static_assert(sizeof(ResolutionGroup) <= 4096, "and fits the smallest limit on kernel arguments");

constexpr GroupSpec plain_spec(std::int32_t base_size, std::int32_t step, std::int32_t align) {
  return GroupSpec{}.with_base_size(base_size).with_step(step).with_align(align);
}

constexpr bool sizes_and_ratios() {
  constexpr Resolution tall{1024, 768};
  EXPECT(Resolution::from_wh(768, 1024) == tall);
  EXPECT(tall != Resolution{768, 1024});
  EXPECT(tall.pixel_count() == 786432);
  EXPECT(Resolution{max_side, max_side}.pixel_count() == 4611686014132420609);
  EXPECT(Resolution{1, 2}.ratio() == 0.5);
  EXPECT(Resolution{1024, 768}.ratio() == 4.0 / 3.0);
  EXPECT(tall.is_positive());
  EXPECT(!Resolution{0, 5}.is_positive());
  EXPECT(!Resolution{5, -1}.is_positive());
  EXPECT(Resolution{0, 5}.ratio() == 0.0);
  EXPECT(Resolution{5, 0}.ratio() == 0.0);
  EXPECT(Resolution{-5, -5}.ratio() == 0.0);
  return true;
}
BOTH_TIMES(sizes_and_ratios)

constexpr bool rows_of_instruct() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  EXPECT(group.size() == 37);
  EXPECT(group.base_size() == 1024 && group.step() == 64 && group.align() == 16);
  EXPECT(group[0] == Resolution{512, 2048});
  EXPECT(group[8] == Resolution{512, 1536});
  EXPECT(group[9] == Resolution{576, 1472});
  EXPECT(group[16] == Resolution{1024, 1024});
  EXPECT(group[17] == Resolution{1088, 960});
  EXPECT(group[32] == Resolution{2048, 512});
  EXPECT(group[33] == Resolution{1024, 768});
  EXPECT(group[34] == Resolution{1280, 720});
  EXPECT(group[35] == Resolution{768, 1024});
  EXPECT(group[36] == Resolution{720, 1280});
  EXPECT(group[37] == Resolution{});
  EXPECT(group[static_cast<std::size_t>(-1)] == Resolution{});
  EXPECT(group.end() - group.begin() == 37);
  EXPECT(*group.begin() == group[0]);
  EXPECT(group.threshold_count() == 36);
  for (std::size_t k = 0; k < 36; ++k) {
    const Resolution last = group.threshold(k).last;
    EXPECT(group.threshold_place(k) == std::int64_t{65536} * last.height / (std::int64_t{last.height} + last.width));
  }
  EXPECT(group.threshold_place(36) == 0 && group.threshold_place(static_cast<std::size_t>(-1)) == 0);
  EXPECT(group.separable());
  return true;
}
BOTH_TIMES(rows_of_instruct)

constexpr bool rows_of_the_other_profiles() {
  EXPECT(make_group(profiles::base)->size() == 33);
  EXPECT(make_group(profiles::base)->align() == 1);
  EXPECT(make_group(profiles::instruct_distil)->size() == 37);
  EXPECT(make_group(profiles::panorama)->size() == 38);
  EXPECT((*make_group(profiles::panorama))[37] == Resolution{960, 1952});
  EXPECT(make_group(profiles::base, 1000)->size() == 35);
  EXPECT(BasicResolutionGroup<129>::create(plain_spec(1024, 16, 16))->size() == 129);
  EXPECT((group_for<profiles::instruct, 2048>[33] == Resolution{1024, 768}));
  EXPECT((group_for<profiles::instruct, 2048, ExtraScaling::scaled>[33] == Resolution{2048, 1536}));
  EXPECT((group_for<profiles::instruct>.size() == 37));
  return true;
}
BOTH_TIMES(rows_of_the_other_profiles)

constexpr bool arguments_and_names_of_snapping() {
  const ResolutionGroup group = *make_group(profiles::instruct);
  EXPECT(group.snap({720, 1280}) == 36);
  EXPECT(group.snap({1280, 720}) == 34);
  // width, then height, as upstream; everything else takes a Resolution
  EXPECT((group.get_target_size(1920, 1080) == Resolution{720, 1280}));
  EXPECT(group.get_base_size_and_ratio_index(768, 1024).ratio_index == 33);
  EXPECT(group.get_base_size_and_ratio_index(768, 1024).base_size == 1024);
  EXPECT(group.snap({1024, 768}) == 33);
  EXPECT(group.snap(Resolution::from_wh(1024, 768)) == 35);
  // ties in binary64: the lower index; this one rounds to the higher one
  EXPECT(group.snap({63, 248}) == 0);
  EXPECT(group.snap({55, 72}) == 35);
  EXPECT(group.snap({1, 1}) == 16);
  EXPECT(group.snap({max_side, 1}) == 32);
  EXPECT(group.snap({1, max_side}) == 0);
  EXPECT(group.snap({max_side, max_side}) == 16);
  return true;
}
BOTH_TIMES(arguments_and_names_of_snapping)

constexpr bool sizes_without_pixels_do_no_harm() {
  const ResolutionGroup groups[] = {*make_group(profiles::instruct),
                                    *ResolutionGroup::create(GroupSpec{}.with_extra({max_side, max_side - 1}))};
  for (const ResolutionGroup& group : groups) {
    const std::int32_t sides[] = {0, -1, 1, 1024, max_side, -max_side - 1};
    for (const std::int32_t width : sides) {
      for (const std::int32_t height : sides) EXPECT(group.snap({height, width}) < group.size());
    }
  }
  return true;
}
BOTH_TIMES(sizes_without_pixels_do_no_harm)

constexpr bool refused_parameters() {
  const auto error = [](std::int32_t base_size, std::int32_t step, std::int32_t align) {
    return ResolutionGroup::create(plain_spec(base_size, step, align)).error();
  };
  EXPECT(error(0, 0, 1) == Errc::base_size_not_positive);
  EXPECT(error(-1024, 0, 16) == Errc::base_size_not_positive);
  EXPECT(error(1073741823, 1073741823 / 2, 1) == Errc::none);
  EXPECT(error(1073741824, 0, 16) == Errc::base_size_too_large);
  EXPECT(error(1024, 0, 0) == Errc::align_not_positive);
  EXPECT(error(1024, 0, -16) == Errc::align_not_positive);
  EXPECT(error(1000, 0, 16) == Errc::base_size_not_aligned);
  EXPECT(error(1024, 512, 16) == Errc::none);
  EXPECT(error(1024, 513, 16) == Errc::step_too_large);
  EXPECT(error(1024, max_side, 16) == Errc::step_too_large);
  EXPECT(error(1024, 16, 32) == Errc::step_smaller_than_align);
  EXPECT(error(1024, -64, 16) == Errc::step_smaller_than_align);
  EXPECT(error(16, 0, 16) == Errc::step_smaller_than_align);
  EXPECT(error(15, 0, 1) == Errc::step_smaller_than_align);  // the default step is 0
  EXPECT(error(1, 0, 1) == Errc::step_smaller_than_align);
  EXPECT(error(2, 1, 1) == Errc::none);
  EXPECT(error(1024, 16, 16) == Errc::capacity_exceeded);
  EXPECT(error(1024, 1, 1) == Errc::capacity_exceeded);
  return true;
}
BOTH_TIMES(refused_parameters)

constexpr bool refused_extras() {
  const auto make = [](const GroupSpec& spec) { return ResolutionGroup::create(spec); };
  const GroupSpec spec = GroupSpec{}.with_extra({1024, 768});
  EXPECT(make(spec.with_extra({0, 768})).error() == Errc::extra_not_positive);
  EXPECT(make(spec.with_extra({0, 768})).position() == 1);
  EXPECT(make(spec.with_extra({768, -1})).error() == Errc::extra_not_positive);
  // scaled: nothing may vanish, and nothing may grow past 2^31 - 1
  const GroupSpec scaled = spec.with_extra_scaling(ExtraScaling::scaled);
  EXPECT(make(scaled.with_base_size(256).with_extra({31, 1024})).error() == Errc::extra_not_positive);
  EXPECT(make(scaled.with_base_size(256).with_extra({32, 1024})).has_value());
  EXPECT(make(scaled.with_base_size(2048).with_extra({max_side, 1024})).error() == Errc::extra_too_large);
  EXPECT(make(scaled.with_base_size(2048).with_extra({1024, max_side})).position() == 1);
  GroupSpec many;
  for (std::int32_t i = 0; i < 31; ++i) many = many.with_extra({1000 + i, 1300});
  EXPECT(make(many).has_value() && make(many)->size() == 64);
  many = many.with_extra({3000, 1300});
  EXPECT(make(many).error() == Errc::capacity_exceeded);
  EXPECT(make(many).position() == 31);
  many = many.with_extra({3001, 1300});
  EXPECT(make(many).error() == Errc::too_many_extras);
  EXPECT(many.with_extra({3002, 1300}).check() == Errc::too_many_extras);
  return true;
}
BOTH_TIMES(refused_extras)

constexpr bool capacity_is_exact() {
  const GroupSpec spec = plain_spec(1024, 0, 16);
  EXPECT(BasicResolutionGroup<33>::create(spec).has_value());
  EXPECT(BasicResolutionGroup<32>::create(spec).error() == Errc::capacity_exceeded);
  EXPECT(BasicResolutionGroup<33>::create(spec.with_extra({1024, 768})).error() == Errc::capacity_exceeded);
  EXPECT(BasicResolutionGroup<34>::create(spec.with_extra({1024, 768})).has_value());
  // an extra that is dropped needs no room
  EXPECT(BasicResolutionGroup<33>::create(spec.with_extra({100, 100})).has_value());
  EXPECT(BasicResolutionGroup<5>::create(plain_spec(2, 1, 1)).has_value());
  EXPECT(BasicResolutionGroup<4>::create(plain_spec(2, 1, 1)).error() == Errc::capacity_exceeded);
  EXPECT(BasicResolutionGroup<1>::create(plain_spec(2, 1, 1)).error() == Errc::capacity_exceeded);
  EXPECT(ResolutionGroup::capacity() == 64);
  return true;
}
BOTH_TIMES(capacity_is_exact)

constexpr bool extras_are_deduplicated_by_ratio() {
  const GroupSpec spec = GroupSpec{}.with_extra({100, 100}).with_extra({512, 2048}).with_extra({513, 2048});
  const ResolutionGroup group = *ResolutionGroup::create(spec.with_extra({1026, 4096}));
  EXPECT(group.size() == 34);
  EXPECT((group[33] == Resolution{513, 2048}));
  EXPECT(group.snap({513, 2048}) == 33);
  EXPECT(group.snap({512, 2048}) == 0);
  return true;
}
BOTH_TIMES(extras_are_deduplicated_by_ratio)

constexpr bool extras_with_one_binary64_ratio_are_one() {
  // Different fractions, 2^-62 apart, that round to one number: only the first one enters, from either side.
  const Resolution a{max_side - 2, max_side - 1}, b{max_side - 1, max_side};
  EXPECT(a.ratio() == b.ratio());
  const ResolutionGroup ascending = *ResolutionGroup::create(GroupSpec{}.with_extra(a).with_extra(b));
  const ResolutionGroup descending = *ResolutionGroup::create(GroupSpec{}.with_extra(b).with_extra(a));
  EXPECT(ascending.size() == 34 && ascending[33] == a);
  EXPECT(descending.size() == 34 && descending[33] == b);
  // and these two round apart
  const Resolution c{max_side - 4, max_side};
  EXPECT(ResolutionGroup::create(GroupSpec{}.with_extra(b).with_extra(c))->size() == 35);
  return true;
}
BOTH_TIMES(extras_with_one_binary64_ratio_are_one)

constexpr bool models() {
  for (const ModelProfile* profile : profiles::all) {
    const Model model = *Model::create(*profile);
    const ResolutionGroup group = *make_group(*profile);
    EXPECT(model.group.size() == group.size() && model.group.base_size() == profile->trained_base_size);
    for (std::size_t i = 0; i < group.size(); ++i) EXPECT(model.group[i] == group[i]);
    EXPECT(model.profile.name == profile->name);
    EXPECT(Model::create(*profile, 2048)->group.base_size() == 2048);
  }
  EXPECT((Model::create(profiles::instruct, 2048, ExtraScaling::scaled)->group[33] == Resolution{2048, 1536}));
  EXPECT(Model::create(profiles::instruct, 1000).error() == Errc::base_size_not_aligned);
  EXPECT(Model::create(profiles::instruct, 0).error() == Errc::base_size_not_positive);
  EXPECT(Model::create(profiles::base, 1073741824).error() == Errc::base_size_too_large);
  ModelProfile bad = profiles::instruct;
  bad.extras.append({0, 4});
  EXPECT(Model::create(bad).error() == Errc::extra_not_positive && Model::create(bad).position() == 4);
  bad = profiles::instruct;
  bad.patch_size = 0;
  EXPECT(Model::create(bad).error() == Errc::profile_grid_not_positive);
  // a base size that another profile was trained at is its default
  ModelProfile smaller = profiles::base;
  smaller.trained_base_size = 512;
  EXPECT(Model::create(smaller)->group.base_size() == 512 && make_group(smaller)->base_size() == 512);
  return true;
}
BOTH_TIMES(models)

TEST_CASE("rows equal the plain definition's, for many parameters") {
  long checked = 0;
  for (std::int32_t base_size = 1; base_size <= 2048; base_size += base_size < 80 ? 1 : 29) {
    for (const std::int32_t align : {1, 2, 3, 8, 16, 64}) {
      for (const std::int32_t step : {0, 1, 7, 16, 63, 100, 511}) {
        for (const bool scaled : {false, true}) {
          GroupSpec spec =
              profiles::panorama.group_spec(base_size, scaled ? ExtraScaling::scaled : ExtraScaling::absolute);
          spec.step = step;
          spec.align = align;
          const auto group = BasicResolutionGroup<512>::create(spec);
          if (!group) continue;
          ++checked;
          plain::Parameters parameters = plain::panorama(base_size);
          parameters.step = step;
          parameters.align = align;
          parameters.scaled = scaled;
          const plain::Group definition(parameters);
          bool same = group->size() == definition.rows().size();
          for (std::size_t i = 0; same && i < group->size(); ++i) {
            same = (*group)[i].height == definition.rows()[i].height && (*group)[i].width == definition.rows()[i].width;
          }
          CHECK_MESSAGE(same, "base size " << base_size << ", step " << step << ", align " << align);
        }
      }
    }
  }
  CHECK(checked > 1000);
}

TEST_CASE("extra rows: a row is contained once it is appended, and no other is") {
  const auto row = [](std::size_t i) { return Resolution{static_cast<std::int32_t>(i + 1), 4096}; };
  ExtraRows extras;
  for (std::size_t count = 0; count <= ExtraRows::capacity; ++count) {
    for (std::size_t i = 0; i < ExtraRows::capacity; ++i) CHECK(extras.contains(row(i)) == (i < count));
    CHECK_FALSE(extras.contains(Resolution{4096, 1}));  // height before width
    CHECK_FALSE(extras.contains(Resolution{}));         // what the room that is left holds
    extras.append(row(count));
  }
  CHECK(extras.count == ExtraRows::capacity + 1);  // one too many: counted, and not stored
  CHECK(extras.contains(row(ExtraRows::capacity - 1)));
  CHECK_FALSE(extras.contains(row(ExtraRows::capacity)));
}

}  // namespace
}  // namespace hunyuan_reso_test
