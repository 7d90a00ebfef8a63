// SPDX-License-Identifier: MIT
// expect: nodiscard.*unused-result
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

void ignore(const hr::ResolutionGroup& group) {
#if MUST_NOT_COMPILE
  group.snap({1080, 1920});
#else
  (void)group.snap({1080, 1920});
#endif
}
