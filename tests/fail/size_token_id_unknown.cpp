// SPDX-License-Identifier: MIT
// expect: no size token: the base size must be 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144 or 8192
#include <hunyuan_reso/hunyuan_reso.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::size_token_id < MUST_NOT_COMPILE ? 1000 : 1024 > () == 128037);
