// SPDX-License-Identifier: MIT
// expect: no matching function for call to .build_gen_image_info
#include <hunyuan_reso/image_info.hpp>

namespace hr = hunyuan_reso;

// A profile and a group that do not belong together cannot be passed.
#if MUST_NOT_COMPILE
constexpr auto info = hr::build_gen_image_info("16:9", hr::profiles::base, hr::group_for<hr::profiles::instruct>);
#else
constexpr auto info = hr::build_gen_image_info(hr::model_for<hr::profiles::base>, "16:9");
#endif
static_assert(info->ratio_index < 33);
