// SPDX-License-Identifier: MIT
// expect: Capacity must be in 1 .. 65535
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::BasicResolutionGroup < MUST_NOT_COMPILE ? 0 : 1 > ::capacity() == 1);
