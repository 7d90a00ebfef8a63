// SPDX-License-Identifier: MIT
#include "engine/engine.hpp"

std::size_t engine_ratio_index(std::int32_t width, std::int32_t height) {
  return hunyuan_reso::model_for<hunyuan_reso::profiles::instruct>.group.snap({height, width});
}
