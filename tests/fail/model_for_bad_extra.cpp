// SPDX-License-Identifier: MIT
// expect: the_group_must_fit_into_64_rows_with_positive_extras
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

constexpr hr::ModelProfile changed() {
  hr::ModelProfile profile = hr::profiles::instruct;
  profile.extras.append({MUST_NOT_COMPILE ? 0 : 144, 640});
  return profile;
}
inline constexpr hr::ModelProfile profile = changed();
static_assert(hr::model_for<profile>.group.size() == 38);
