// SPDX-License-Identifier: MIT
// The rows of the published groups, as literals (resolution.md, section 1).
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

static_assert(has_published_rows(hr::profiles::base, 33));
static_assert(has_published_rows(hr::profiles::instruct, 37));
static_assert(has_published_rows(hr::profiles::instruct_distil, 37));
static_assert(has_published_rows(hr::profiles::panorama, 38));

static_assert(has_published_rows(hr::group_for<hr::profiles::base>, 33, 1024));
static_assert(has_published_rows(hr::group_for<hr::profiles::instruct>, 37, 1024));
static_assert(has_published_rows(hr::group_for<hr::profiles::instruct, 2048>, 37, 2048));
static_assert(has_published_rows(hr::group_for<hr::profiles::panorama>, 38, 1024));
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
static_assert(!hr::message(hr::Errc::step_too_large).empty());

}  // namespace
