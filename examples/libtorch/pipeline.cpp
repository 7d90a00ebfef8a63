// SPDX-License-Identifier: MIT
#include "pipeline.hpp"

#include <ATen/CPUGeneratorImpl.h>  // CPUGeneratorImpl

#include <utility>  // move

#include "adapter.hpp"

namespace hunyuan_generate {
namespace {

at::Generator seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

LoadOptions without_conditioning(LoadOptions load) {
  load.conditioning = false;
  return load;
}

void refuse_extra(const Checkpoint& checkpoint) {
  for (const std::string& name : checkpoint.unused()) {
    bool known = false;
    for (const char* prefix : {"vision_model.", "vision_aligner.", "vae.encoder."}) {
      known = known || name.rfind(prefix, 0) == 0;
    }
    if (!known) throw Error("tensor '" + name + "' is in the checkpoint, but the configuration has no use for it");
  }
}

}  // namespace

Pipeline::Pipeline(const Checkpoint& checkpoint, const ModelConfig& config, Vocabulary vocabulary,
                   hunyuan_reso::ModelProfile profile, const TextEncoder& encoder, const RunOptions& options)
    : vocabulary_(std::move(vocabulary)),
      profile_(profile),
      encoder_(&encoder),
      options_(options),
      model_(checkpoint, config, without_conditioning(options.load)) {
  refuse_extra(checkpoint);
  compute_.experts = best_experts(config, options.load.device, options.load.dtype);
  for (const at::Device device : model_.backbone.layer_devices()) {
    if (best_experts(config, device, options.load.dtype) == ExpertPath::sorted) compute_.experts = ExpertPath::sorted;
  }
}

TextResult Pipeline::text_stage(const Request& request, const hunyuan_reso::GenerationPlan& plan,
                                const Sampling& sampling, std::uint64_t seed,
                                const std::function<void(std::int64_t)>& report) const {
  if (!plan.text_stage.needed) return {};
  const hunyuan_reso::TokenBatch prompt = text_batch(request, plan, profile_, vocabulary_, *encoder_);
  return run_text_stage(model_, prompt, plan, profile_, vocabulary_, *encoder_, sampling, seeded(seed), compute_,
                        report);
}

std::unique_ptr<Denoiser> Pipeline::denoiser(const Request& request, const TextResult& found,
                                             const hunyuan_reso::GenerationPlan& plan,
                                             const ComputeOptions& compute) const {
  const hunyuan_reso::TokenBatch batch = image_batch(request, found, plan, profile_, vocabulary_, *encoder_);
  ImageSequence sequence = image_sequence_of(batch, profile_, model_.config, vocabulary_, model_.backbone.device());
  return std::make_unique<Denoiser>(model_, std::move(sequence), std::vector<Overwrite>(),
                                    flow_match_schedule(plan.steps, plan.flow_shift), plan.guidance, compute);
}

at::Tensor Pipeline::noise(const hunyuan_reso::GenerationPlan& plan, std::uint64_t seed) const {
  return at::randn(latent_shape(plan), seeded(seed), at::TensorOptions().dtype(at::kFloat))
      .to(at::kBFloat16)
      .to(model_.backbone.device(), at::kFloat);
}

at::Tensor Pipeline::decode(const at::Tensor& latents) const {
  if (!model_.vae_decoder) throw Error("the checkpoint has no VAE decoder");
  return to_pixels(model_.vae_decoder->decode(latents)).select(0, 0).to(at::kCPU);
}

bool Pipeline::can_capture(const ComputeOptions& compute) const {
  bool one_device = model_.backbone.device().is_cuda();
  for (const at::Device device : model_.backbone.layer_devices()) {
    one_device = one_device && device == model_.backbone.device();
  }
  return one_device && compute.experts != ExpertPath::sorted;
}

at::Tensor Pipeline::image_stage(const Request& request, const TextResult& found,
                                 const hunyuan_reso::GenerationPlan& plan, std::uint64_t seed, const StepReport& report,
                                 LoopTimes* times) const {
  const auto loop = denoiser(request, found, plan, compute_);
  const bool graph = options_.graph && can_capture(compute_);
  const LoopTimes measured = run_loop(*loop, noise(plan, seed), plan.steps, model_.backbone.device(), graph, report);
  if (times != nullptr) *times = measured;
  return decode(loop->latents());
}

}  // namespace hunyuan_generate
