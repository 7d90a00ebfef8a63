// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_FLOW_MATCH_HPP
#define HUNYUAN_GENERATE_FLOW_MATCH_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t

namespace hunyuan_generate {

/// Noise levels and times of an Euler flow-matching loop, float32 on the CPU.
struct FlowMatchSchedule {
  std::int64_t steps = 0;
  at::Tensor sigmas;          ///< [steps + 1], from 1 down to exactly 0
  at::Tensor timesteps_full;  ///< [steps + 1], 1000 times the sigmas

  /// [steps]: time t of each step, 1000 at the first.
  [[nodiscard]] at::Tensor timesteps() const { return timesteps_full.narrow(0, 0, steps); }
  /// [steps]: the second time of meanflow, the next step's t and 0 at the last step.
  [[nodiscard]] at::Tensor timesteps_r() const { return timesteps_full.narrow(0, 1, steps); }
  /// [steps]: sigma of the next step minus sigma of this one, negative.
  [[nodiscard]] at::Tensor sigma_steps() const { return sigmas.narrow(0, 1, steps) - sigmas.narrow(0, 0, steps); }
};

/// Evenly spaced levels, moved towards 1 by the shift f: f s / (1 + (f - 1) s). Throws Error unless `steps` is from 1
/// to 100000 and the shift is positive and finite.
FlowMatchSchedule flow_match_schedule(std::int64_t steps, double shift);

/// One Euler step: latents + velocity * sigma_step, in float32.
at::Tensor euler_step(const at::Tensor& latents, const at::Tensor& velocity, const at::Tensor& sigma_step);

/// Two-row guidance in float32: uncond + scale (cond - uncond).
at::Tensor guide(const at::Tensor& cond, const at::Tensor& uncond, double scale);

/// The value that the guidance token of a distilled checkpoint embeds: 1000 times the scale, rounded to bfloat16
/// (2.5 gives 2496).
float guidance_token_value(double scale);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_FLOW_MATCH_HPP
