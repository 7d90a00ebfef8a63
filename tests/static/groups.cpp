// SPDX-License-Identifier: MIT
// The rows of the published groups, as literals.
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

namespace {

// Base size 1024, step 64: height first, ascending height / width.
constexpr hr::Resolution published[] = {
    {512, 2048},  {512, 1984}, {512, 1920}, {512, 1856}, {512, 1792}, {512, 1728}, {512, 1664}, {512, 1600},
    {512, 1536},  {576, 1472}, {640, 1408}, {704, 1344}, {768, 1280}, {832, 1216}, {896, 1152}, {960, 1088},
    {1024, 1024}, {1088, 960}, {1152, 896}, {1216, 832}, {1280, 768}, {1344, 704}, {1408, 640}, {1472, 576},
    {1536, 512},  {1600, 512}, {1664, 512}, {1728, 512}, {1792, 512}, {1856, 512}, {1920, 512}, {1984, 512},
    {2048, 512},  {1024, 768}, {1280, 720}, {768, 1024}, {720, 1280}, {960, 1952},
};

constexpr std::int32_t ladder[] = {256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};

// The group holds the first `count` rows above, the 33 generated ones times base_size / 1024, the extra ones as they
// are.
constexpr bool has_published_rows(const hr::ResolutionGroup& group, std::size_t count, std::int32_t base_size) {
  if (group.size() != count || group.base_size() != base_size || group.step() != base_size / 16) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const bool extra = i >= 33;
    const std::int32_t height = extra ? published[i].height : published[i].height / 64 * group.step();
    const std::int32_t width = extra ? published[i].width : published[i].width / 64 * group.step();
    if (group[i] != hr::Resolution{height, width}) return false;
    if (group.snap(group[i]) != i) return false;  // a row is nearest to itself
  }
  return group[count] == hr::Resolution{} && group.begin() + count == group.end();
}

constexpr bool has_published_rows(const hr::ModelProfile& profile, std::size_t count) {
  for (const std::int32_t base_size : ladder) {
    if (!has_published_rows(*hr::make_group(profile, base_size), count, base_size)) return false;
  }
  return true;
}

// How many of them a profile has: the generated ones and its extras.
constexpr std::size_t rows_of(const hr::ModelProfile& profile) { return 33 + profile.extras.count; }

constexpr bool all_profiles_have_published_rows() {
  for (const hr::ModelProfile* profile : hr::profiles::all) {
    if (!has_published_rows(*profile, rows_of(*profile))) return false;
  }
  return true;
}
static_assert(all_profiles_have_published_rows());
static_assert(rows_of(hr::profiles::base) == 33 && rows_of(hr::profiles::instruct) == 37);
static_assert(rows_of(hr::profiles::instruct_distil) == 37 && rows_of(hr::profiles::panorama) == 38);

// The compile-time tables of every profile, alone and with it; they are what is made at run time.
constexpr bool is_same(const hr::ResolutionGroup& a, const hr::ResolutionGroup& b) {
  if (a.size() != b.size() || a.base_size() != b.base_size() || a.step() != b.step() || a.align() != b.align()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  for (std::size_t k = 0; k < a.threshold_count(); ++k) {
    if (a.threshold(k).last != b.threshold(k).last) return false;
  }
  return a.threshold_count() == b.threshold_count();
}

template <std::size_t Profile, std::int32_t BaseSize>
constexpr bool has_constants() {
  constexpr const hr::ModelProfile& profile = *hr::profiles::all[Profile];
  constexpr const hr::ResolutionGroup& group = hr::group_for<profile, BaseSize>;
  constexpr const hr::Model& model = hr::model_for<profile, BaseSize>;
  const hr::Model made = *hr::Model::create(profile, BaseSize);
  return has_published_rows(group, rows_of(profile), BaseSize) && is_same(group, model.group) &&
         is_same(group, made.group) && model.profile.name == profile.name &&
         model.profile.extras.count == profile.extras.count;
}
template <std::size_t Profile>
constexpr bool has_constants_of_every_size() {
  return has_constants<Profile, 256>() && has_constants<Profile, 1024>() && has_constants<Profile, 2048>() &&
         has_constants<Profile, 8192>();
}
static_assert(has_constants_of_every_size<0>() && has_constants_of_every_size<1>());
static_assert(has_constants_of_every_size<2>() && has_constants_of_every_size<3>());
static_assert(sizeof(hr::profiles::all) / sizeof(hr::profiles::all[0]) == 4, "has_constants covers the first four");

// The trained base size is the default, whatever it is.
constexpr hr::ModelProfile trained_at_512() {
  hr::ModelProfile profile = hr::profiles::base;
  profile.trained_base_size = 512;
  return profile;
}
inline constexpr hr::ModelProfile smaller = trained_at_512();
static_assert(hr::group_for<smaller>.base_size() == 512 && hr::model_for<smaller>.group.base_size() == 512);
static_assert(hr::make_group(smaller)->base_size() == 512 && hr::Model::create(smaller)->group.base_size() == 512);
static_assert(hr::model_for<hr::profiles::instruct, 1536, hr::ExtraScaling::scaled>.group[33] ==
              hr::Resolution{1536, 1152});
static_assert(hr::Model::create(hr::profiles::instruct, 1000).error() == hr::Errc::base_size_not_aligned);
static_assert(hr::group_for<hr::profiles::base>.align() == 1 && hr::group_for<hr::profiles::instruct>.align() == 16);

// Scaled extras: each side times base_size / 1024, to the nearest multiple of 16, halves up.
constexpr const hr::ResolutionGroup& scaled = hr::group_for<hr::profiles::instruct, 1536, hr::ExtraScaling::scaled>;
static_assert(scaled.size() == 37 && scaled[33] == hr::Resolution{1536, 1152} &&
              scaled[34] == hr::Resolution{1920, 1088});
static_assert(scaled[35] == hr::Resolution{1152, 1536} && scaled[36] == hr::Resolution{1088, 1920});

// Other base sizes and steps.
constexpr hr::GroupSpec plain = hr::GroupSpec{}.with_align(1);
static_assert(hr::ResolutionGroup::create(plain.with_base_size(1000))->size() == 35);
static_assert(hr::BasicResolutionGroup<129>::create(plain.with_step(16))->size() == 129);
static_assert(hr::ResolutionGroup::create(plain.with_step(16)).error() == hr::Errc::capacity_exceeded);
static_assert(hr::ResolutionGroup::create(plain.with_step(512))->size() == 5);
static_assert(hr::BasicResolutionGroup<5>::create(plain.with_step(512))->size() == 5);
static_assert(hr::BasicResolutionGroup<4>::create(plain.with_step(512)).error() == hr::Errc::capacity_exceeded);

// Extras: in the order given, left out where the ratio is there already, refused by number.
constexpr auto with_extras =
    hr::ResolutionGroup::create(plain.with_extra({512, 512}).with_extra({3, 4}).with_extra({6, 8}).with_extra({5, 4}));
static_assert(with_extras->size() == 35 && (*with_extras)[33] == hr::Resolution{3, 4} &&
              (*with_extras)[34] == hr::Resolution{5, 4});
constexpr auto zero_extra = hr::ResolutionGroup::create(plain.with_extra({3, 4}).with_extra({0, 4}));
static_assert(!zero_extra && zero_extra.error() == hr::Errc::extra_not_positive && zero_extra.position() == 1);

// A list of one's own.
constexpr hr::Resolution own_rows[] = {{1024, 1024}, {768, 1024}, {1536, 2048}, {512, 2048}, {1024, 768}};
constexpr auto own = hr::ResolutionGroup::from_rows(own_rows, 5);
static_assert(own->size() == 5 && own->base_size() == 0 && own->step() == 0 && own->align() == 0);
static_assert((*own)[2] == hr::Resolution{1536, 2048} && own->threshold_count() == 3);
static_assert(own->snap({3, 4}) == 1 && own->snap({1536, 2048}) == 1);  // of equal ratios the first row wins
static_assert(own->snap({1, 9}) == 3 && own->snap({9, 1}) == 4 &&
              own->get_target_size(9, 10) == hr::Resolution{1024, 1024});
static_assert(hr::ResolutionGroup::from_rows(own_rows, 0).error() == hr::Errc::no_rows);
static_assert(hr::BasicResolutionGroup<4>::from_rows(own_rows, 5).error() == hr::Errc::capacity_exceeded);

// Refused specs.
constexpr hr::Errc error_of(const hr::GroupSpec& spec) { return hr::ResolutionGroup::create(spec).error(); }
static_assert(error_of(plain.with_base_size(0)) == hr::Errc::base_size_not_positive);
static_assert(error_of(plain.with_base_size(-1024)) == hr::Errc::base_size_not_positive);
static_assert(error_of(plain.with_base_size(1073741824)) == hr::Errc::base_size_too_large);
static_assert(error_of(plain.with_base_size(1073741823)) == hr::Errc::none);
static_assert(error_of(plain.with_align(0)) == hr::Errc::align_not_positive);
static_assert(error_of(plain.with_align(16).with_base_size(1000)) == hr::Errc::base_size_not_aligned);
static_assert(error_of(plain.with_step(513)) == hr::Errc::step_too_large);
static_assert(error_of(plain.with_step(-1)) == hr::Errc::step_smaller_than_align);
static_assert(error_of(plain.with_align(16).with_base_size(128)) == hr::Errc::step_smaller_than_align);
static_assert(hr::message(hr::Errc::step_too_large)[0] != 0);

}  // namespace
