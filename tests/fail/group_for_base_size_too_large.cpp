// SPDX-License-Identifier: MIT
// expect: the_base_size_must_be_positive_and_at_most_1073741823
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::group_for < hr::profiles::base, MUST_NOT_COMPILE ? 1073741824 : 1073741808 >.size() == 33);
