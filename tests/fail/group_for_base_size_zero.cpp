// SPDX-License-Identifier: MIT
// expect: the_base_size_must_be_positive_and_at_most_1073741823
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::group_for < hr::profiles::instruct, MUST_NOT_COMPILE ? 0 : 1024 >.size() == 37);
