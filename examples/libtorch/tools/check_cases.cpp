// SPDX-License-Identifier: MIT
// Kinds of recorded cases; each function compares everything recorded under `prefix`, which ends in a dot.
#include <c10/util/Exception.h>  // c10::Error

#include <cstdlib>  // strtod

#include "model/text_decoder.hpp"
#include "tools/recording.hpp"

namespace hunyuan_generate {
namespace {

void compare_schedule(CheckContext& context, const std::string& prefix, const ScheduleTensors& schedule) {
  context.comparison.compare(prefix + "sigmas", schedule.sigmas, Tolerance::sigma);
  context.comparison.compare(prefix + "timesteps", schedule.timesteps(), Tolerance::time);
  context.comparison.compare(prefix + "timesteps_full", schedule.timesteps_full, Tolerance::time);
}

void check_image_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const auto steps = comparison.input(prefix + "num_steps").item<std::int64_t>();
  const auto scale = comparison.input(prefix + "guidance_scale").item<double>();
  const ScheduleTensors schedule = schedule_tensors(steps, comparison.input(prefix + "flow_shift").item<double>());
  compare_schedule(context, prefix, schedule);

  const RecordedImage image = recorded_image(context, prefix);
  // Conditioning values are recorded partly at the case and partly at its first step.
  const Probe at_case = comparison.probe(prefix, Tolerance::timed);
  const Probe at_step = comparison.probe(prefix + "step0.", Tolerance::timed);
  const Probe conditioning_probe = [&](const std::string& name, const at::Tensor& value) {
    at_case(name, value);
    at_step(name, value);
  };
  std::vector<Overwrite> conditioning = conditioning_vectors(
      context.model, image.layout, recorded_conditioning(context, prefix, image.layout), conditioning_probe);
  Denoiser denoiser(context.model, image.sequence, std::move(conditioning), schedule, scale, context.options);
  denoiser.start(comparison.input(prefix + "init_latents"));
  for (std::int64_t step = 0; step < steps; ++step) {
    const Probe probe = comparison.probe(prefix + "step" + std::to_string(step) + ".", Tolerance::timed);
    step == 0 ? denoiser.first_step(probe) : denoiser.later_step(probe);
  }
  if (!context.model.vae_decoder) return;
  const VaeDecoder& decoder = *context.model.vae_decoder;
  comparison.compare(prefix + "vae_in", decoder.unscale(denoiser.latents()), Tolerance::timed);
  if (!comparison.has(prefix + "image") && !comparison.has(prefix + "image_u8")) return;
  const at::Tensor pixels = decoder.decode(denoiser.latents());
  comparison.compare(prefix + "image", pixels, Tolerance::timed);
  comparison.compare(prefix + "image_u8", to_pixels(pixels), Tolerance::pixel);
}

void compare_ratio(CheckContext& context, const std::string& prefix, const at::Tensor& logits) {
  Comparison& comparison = context.comparison;
  if (!comparison.has(prefix + "ratio_scores") && !comparison.has(prefix + "ratio_index")) return;
  const hunyuan_reso::ModelProfile& profile = context.profile;
  const at::Tensor row = logits_row(logits);
  const auto count = static_cast<std::size_t>(row.numel());
  const auto slices = hunyuan_reso::ratio_slices(profile);
  at::Tensor scores = at::empty({1, static_cast<std::int64_t>(slices.token_count())}, at::kFloat);
  (void)require(hunyuan_reso::slice_logits(row.data_ptr<float>(), count, slices.slices, slices.count,
                                           scores.data_ptr<float>(), static_cast<std::size_t>(scores.numel())),
                "ratio logits");
  const std::size_t index = require(hunyuan_reso::predict_ratio(profile, row.data_ptr<float>(), count), "ratio");
  const auto token = require(hunyuan_reso::ratio_token_id(profile, index), "ratio token");
  comparison.compare(prefix + "ratio_scores", scores, Tolerance::plain);
  comparison.compare(prefix + "ratio_index", at::tensor({static_cast<std::int64_t>(index)}, at::kLong),
                     Tolerance::exact);
  comparison.compare(prefix + "ratio_token", at::tensor({std::int64_t{token}}, at::kLong), Tolerance::exact);
}

// Tokens decoded in a case: as many as recorded, else as many as there are logits.
std::int64_t token_count(const Comparison& comparison, const std::string& prefix) {
  if (comparison.has(prefix + "new_tokens"))
    return comparison.recorded().entries().at(prefix + "new_tokens").shape.back();
  std::int64_t count = 1;
  while (comparison.has(prefix + "logits" + std::to_string(count))) ++count;
  return count;
}

void check_text_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const std::int64_t count = token_count(comparison, prefix);
  const RecordedPrompt prompt = recorded_prompt(context, prefix, count);
  const Probe case_probe = comparison.probe(prefix, Tolerance::plain);
  const Probe prefill_probe = comparison.probe(prefix + "prefill.", Tolerance::plain);
  const Probe probe = [&](const std::string& name, const at::Tensor& value) {
    if (name == "position_ids") case_probe(name, value);
    prefill_probe(name, value);
  };
  TextDecoder decoder(context.model, prompt.rope, context.options);
  const auto conditioning = conditioning_vectors(context.model, prompt.layout,
                                                 recorded_conditioning(context, prefix, prompt.layout), case_probe);
  at::Tensor logits = decoder.prefill(
      prompt.ids, segments_from(context.profile, prompt.layout, 0, context.model.options.device), conditioning, probe);
  compare_ratio(context, prefix, logits);

  std::vector<at::Tensor> tokens;
  for (std::int64_t i = 0;; ++i) {
    comparison.compare(prefix + "logits" + std::to_string(i), logits, Tolerance::plain);
    tokens.push_back(logits.argmax(-1, /*keepdim=*/true));
    if (i + 1 >= count) break;
    logits = decoder.decode(tokens.back(),
                            comparison.probe(prefix + "decode" + std::to_string(i + 1) + ".", Tolerance::plain));
  }
  comparison.compare(prefix + "new_tokens", at::cat(tokens, 1), Tolerance::exact);
}

void check_rope_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  const std::int64_t length = comparison.recorded().entries().at(prefix + "positions_yx").shape.at(0);
  const at::Tensor positions = section_positions(comparison.input(prefix + "sections"), length);
  const RotaryTable table = rotary_table(context.profile, positions, context.model.options.device);
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
  const std::string mark = "shift";
  const std::size_t place = prefix.rfind(mark);
  if (place == std::string::npos) throw Error("the name of the schedule does not say its shift");
  const std::int64_t steps = context.comparison.recorded().entries().at(prefix + "sigmas").shape.at(0) - 1;
  compare_schedule(context, prefix,
                   schedule_tensors(steps, std::strtod(prefix.c_str() + place + mark.size(), nullptr)));
}

void check_vae_decode_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  if (!context.model.vae_decoder) throw Error("the checkpoint has no VAE decoder");
  const at::Tensor frames =
      context.model.vae_decoder->frames(comparison.input(prefix + "z"), comparison.probe(prefix, Tolerance::plain));
  comparison.compare(prefix + "all_frames", frames, Tolerance::plain);
  comparison.compare(prefix + "out", frames.narrow(2, frames.size(2) - 1, 1), Tolerance::plain);
}

// Pixels [1, 3, H, W] and noise [1, C, h, w] in; moments [1, 2C, h, w] and latents [1, C, h, w] out.
void check_vae_encode_case(CheckContext& context, const std::string& prefix) {
  Comparison& comparison = context.comparison;
  if (!context.model.vae_encoder) throw Error("the checkpoint has no VAE encoder");
  const VaeEncoder& encoder = *context.model.vae_encoder;
  const at::Tensor moments =
      encoder.moments(comparison.input(prefix + "pixels"), comparison.probe(prefix, Tolerance::plain));
  comparison.compare(prefix + "moments", moments, Tolerance::plain);
  comparison.compare(prefix + "latents", encoder.sample(moments, comparison.input(prefix + "noise")), Tolerance::plain);
}

using CaseFunction = void (*)(CheckContext&, const std::string&);

// The kind of a case follows from a tensor that only this kind has.
CaseFunction find_case(const Comparison& comparison, const std::string& prefix, const std::string& leaf) {
  if (leaf == "init_latents") return check_image_case;
  if (leaf == "input_ids" && !comparison.has(prefix + "init_latents")) return check_text_case;
  if (leaf == "positions_yx") return check_rope_case;
  if (leaf == "t") return check_embedder_case;
  if (leaf == "x") return check_moe_case;
  if (leaf == "z") return check_vae_decode_case;
  if (leaf == "pixels") return check_vae_encode_case;
  if (leaf == "sigmas" && !comparison.has(prefix + "init_latents")) return check_schedule_case;
  return nullptr;
}

}  // namespace

void check_cases(CheckContext& context) {
  for (const auto& [name, entry] : context.comparison.recorded().entries()) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string prefix = name.substr(0, dot + 1);
    const CaseFunction run = find_case(context.comparison, prefix, name.substr(dot + 1));
    if (run == nullptr) continue;
    try {
      run(context, prefix);
    } catch (const c10::Error& error) {
      context.comparison.fail(prefix, error.what_without_backtrace());
    } catch (const std::exception& error) {
      context.comparison.fail(prefix, error.what());
    }
  }
}

}  // namespace hunyuan_generate
