// SPDX-License-Identifier: MIT
// expect: the_profile_must_pass_ModelProfile_check
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

constexpr hr::ModelProfile changed() {
  hr::ModelProfile profile = hr::profiles::instruct;
  for (int i = 0; i < (MUST_NOT_COMPILE ? 28 : 27); ++i) profile.ratio_tokens.append(131000 + i);
  return profile;
}
inline constexpr hr::ModelProfile profile = changed();
static_assert(hr::model_for<profile>.group.size() == 37);
