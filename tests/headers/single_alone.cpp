// SPDX-License-Identifier: MIT
// The single file, alone and twice, in every mode that a project may be in.
#include <hunyuan_reso_single.hpp>

namespace hr = hunyuan_reso;
static_assert(hr::model_for<hr::profiles::instruct>.group.get_target_size(1920, 1080) == hr::Resolution{720, 1280});

int main() {
  const auto plan = hr::plan_generation(hr::model_for<hr::profiles::base, 512>, hr::GenerationRequest{});
  return plan && plan->feasible() ? 0 : 1;
}
