// SPDX-License-Identifier: MIT
// expect: the_base_size_must_be_at_least_16_times_the_profiles_align
#include <hunyuan_reso/model.hpp>

namespace hr = hunyuan_reso;

static_assert(hr::model_for < hr::profiles::instruct_distil, MUST_NOT_COMPILE ? 128 : 256 >.group.size() == 37);
