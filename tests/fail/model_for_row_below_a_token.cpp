// SPDX-License-Identifier: MIT
// expect: every_row_must_be_at_least_one_token_long
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

constexpr hr::ModelProfile changed() {
  hr::ModelProfile profile = hr::profiles::instruct;
  profile.vae_downsample_height = MUST_NOT_COMPILE ? 513 : 512;
  return profile;
}
inline constexpr hr::ModelProfile profile = changed();
static_assert(hr::model_for<profile>.group.size() == 37);
