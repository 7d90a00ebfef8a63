// SPDX-License-Identifier: MIT
// What the types promise: small, trivially copyable, usable by value in constant expressions and as template arguments.
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <type_traits>  // is_trivially_copyable_v

namespace hr = hunyuan_reso;

namespace {

template <class T>
constexpr bool is_plain = std::is_trivially_copyable_v<T>&& std::is_standard_layout_v<T>&&
    std::is_trivially_destructible_v<T>&& std::is_nothrow_default_constructible_v<T>;

static_assert(is_plain<hr::Resolution> && is_plain<hr::GroupSpec> && is_plain<hr::ModelProfile>);
static_assert(is_plain<hr::ImageSize> && is_plain<hr::ImageInfo> && is_plain<hr::ResizeCrop>);
static_assert(is_plain<hr::OutputAlignment> && is_plain<hr::Preset> && is_plain<hr::SnapThreshold>);
static_assert(is_plain<hr::TokenText> && is_plain<hr::RatioTokens> && is_plain<hr::BaseSizeAndRatioIndex>);
static_assert(std::is_aggregate_v<hr::Resolution> && std::is_aggregate_v<hr::ModelProfile>);
static_assert(std::is_aggregate_v<hr::ImageInfo> && std::is_aggregate_v<hr::Preset>);

// A kernel's arguments: the model within 4 KiB.
static_assert(std::is_trivially_copyable_v<hr::ResolutionGroup> && std::is_standard_layout_v<hr::ResolutionGroup>);
static_assert(sizeof(hr::ResolutionGroup) <= 4096);
static_assert(is_plain<hr::Model> && std::is_aggregate_v<hr::Model>);
static_assert(sizeof(hr::Model) <= 4096);
static_assert(std::is_trivially_copyable_v<hr::Result<hr::ResolutionGroup>>);
static_assert(std::is_trivially_copyable_v<hr::RopeLayout> && sizeof(hr::RopeLayout) <= 4096);
static_assert(std::is_trivially_copyable_v<hr::AttentionLayout> && sizeof(hr::AttentionLayout) <= 4096);
static_assert(sizeof(hr::Resolution) == 8 && sizeof(hr::TokenId) == 4 && sizeof(hr::Errc) == 1);

// A Result gives up its value only by name.
static_assert(!std::is_convertible_v<hr::Result<hr::ResolutionGroup>, hr::ResolutionGroup>);
static_assert(!std::is_convertible_v<hr::Result<hr::ResolutionGroup>, bool>);
static_assert(std::is_constructible_v<bool, hr::Result<hr::ResolutionGroup>>);
static_assert(!hr::Result<int>(hr::Errc::no_size_token) && *hr::Result<int>(hr::Errc::no_size_token) == 0);
// Errc::none is no success.
static_assert(!hr::Result<int>(hr::Errc::none) && hr::Result<int>(hr::Errc::none).error() == hr::Errc::no_value);
static_assert(hr::Result<int>(hr::Errc::no_size_token).value_or(7) == 7 && hr::Result<int>(5).value_or(7) == 5);

// Noexcept throughout.
static_assert(noexcept(hr::make_group(hr::profiles::base)) && noexcept(hr::ResolutionGroup::create(hr::GroupSpec{})));
static_assert(noexcept(hr::group_for<hr::profiles::base>.snap({1, 1})));
static_assert(noexcept(hr::parse_image_size("", hr::profiles::base)) && noexcept(hr::find_token(hr::profiles::base,
                                                                                                "")));
static_assert(noexcept(hr::make_presets(hr::model_for<hr::profiles::base>)));

// Copies and changes in a constant expression.
constexpr hr::ResolutionGroup copy = hr::group_for<hr::profiles::instruct>;
static_assert(copy.size() == 37 && copy.get_target_size(1920, 1080) == hr::Resolution{720, 1280});
constexpr hr::ModelProfile fine_tune() {
  hr::ModelProfile profile = hr::profiles::instruct;
  profile.extras.append({640, 640});  // 1:1 is there already
  profile.extras.append({640, 1536});
  return profile;
}
inline constexpr hr::ModelProfile tuned = fine_tune();
static_assert(hr::group_for<tuned>.size() == 38 && hr::group_for<tuned>[37] == hr::Resolution{640, 1536});
static_assert(hr::Resolution::from_wh(1920, 1080) == hr::Resolution{1080, 1920});
static_assert(hr::Resolution{1, 3} != hr::Resolution{3, 1} && hr::Resolution{1, 2}.ratio() == 0.5);

// A group, by reference, and what it says, by value, as template arguments.
template <const hr::ResolutionGroup& Group, std::size_t RatioIndex>
struct Bucket {
  static constexpr hr::Resolution size = Group[RatioIndex];
  unsigned char latent[static_cast<std::size_t>(size.pixel_count() / 256)];
};
static_assert(sizeof(Bucket<hr::group_for<hr::profiles::instruct>, 36>) == 3600);
static_assert(sizeof(Bucket<copy, copy.snap({4, 3})>) == 3072);
static_assert(std::is_same_v<std::integral_constant<hr::TokenId, *hr::size_token_id(hr::profiles::instruct, 1024)>,
                             std::integral_constant<hr::TokenId, 128037>>);

#if defined(__cpp_nontype_template_args) && __cpp_nontype_template_args >= 201911L
// Since C++20, sizes by value.
template <hr::Resolution Size>
inline constexpr std::int64_t tokens_of = Size.pixel_count() / 256;
static_assert(tokens_of<copy[16]> == 4096);
#endif

}  // namespace
