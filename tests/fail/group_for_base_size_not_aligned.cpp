// SPDX-License-Identifier: MIT
// expect: the_base_size_must_be_a_multiple_of_the_profiles_align
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::group_for < hr::profiles::instruct, MUST_NOT_COMPILE ? 1000 : 1024 >.size() == 37);
