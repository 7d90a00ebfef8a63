// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_RESO_MODEL_HPP
#define HUNYUAN_RESO_MODEL_HPP

#include "profile.hpp"
#include "resolution_group.hpp"

namespace hunyuan_reso {
inline namespace HUNYUAN_RESO_INLINE_NAMESPACE {

/// The group of a profile at a base size (pixels); upstream's with ExtraScaling::absolute. Errors: see GroupSpec.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResolutionGroup> make_group(
    const ModelProfile& profile, std::int32_t base_size, ExtraScaling extra_scaling = ExtraScaling::absolute) noexcept {
  return ResolutionGroup::create(profile.group_spec(base_size, extra_scaling));
}
/// The same at the profile's own base size.
[[nodiscard]] HUNYUAN_RESO_HD constexpr Result<ResolutionGroup> make_group(const ModelProfile& profile) noexcept {
  return make_group(profile, profile.trained_base_size);
}

/// A profile and its group at one base size, which every function takes together, so that they cannot disagree.
/// Trivially copyable, no allocation: pass it to kernels by value.
struct Model {
  ModelProfile profile{};
  ResolutionGroup group{};

  /// Errors: those of ModelProfile::check and of make_group; Errc::row_below_one_token, with the row's number.
  [[nodiscard]] static constexpr Result<Model> create(const ModelProfile& profile, std::int32_t base_size,
                                                      ExtraScaling extra_scaling = ExtraScaling::absolute) noexcept {
    const Errc error = profile.check();
    if (error != Errc::none) return error;
    const Result<ResolutionGroup> group = make_group(profile, base_size, extra_scaling);
    if (!group) return {group.error(), group.position()};
    for (std::size_t i = 0; i < group->size(); ++i) {
      const Resolution row = (*group)[i];
      const bool is_short = row.height < profile.token_pixels_high() || row.width < profile.token_pixels_wide();
      if (is_short) return {Errc::row_below_one_token, i};
    }
    return Model{profile, *group};
  }
  /// The same at the profile's own base size.
  [[nodiscard]] static constexpr Result<Model> create(const ModelProfile& profile) noexcept {
    return create(profile, profile.trained_base_size);
  }
};
static_assert(sizeof(Model) <= 4096, "a Model is a kernel argument, of which there are 4 KiB");

namespace detail {

// Never constant: a call stops a constant expression, and the compiler prints the name.
inline void the_base_size_must_be_positive_and_at_most_1073741823() noexcept {}
inline void the_base_size_must_be_a_multiple_of_the_profiles_align() noexcept {}
inline void the_base_size_must_be_at_least_16_times_the_profiles_align() noexcept {}
inline void the_group_must_fit_into_64_rows_with_positive_extras() noexcept {}
inline void the_profile_must_pass_ModelProfile_check() noexcept {}
inline void every_row_must_be_at_least_one_token_long() noexcept {}

constexpr void stop_compiling(Errc error) noexcept {
  switch (error) {
    case Errc::none:
      break;
    case Errc::base_size_not_positive:
    case Errc::base_size_too_large:
      the_base_size_must_be_positive_and_at_most_1073741823();
      break;
    case Errc::base_size_not_aligned:
      the_base_size_must_be_a_multiple_of_the_profiles_align();
      break;
    case Errc::step_smaller_than_align:
      the_base_size_must_be_at_least_16_times_the_profiles_align();
      break;
    case Errc::profile_grid_not_positive:
    case Errc::profile_list_too_long:
    case Errc::profile_ids_clash:
    case Errc::profile_text_not_a_token:
      the_profile_must_pass_ModelProfile_check();
      break;
    case Errc::row_below_one_token:
      every_row_must_be_at_least_one_token_long();
      break;
    default:
      the_group_must_fit_into_64_rows_with_positive_extras();
  }
}

template <class T>
[[nodiscard]] constexpr T value_or_compile_error(const Result<T>& result) noexcept {
  stop_compiling(result.error());
  return *result;
}

}  // namespace detail

/// The group as a compile-time table, for example group_for<profiles::instruct, 2048>. A bad base size does not
/// compile, and the compiler's message says why.
template <const ModelProfile& Profile, std::int32_t BaseSize = Profile.trained_base_size,
          ExtraScaling Scaling = ExtraScaling::absolute>
inline constexpr ResolutionGroup group_for = detail::value_or_compile_error(make_group(Profile, BaseSize, Scaling));

/// The model as a compile-time constant, likewise.
template <const ModelProfile& Profile, std::int32_t BaseSize = Profile.trained_base_size,
          ExtraScaling Scaling = ExtraScaling::absolute>
inline constexpr Model model_for = detail::value_or_compile_error(Model::create(Profile, BaseSize, Scaling));

}  // namespace HUNYUAN_RESO_INLINE_NAMESPACE
}  // namespace hunyuan_reso

#endif  // HUNYUAN_RESO_MODEL_HPP
