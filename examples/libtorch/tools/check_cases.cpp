// SPDX-License-Identifier: MIT
// Kinds of recorded cases; each function compares everything recorded of one.
#include <c10/util/Exception.h>  // c10::Error

#include <cstdlib>  // strtod

#include "model/text_decoder.hpp"
#include "tools/recording.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

void compare_schedule(const RecordedCase& c, const ScheduleTensors& schedule) {
  c.compare("sigmas", schedule.sigmas, Tolerance::sigma);
  c.compare("timesteps", schedule.timesteps(), Tolerance::time);
  c.compare("timesteps_full", schedule.timesteps_full, Tolerance::time);
}

void check_image_case(const RecordedCase& c) {
  const ScheduleTensors schedule = c.schedule();
  compare_schedule(c, schedule);
  Denoiser denoiser = c.denoiser(schedule);
  denoiser.start(c.input("init_latents"));
  for (std::int64_t step = 0; step < schedule.steps; ++step) {
    const Probe probe = c.probe(Tolerance::timed, "step" + std::to_string(step) + ".");
    step == 0 ? denoiser.first_step(probe) : denoiser.later_step(probe);
  }
  if (!c.model().vae_decoder) return;
  const VaeDecoder& decoder = *c.model().vae_decoder;
  c.compare("vae_in", decoder.unscale(denoiser.latents()), Tolerance::timed);
  if (!c.has("image") && !c.has("image_u8")) return;
  const at::Tensor pixels = decoder.decode(denoiser.latents());
  c.compare("image", pixels, Tolerance::timed);
  c.compare("image_u8", to_pixels(pixels), Tolerance::pixel);
}

void compare_ratio(const RecordedCase& c, const at::Tensor& logits) {
  if (!c.has("ratio_scores") && !c.has("ratio_index")) return;
  const at::Tensor row = logits_row(logits);
  const std::size_t index =
      require(hr::predict_ratio(c.profile(), row.data_ptr<float>(), static_cast<std::size_t>(row.numel())), "ratio");
  const auto token = require(hr::ratio_token_id(c.profile(), index), "ratio token");
  c.compare("ratio_scores", ratio_scores(c.profile(), row).unsqueeze(0), Tolerance::plain);
  c.compare("ratio_index", at::tensor({static_cast<std::int64_t>(index)}, at::kLong), Tolerance::exact);
  c.compare("ratio_token", at::tensor({std::int64_t{token}}, at::kLong), Tolerance::exact);
}

// Tokens decoded in a case: as many as recorded, else as many as there are logits.
std::int64_t token_count(const RecordedCase& c) {
  if (c.has("new_tokens")) return c.shape("new_tokens").back();
  std::int64_t count = 1;
  while (c.has("logits" + std::to_string(count))) ++count;
  return count;
}

void check_text_case(const RecordedCase& c) {
  const std::int64_t count = token_count(c);
  const RecordedCase::Prompt prompt = c.prompt(count);
  const Probe case_probe = c.probe(Tolerance::plain), prefill_probe = c.probe(Tolerance::plain, "prefill.");
  const Probe probe = [&](const std::string& name, const at::Tensor& value) {
    if (name == "position_ids") case_probe(name, value);
    prefill_probe(name, value);
  };
  TextDecoder decoder(c.model(), prompt.rope, c.options());
  at::Tensor logits =
      decoder.prefill(prompt.ids, segments_from(c.profile(), prompt.layout, 0, c.device()), prompt.conditioning, probe);
  compare_ratio(c, logits);
  std::vector<at::Tensor> tokens;
  for (std::int64_t i = 0;; ++i) {
    c.compare("logits" + std::to_string(i), logits, Tolerance::plain);
    tokens.push_back(logits.argmax(-1, /*keepdim=*/true));
    if (i + 1 >= count) break;
    logits = decoder.decode(tokens.back(), c.probe(Tolerance::plain, "decode" + std::to_string(i + 1) + "."));
  }
  c.compare("new_tokens", at::cat(tokens, 1), Tolerance::exact);
}

void check_rope_case(const RecordedCase& c) {
  const std::int64_t length = c.shape("positions_yx").front();
  const at::Tensor sections = checked_sections(c.prefix() + "sections", c.input("sections"), length);
  const at::Tensor positions = c.positions(sections, length);
  const RotaryTable table = rotary_table(c.profile(), positions, c.device());
  c.compare("positions_yx", positions, Tolerance::exact);
  c.compare("cos", table.cos.squeeze(0), Tolerance::plain);
  c.compare("sin", table.sin.squeeze(0), Tolerance::plain);
}

void check_embedder_case(const RecordedCase& c) {
  const Model& model = c.model();
  const at::Tensor values = c.input("t");
  c.compare("frequencies", sinusoids(values), Tolerance::timed);
  c.compare("time_embed", model.time_embed(values), Tolerance::timed);
  c.compare("time_embed_2", model.time_embed_2(values), Tolerance::timed);
  c.compare("timestep_emb", model.timestep_emb(values), Tolerance::timed);
  if (model.guidance_emb) c.compare("guidance_emb", (*model.guidance_emb)(values), Tolerance::timed);
  if (model.timestep_r_emb) c.compare("timestep_r_emb", (*model.timestep_r_emb)(values), Tolerance::timed);
}

void check_moe_case(const RecordedCase& c) {
  const at::Tensor x = c.input("x").to(c.model().options.dtype);
  const std::vector<LayerConfig>& layers = c.model().config.layers;
  std::size_t layer = 0;  // the first layer with experts
  while (layer < layers.size() && layers[layer].dense) ++layer;
  const Moe& moe = c.model().backbone.moe(layer);
  const ExpertPath path = c.options().experts;
  c.compare("out", moe.forward(x, path, /*drop=*/false, c.probe(Tolerance::plain)), Tolerance::plain);
  c.compare("out_drop", moe.forward(x, path, /*drop=*/true, Probe()), Tolerance::plain);
}

// The shift stands in the name of the case, "n50_shift3"; the number of steps follows from the number of levels.
void check_schedule_case(const RecordedCase& c) {
  const std::string mark = "shift";
  const std::size_t place = c.prefix().rfind(mark);
  if (place == std::string::npos) throw Error("the name of the schedule does not say its shift");
  const double shift = std::strtod(c.prefix().c_str() + place + mark.size(), nullptr);
  compare_schedule(c, schedule_tensors(c.shape("sigmas").front() - 1, shift));
}

void check_vae_decode_case(const RecordedCase& c) {
  if (!c.model().vae_decoder) throw Error("the checkpoint has no VAE decoder");
  const at::Tensor frames = c.model().vae_decoder->frames(c.input("z"), c.probe(Tolerance::plain));
  c.compare("all_frames", frames, Tolerance::plain);
  c.compare("out", frames.narrow(2, frames.size(2) - 1, 1), Tolerance::plain);
}

// Pixels [1, 3, H, W] and noise [1, C, h, w] in; moments [1, 2C, h, w] and latents [1, C, h, w] out.
void check_vae_encode_case(const RecordedCase& c) {
  if (!c.model().vae_encoder) throw Error("the checkpoint has no VAE encoder");
  const VaeEncoder& encoder = *c.model().vae_encoder;
  const at::Tensor moments = encoder.moments(c.input("pixels"), c.probe(Tolerance::plain));
  c.compare("moments", moments, Tolerance::plain);
  c.compare("latents", encoder.sample(moments, c.input("noise")), Tolerance::plain);
}

// The kind of a case follows from a tensor that only this kind has.
void check_case(const RecordedCase& c, const std::string& leaf) {
  const bool is_image = c.has("init_latents");
  if (leaf == "init_latents") check_image_case(c);
  if (leaf == "input_ids" && !is_image) check_text_case(c);
  if (leaf == "positions_yx") check_rope_case(c);
  if (leaf == "t") check_embedder_case(c);
  if (leaf == "x") check_moe_case(c);
  if (leaf == "z") check_vae_decode_case(c);
  if (leaf == "pixels") check_vae_encode_case(c);
  if (leaf == "sigmas" && !is_image) check_schedule_case(c);
}

}  // namespace

void check_cases(CheckContext& context) {
  for (const auto& [name, entry] : context.comparison.recorded().entries()) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string prefix = name.substr(0, dot + 1);
    try {
      check_case({context, prefix}, name.substr(dot + 1));
    } catch (const c10::Error& error) {
      context.comparison.fail(prefix, error.what_without_backtrace());
    } catch (const std::exception& error) {
      context.comparison.fail(prefix, error.what());
    }
  }
}

}  // namespace hunyuan_generate
