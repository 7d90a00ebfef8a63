// SPDX-License-Identifier: MIT
#include "denoiser.hpp"

#include <utility>  // move

#include "error.hpp"

namespace hunyuan_generate {
namespace {

void require_shape(const at::Tensor& tensor, c10::IntArrayRef shape, const char* what) {
  const std::string found = tensor.defined() ? shape_text(tensor.sizes()) : "no tensor";
  if (!tensor.defined() || tensor.sizes() != shape) {
    throw Error(std::string("image sequence: ") + what + " is " + found + ", expected " + shape_text(shape));
  }
}

void require_range(const at::Tensor& values, std::int64_t limit, const char* what) {
  const bool good = values.scalar_type() == at::kLong && values.ge(0).logical_and(values.lt(limit)).all().item<bool>();
  if (!good)
    throw Error(std::string("image sequence: ") + what + " are not integers in [0, " + std::to_string(limit) + ")");
}

Pass pass_at(const ImageSequence& sequence, const at::Tensor& positions) {
  const std::int64_t length = sequence.input_ids.size(1);
  at::Tensor mask;
  if (sequence.attention_mask.defined()) {
    const at::Tensor rows = positions.unsqueeze(1).unsqueeze(-1).expand({-1, -1, -1, length});
    mask = sequence.attention_mask.gather(2, rows);
  }
  return {positions, sequence.rope.select(positions), mask, length, sequence.later_segments};
}

void require_cover(const std::vector<AttentionSegment>& segments, std::int64_t queries, std::int64_t keys) {
  std::int64_t next = 0;
  bool good = true;
  for (const AttentionSegment& segment : segments) {
    good = good && segment.start == next && segment.count > 0 && segment.keys > 0 && segment.keys <= keys;
    next = segment.start + segment.count;
  }
  if (!good || next != queries) throw Error("image sequence: its attention segments do not cover its tokens");
}

}  // namespace

Denoiser::Denoiser(const Model& model, ImageSequence sequence, std::vector<Overwrite> conditioning,
                   const FlowMatchSchedule& schedule, double guidance_scale, const ComputeOptions& options)
    : model_(&model),
      sequence_(std::move(sequence)),
      conditioning_(std::move(conditioning)),
      options_(options),
      guidance_scale_(guidance_scale),
      rows_(sequence_.input_ids.size(0)),
      cache_(model.config, rows_, sequence_.input_ids.size(1), model.backbone.dtype(), model.backbone.layer_devices()) {
  check_sequence();
  const at::Device device = model.backbone.device();
  std::vector<at::Tensor> scalars{sequence_.timestep_position};
  if (model.guidance_emb) scalars.push_back(sequence_.guidance_position);
  if (model.timestep_r_emb) scalars.push_back(sequence_.timestep_r_position);
  scalar_positions_ = at::cat(scalars, 1);

  const auto index_options = sequence_.input_ids.options();
  const at::Tensor all = at::arange(sequence_.input_ids.size(1), index_options).unsqueeze(0).expand({rows_, -1});
  first_ = {
      all, {sequence_.rope.cos, sequence_.rope.sin}, sequence_.attention_mask, all.size(1), sequence_.first_segments};
  later_ = pass_at(sequence_, at::cat({scalar_positions_, sequence_.image_positions}, 1));

  timesteps_ = schedule.timesteps().to(device);
  timesteps_r_ = schedule.timesteps_r().to(device);
  sigma_steps_ = schedule.sigma_steps().to(device);
  guidance_ = at::full({1}, guidance_token_value(guidance_scale), timesteps_.options());
  step_ = at::zeros({1}, index_options);
  latents_ = at::zeros({1, model.config.vae.latent_channels, sequence_.grid_height, sequence_.grid_width},
                       timesteps_.options());
}

void Denoiser::check_sequence() const {
  const std::int64_t length = sequence_.input_ids.size(1), width = model_->config.head_dim;
  const std::int64_t tokens = sequence_.grid_height * sequence_.grid_width;
  if (rows_ > 2) throw Error("image sequence: at most two rows are supported");
  const bool segments = !sequence_.first_segments.empty() && !sequence_.later_segments.empty();
  if (!segments || sequence_.attention_mask.defined()) {
    require_shape(sequence_.attention_mask, {rows_, 1, length, length}, "attention_mask");
  }
  if (!sequence_.first_segments.empty()) require_cover(sequence_.first_segments, length, length);
  if (!sequence_.later_segments.empty()) {
    require_cover(sequence_.later_segments, tokens + model_->config.scalar_tokens(), length);
  }
  require_shape(sequence_.image_positions, {rows_, tokens}, "image_positions");
  require_shape(sequence_.timestep_position, {rows_, 1}, "timestep_position");
  require_shape(sequence_.rope.cos, {sequence_.rope.cos.size(0), length, width}, "rope.cos");
  require_shape(sequence_.rope.sin, sequence_.rope.cos.sizes(), "rope.sin");
  require_range(sequence_.input_ids, model_->config.vocab_size, "input_ids");
  require_range(sequence_.image_positions, length, "image_positions");
  require_range(sequence_.timestep_position, length, "timestep_position");
  const std::pair<bool, const at::Tensor*> optional_tokens[] = {
      {model_->guidance_emb.has_value(), &sequence_.guidance_position},
      {model_->timestep_r_emb.has_value(), &sequence_.timestep_r_position}};
  for (const auto& [needed, position] : optional_tokens) {
    if (needed != position->defined()) throw Error("image sequence: its scalar tokens are not those of the model");
    if (!needed) continue;
    require_shape(*position, {rows_, 1}, "position of a scalar token");
    require_range(*position, length, "position of a scalar token");
  }
}

void Denoiser::start(const at::Tensor& noise) {
  require_shape(noise, latents_.sizes(), "noise");
  latents_.copy_(noise);
  step_.zero_();
}

at::Tensor Denoiser::time() const { return timesteps_.index_select(0, step_); }

// Vectors of the scalar tokens, [1, scalar tokens, H], in the order of the sequence.
at::Tensor Denoiser::scalar_vectors(const Probe& probe) const {
  const auto row = [&](const at::Tensor& x) { return x.expand({rows_, -1}); };
  const at::Tensor t = time();
  observe(probe, "timesteps", t.expand({rows_}));
  std::vector<at::Tensor> vectors{model_->timestep_emb(t)};
  observe(probe, "timestep_emb", row(vectors.back()));
  if (model_->guidance_emb) {
    observe(probe, "guidance_bf16", guidance_.to(at::kBFloat16));
    observe(probe, "guidance_value", guidance_);
    vectors.push_back((*model_->guidance_emb)(guidance_));
    observe(probe, "guidance_emb", row(vectors.back()));
  }
  if (model_->timestep_r_emb) {
    const at::Tensor r = timesteps_r_.index_select(0, step_);
    observe(probe, "timesteps_r", r.expand({rows_}));
    vectors.push_back((*model_->timestep_r_emb)(r));
    observe(probe, "timestep_r_emb", row(vectors.back()));
  }
  return at::cat(vectors).unsqueeze(0);
}

// Vectors of the image tokens, [1, h w, H]. All rows start from the same latents.
at::Tensor Denoiser::image_vectors(const Probe& probe) const {
  const at::Tensor embedding = model_->time_embed(time());
  observe(probe, "time_embed", embedding.expand({rows_, -1}));
  return model_->patch_embed(latents_, embedding);
}

void Denoiser::observe_pass(const Pass& pass, const Probe& probe) const {
  observe(probe, "position_ids", pass.positions);
  if (pass.mask.defined()) observe(probe, "attention_mask", pass.mask);
  observe(probe, "rope_cos", pass.rope.cos);
  observe(probe, "rope_sin", pass.rope.sin);
}

void Denoiser::first_step(const Probe& probe) {
  observe_pass(first_, probe);
  at::Tensor vectors = model_->backbone.embed(sequence_.input_ids);
  for (const Overwrite& replacement : conditioning_) overwrite(vectors, replacement);
  overwrite(vectors, {scalar_positions_, scalar_vectors(probe)});
  overwrite(vectors, {sequence_.image_positions, image_vectors(probe)});
  observe(probe, "inputs_embeds", vectors);
  const at::Tensor hidden = model_->backbone.forward(vectors, first_, cache_, options_, probe);
  const at::Tensor index = sequence_.image_positions.unsqueeze(-1).expand({-1, -1, hidden.size(-1)});
  finish_step(hidden.gather(1, index), probe);
}

void Denoiser::later_step(const Probe& probe) {
  observe_pass(later_, probe);
  const at::Tensor fed = at::cat({scalar_vectors(probe), image_vectors(probe)}, 1);
  const at::Tensor vectors = fed.expand({rows_, -1, -1});
  observe(probe, "inputs_embeds", vectors);
  const at::Tensor hidden = model_->backbone.forward(vectors, later_, cache_, options_, probe);
  finish_step(hidden.narrow(1, scalar_positions_.size(1), sequence_.image_positions.size(1)), probe);
}

// From the image tokens' last hidden states, not normalised, to the latents of the next step.
void Denoiser::finish_step(const at::Tensor& tokens, const Probe& probe) {
  const at::Tensor embedding = model_->time_embed_2(time());
  observe(probe, "time_embed_2", embedding.expand({rows_, -1}));
  const at::Tensor velocity =
      model_->final_layer(tokens, embedding, sequence_.grid_height, sequence_.grid_width).to(at::kFloat);
  observe(probe, "velocity", velocity);
  at::Tensor direction = velocity;
  if (rows_ == 2) {
    direction = guide(velocity.narrow(0, 0, 1), velocity.narrow(0, 1, 1), guidance_scale_);
    observe(probe, "guided", direction);
  }
  latents_.copy_(euler_step(latents_, direction, sigma_steps_.index_select(0, step_)));
  observe(probe, "latents_out", latents_);
  step_.add_(1);
}

}  // namespace hunyuan_generate
