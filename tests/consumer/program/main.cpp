// SPDX-License-Identifier: MIT
#include <hunyuan_reso/hunyuan_reso.hpp>

#if defined(HAS_ENGINE)
#include <engine/engine.hpp>
#endif

#if defined(__GNUC__)
static_assert(__cplusplus == 201703L, "the program is built as C++17, neither less nor more");
#endif

namespace hr = hunyuan_reso;

static_assert(hr::group_for<hr::profiles::instruct>.get_target_size(1920, 1080) == hr::Resolution{720, 1280});

int main(int count, char**) {
  const auto group = hr::make_group(hr::profiles::instruct, 1024 * count);
  if (!group || group->get_target_size(1920, 1080) != hr::Resolution{720, 1280}) return 1;
#if defined(HAS_ENGINE)
  if (engine_ratio_index(1920, 1080) != 36) return 2;
#endif
  return 0;
}
