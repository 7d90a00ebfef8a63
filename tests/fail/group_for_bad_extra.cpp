// SPDX-License-Identifier: MIT
// expect: the_group_must_fit_into_64_rows_with_positive_extras
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

constexpr hr::ModelProfile with_extra() {
  hr::ModelProfile profile = hr::profiles::base;
  profile.extras.append({MUST_NOT_COMPILE ? 0 : 3, 4});
  return profile;
}
inline constexpr hr::ModelProfile profile = with_extra();
static_assert(hr::group_for<profile>.size() == 34);
