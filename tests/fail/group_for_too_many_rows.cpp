// SPDX-License-Identifier: MIT
// expect: the_group_must_fit_into_64_rows_with_positive_extras
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

// Base size 31 in steps of 1 has 63 rows.
constexpr hr::ModelProfile with_extras() {
  hr::ModelProfile profile = hr::profiles::base;
  profile.extras.append({3, 4});
  if (MUST_NOT_COMPILE) profile.extras.append({5, 7});
  return profile;
}
inline constexpr hr::ModelProfile profile = with_extras();
static_assert(hr::group_for<profile, 31>.size() == 64);
