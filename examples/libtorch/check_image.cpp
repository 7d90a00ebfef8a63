// SPDX-License-Identifier: MIT
#include "error.hpp"
#include "recording.hpp"

namespace hunyuan_generate {
namespace {

void compare_schedule(CheckContext& context, const std::string& prefix, const FlowMatchSchedule& schedule) {
  context.comparison.compare(prefix + "sigmas", schedule.sigmas, Tolerance::sigma);
  context.comparison.compare(prefix + "timesteps", schedule.timesteps(), Tolerance::time);
  context.comparison.compare(prefix + "timesteps_full", schedule.timesteps_full, Tolerance::time);
}

// Conditioning values are recorded partly at the case and partly at its first step.
Probe conditioning_probe(CheckContext& context, const std::string& prefix) {
  const Probe at_case = context.comparison.probe(prefix, Tolerance::timed);
  const Probe at_step = context.comparison.probe(prefix + "step0.", Tolerance::timed);
  return [at_case, at_step](const std::string& name, const at::Tensor& value) {
    at_case(name, value);
    at_step(name, value);
  };
}

void compare_image(CheckContext& context, const std::string& prefix, const at::Tensor& latents) {
  if (!context.model.vae_decoder) return;
  Comparison& comparison = context.comparison;
  comparison.compare(prefix + "vae_in", context.model.vae_decoder->unscale(latents), Tolerance::timed);
  if (!comparison.has(prefix + "image") && !comparison.has(prefix + "image_u8")) return;
  const at::Tensor image = context.model.vae_decoder->decode(latents);
  comparison.compare(prefix + "image", image, Tolerance::timed);
  comparison.compare(prefix + "image_u8", to_pixels(image), Tolerance::pixel);
}

}  // namespace

void check_image_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const auto steps = comparison.input(prefix + "num_steps").item<std::int64_t>();
  const auto scale = comparison.input(prefix + "guidance_scale").item<double>();
  const auto shift = comparison.input(prefix + "flow_shift").item<double>();
  const FlowMatchSchedule schedule = flow_match_schedule(steps, shift);
  compare_schedule(context, prefix, schedule);

  std::vector<Overwrite> conditioning =
      conditioning_vectors(context.model, conditioning_images(context, prefix), conditioning_probe(context, prefix));
  Denoiser denoiser(context.model, image_sequence(context, prefix), std::move(conditioning), schedule, scale,
                    context.options);
  denoiser.start(comparison.input(prefix + "init_latents"));
  for (std::int64_t step = 0; step < steps; ++step) {
    const Probe probe = comparison.probe(prefix + "step" + std::to_string(step) + ".", Tolerance::timed);
    if (step == 0) {
      denoiser.first_step(probe);
    } else {
      denoiser.later_step(probe);
    }
  }
  compare_image(context, prefix, denoiser.latents());
}

}  // namespace hunyuan_generate
