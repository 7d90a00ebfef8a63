// SPDX-License-Identifier: MIT
// The whole idea on two screens: a prompt's ids in, plan, sequence, tensors, a loop over any callable, a PNG file out.
// What an engine of your own needs from this folder is adapter/; the model at the end stands in for your networks.
//   hunyuan-generate-minimal DIR OUT.png          DIR: config.json, special_tokens.json and weights of a small model
#include <c10/core/InferenceMode.h>  // InferenceMode

#include <cstdio>  // printf

#include "adapter/adapter.hpp"

// For the stand-in and the file only.
#include "model/denoiser.hpp"
#include "pipeline/folder.hpp"
#include "pipeline/picture.hpp"

namespace {

namespace hr = hunyuan_reso;
using hunyuan_generate::ImageSequence;
using hunyuan_generate::require;
using hunyuan_generate::ScheduleTensors;

/// Latents [1, C, h, w] before a step, the sequence and the number of the step: to the guided velocity.
/// At step 0 it feeds sequence.ids with sequence.first_segments and keeps all keys and values; later it feeds only the
/// positions sequence.scalars and sequence.image, with sequence.later_segments.
using Velocity = std::function<at::Tensor(const at::Tensor& latents, const ImageSequence& sequence, std::int32_t step)>;

/// The loop does not know what computes the velocity.
at::Tensor denoise(at::Tensor latents, const ImageSequence& sequence, const ScheduleTensors& schedule,
                   const Velocity& velocity) {
  const at::Tensor factors = schedule.sigma_steps();
  for (std::int32_t step = 0; step < schedule.steps; ++step) {
    latents = latents + velocity(latents, sequence, step) * factors[step];
  }
  return latents;
}

/// A request as the library takes it, with the prompt's ids in place of a tokenizer.
struct Sequence {
  hr::GenerationPlan plan;
  ImageSequence tensors;
};
Sequence make_sequence(const hr::Model& model, const std::vector<hr::TokenId>& prompt_ids, const char* size) {
  hr::GenerationRequest request;
  request.prompt = "prompt";
  request.image_size = size;
  request.bot_task = hr::BotTask::image;
  request.steps = 4;
  request.precision = hr::Precision::fp32;
  // The encoder: this prompt has known ids. An engine calls its tokenizer here, for the template's texts too.
  const auto encode = hr::with_special_tokens(model.profile, [&](std::string_view text) {
    return text == request.prompt ? prompt_ids : std::vector<hr::TokenId>(text.size(), prompt_ids.front());
  });
  Sequence result;
  result.plan = require(hr::plan_generation(model, request, encode), "plan");
  if (!result.plan.feasible()) throw hunyuan_generate::Error("the plan says that this cannot be run");
  // One row, or two for guidance: the plan has decided that.
  const auto rows = require(hr::image_rows(model, request, result.plan, result.plan.image, {}, encode), "sequence");
  result.tensors = hunyuan_generate::image_sequence(model.profile, rows, at::kCPU);
  return result;
}

/// The stand-in: a recorded model whose own loop is driven one step at a time.
class StandIn {
 public:
  StandIn(const hunyuan_generate::Folder& folder, const Sequence& sequence, const ScheduleTensors& schedule)
      : model_(hunyuan_generate::Checkpoint(folder.path), folder.config, {}),
        loop_(model_, sequence.tensors, {}, schedule, sequence.plan.guidance, {}) {}

  at::Tensor operator()(const at::Tensor& latents, std::int32_t step) {
    at::Tensor velocity;
    const hunyuan_generate::Probe probe = [&](const std::string& name, const at::Tensor& value) {
      // The rows' velocities come first; where there are two, what guidance makes of them replaces those.
      if (name == "velocity" || name == "guided") velocity = value.clone();
    };
    if (step == 0) loop_.start(latents);
    step == 0 ? loop_.first_step(probe) : loop_.later_step(probe);
    return velocity;
  }
  at::Tensor pixels(const at::Tensor& latents) const {
    return hunyuan_generate::to_pixels(model_.vae_decoder->decode(latents)).select(0, 0);
  }

 private:
  hunyuan_generate::Model model_;
  hunyuan_generate::Denoiser loop_;
};

void run(const char* directory, const char* out) {
  const c10::InferenceMode inference;
  const hunyuan_generate::Folder folder = hunyuan_generate::read_folder(directory);
  const hr::Model model = require(hr::Model::create(folder.profile), "model");

  const hr::TokenId first_text_id = folder.profile.special_tokens_end;
  const Sequence sequence = make_sequence(model, {first_text_id + 1, first_text_id + 2, first_text_id + 3}, "1:1");
  std::printf("%dx%d pixels, %d rows of %d tokens, the image at %d .. %d\n", sequence.plan.image.image_height,
              sequence.plan.image.image_width, sequence.plan.cfg_rows, sequence.plan.sequence_length,
              sequence.tensors.image.start, sequence.tensors.image.stop - 1);
  if (sequence.tensors.length() != sequence.plan.sequence_length) {
    throw hunyuan_generate::Error("plan and sequence do not agree");
  }

  const ScheduleTensors schedule = hunyuan_generate::schedule_tensors(sequence.plan.steps, sequence.plan.flow_shift);
  StandIn networks(folder, sequence, schedule);
  const at::Tensor noise = at::randn(hunyuan_generate::latent_shape(sequence.plan), at::kBFloat16).to(at::kFloat);
  const at::Tensor latents =
      denoise(noise, sequence.tensors, schedule,
              [&](const at::Tensor& x, const ImageSequence&, std::int32_t step) { return networks(x, step); });
  hunyuan_generate::write_picture(out, networks.pixels(latents));
  std::printf("%s written\n", out);
}

}  // namespace

int main(int count, char** values) {
  if (count != 3) {
    std::fprintf(stderr, "usage: hunyuan-generate-minimal DIR OUT.png\n");
    return 2;
  }
  try {
    run(values[1], values[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-minimal: %s\n", error.what());
    return 1;
  }
}
