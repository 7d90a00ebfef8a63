// SPDX-License-Identifier: MIT
// expect: no matching function for call to .build_gen_image_info
#include <hunyuan_reso/image_info.hpp>

namespace hr = hunyuan_reso;

// A group alone does not say which tokens there are.
#if MUST_NOT_COMPILE
constexpr auto info = hr::build_gen_image_info(hr::group_for<hr::profiles::base>, "16:9");
#else
constexpr auto info = hr::build_gen_image_info(hr::model_for<hr::profiles::base>, "16:9");
#endif
static_assert(info.has_value());
