// SPDX-License-Identifier: MIT
#include "flow_match.hpp"

#include <cmath>  // isfinite

#include "error.hpp"

namespace hunyuan_generate {

FlowMatchSchedule flow_match_schedule(std::int64_t steps, double shift) {
  if (steps < 1 || steps > 100000) throw Error("the number of steps is " + std::to_string(steps) + ", not 1 to 100000");
  if (!(shift > 0) || !std::isfinite(shift))
    throw Error("the flow shift is " + std::to_string(shift) + ", not positive");
  FlowMatchSchedule schedule;
  schedule.steps = steps;
  schedule.sigmas = at::linspace(1, 0, steps + 1, at::kFloat);
  if (shift != 1) schedule.sigmas = shift * schedule.sigmas / (1 + (shift - 1) * schedule.sigmas);
  schedule.timesteps_full = schedule.sigmas * 1000;
  return schedule;
}

at::Tensor euler_step(const at::Tensor& latents, const at::Tensor& velocity, const at::Tensor& sigma_step) {
  return latents.to(at::kFloat) + velocity.to(at::kFloat) * sigma_step;
}

at::Tensor guide(const at::Tensor& cond, const at::Tensor& uncond, double scale) {
  const at::Tensor base = uncond.to(at::kFloat);
  return base + scale * (cond.to(at::kFloat) - base);
}

float guidance_token_value(double scale) { return static_cast<float>(c10::BFloat16(static_cast<float>(1000 * scale))); }

}  // namespace hunyuan_generate
