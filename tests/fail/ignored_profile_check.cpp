// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/profile.hpp>

namespace hr = hunyuan_reso;

void ignore(const hr::ModelProfile& profile) {
#if MUST_NOT_COMPILE
  profile.check();
#else
  (void)profile.check();
#endif
}
