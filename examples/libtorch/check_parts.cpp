// SPDX-License-Identifier: MIT
#include <cstdlib>  // strtod

#include "error.hpp"
#include "recording.hpp"

namespace hunyuan_generate {

void check_rope_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const ModelConfig& config = context.model.config;
  const std::int64_t length = comparison.recorded().entries().at(prefix + "positions_yx").shape.at(0);
  const at::Tensor positions = section_positions(comparison.input(prefix + "sections"), length);
  const RotaryTable table = rotary_table(positions, config.head_dim, config.rope_theta, context.model.options.device);
  comparison.compare(prefix + "positions_yx", positions, Tolerance::exact);
  comparison.compare(prefix + "cos", table.cos.squeeze(0), Tolerance::plain);
  comparison.compare(prefix + "sin", table.sin.squeeze(0), Tolerance::plain);
}

void check_embedder_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const Model& model = context.model;
  const at::Tensor values = comparison.input(prefix + "t");
  comparison.compare(prefix + "frequencies", sinusoids(values), Tolerance::timed);
  comparison.compare(prefix + "time_embed", model.time_embed(values), Tolerance::timed);
  comparison.compare(prefix + "time_embed_2", model.time_embed_2(values), Tolerance::timed);
  comparison.compare(prefix + "timestep_emb", model.timestep_emb(values), Tolerance::timed);
  if (model.guidance_emb) comparison.compare(prefix + "guidance_emb", (*model.guidance_emb)(values), Tolerance::timed);
  if (model.timestep_r_emb) {
    comparison.compare(prefix + "timestep_r_emb", (*model.timestep_r_emb)(values), Tolerance::timed);
  }
}

void check_moe_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const at::Tensor x = comparison.input(prefix + "x").to(context.model.options.dtype);
  const std::vector<LayerConfig>& layers = context.model.config.layers;
  std::size_t layer = 0;  // the first layer with experts
  while (layer < layers.size() && layers[layer].dense) ++layer;
  const Moe& moe = context.model.backbone.moe(layer);
  const Probe probe = comparison.probe(prefix, Tolerance::plain);
  comparison.compare(prefix + "out", moe.forward(x, context.options.experts, /*drop=*/false, probe), Tolerance::plain);
  comparison.compare(prefix + "out_drop", moe.forward(x, context.options.experts, /*drop=*/true, Probe()),
                     Tolerance::plain);
}

// The shift stands in the name of the case, "n50_shift3"; the number of steps follows from the number of levels.
void check_schedule_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const std::string mark = "shift";
  const std::size_t place = prefix.rfind(mark);
  if (place == std::string::npos) throw Error("the name of the schedule does not say its shift");
  const double shift = std::strtod(prefix.c_str() + place + mark.size(), nullptr);
  const std::int64_t steps = comparison.recorded().entries().at(prefix + "sigmas").shape.at(0) - 1;
  const FlowMatchSchedule schedule = flow_match_schedule(steps, shift);
  comparison.compare(prefix + "sigmas", schedule.sigmas, Tolerance::sigma);
  comparison.compare(prefix + "timesteps", schedule.timesteps(), Tolerance::time);
  comparison.compare(prefix + "timesteps_full", schedule.timesteps_full, Tolerance::time);
}

void check_vae_decode_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  if (!context.model.vae_decoder) throw Error("the checkpoint has no VAE decoder");
  const at::Tensor frames =
      context.model.vae_decoder->frames(comparison.input(prefix + "z"), comparison.probe(prefix, Tolerance::plain));
  comparison.compare(prefix + "all_frames", frames, Tolerance::plain);
  comparison.compare(prefix + "out", frames.narrow(2, frames.size(2) - 1, 1), Tolerance::plain);
}

void check_vae_encode_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  if (!context.model.vae_encoder) throw Error("the checkpoint has no VAE encoder");
  const VaeEncoder& encoder = *context.model.vae_encoder;
  const at::Tensor moments =
      encoder.moments(comparison.input(prefix + "pixels"), comparison.probe(prefix, Tolerance::plain));
  comparison.compare(prefix + "moments", moments, Tolerance::plain);
  comparison.compare(prefix + "latents", encoder.sample(moments, comparison.input(prefix + "noise")), Tolerance::plain);
}

}  // namespace hunyuan_generate
