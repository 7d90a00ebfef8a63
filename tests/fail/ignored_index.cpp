// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

void ignore(const hr::ResolutionGroup& group) {
#if MUST_NOT_COMPILE
  group.nearest_index(1920, 1080);
#else
  (void)group.nearest_index(1920, 1080);
#endif
}
