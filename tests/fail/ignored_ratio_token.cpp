// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/profile.hpp>

namespace hr = hunyuan_reso;

// It returns another profile, and does not change the one that it is called on.
void ignore(const hr::ModelProfile& profile) {
#if MUST_NOT_COMPILE
  profile.with_ratio_token_id(37, 131000);
#else
  (void)profile.with_ratio_token_id(37, 131000);
#endif
}
