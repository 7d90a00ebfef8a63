// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_DENOISER_HPP
#define HUNYUAN_GENERATE_DENOISER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <utility>  // move
#include <vector>   // vector

#include "adapter/adapter.hpp"
#include "model/backbone.hpp"
#include "model/model.hpp"

namespace hunyuan_generate {

inline void require_shape(const at::Tensor& tensor, c10::IntArrayRef shape, const char* what) {
  const std::string found = tensor.defined() ? shape_text(tensor.sizes()) : "no tensor";
  if (!tensor.defined() || tensor.sizes() != shape) {
    throw Error(std::string("image sequence: ") + what + " is " + found + ", expected " + shape_text(shape));
  }
}

inline void require_cover(const std::vector<AttentionSegment>& segments, std::int64_t queries, std::int64_t keys) {
  std::int64_t next = 0;
  bool good = true;
  for (const AttentionSegment& segment : segments) {
    good = good && segment.start == next && segment.count > 0 && segment.keys > 0 && segment.keys <= keys;
    next = segment.start + segment.count;
  }
  if (!good || next != queries) throw Error("image sequence: its attention segments do not cover its tokens");
}

/// The denoising loop of one sequence. All buffers are made by the constructor. `later_step` is the steady state: it
/// reads and writes tensors at fixed addresses, including the step counter and the table of times, and with a grouped
/// or every_expert path it never waits for the device, so that it can be captured in a CUDA graph and replayed.
///
/// Where processes share the rows (Parallel::guidance), each runs its own through the layers; latents and velocities
/// are those of all pictures on each of them, and equal.
class Denoiser {
 public:
  /// The rows of the sequence are `pictures` conditional ones, then as many unconditional ones or none. `conditioning`
  /// comes from conditioning_vectors. Throws Error when the sequence does not fit the model.
  Denoiser(const Model& model, ImageSequence sequence, std::vector<Overwrite> conditioning,
           const ScheduleTensors& schedule, double guidance_scale, const ComputeOptions& options,
           std::int64_t pictures = 1)
      : model_(&model),
        sequence_(std::move(sequence)),
        conditioning_(std::move(conditioning)),
        options_(options),
        guidance_scale_(guidance_scale),
        pictures_(pictures),
        all_rows_(sequence_.rows()),
        rows_(parallel().guidance.part(all_rows_, "rows of the batch")),
        first_row_(parallel().guidance.index * rows_),
        cache_(model.config, rows_, sequence_.length(), model.backbone.dtype(), model.backbone.layer_devices(),
               parallel()),
        known_(static_cast<std::size_t>(rows_)) {
    check_sequence();
    sequence_.ids = sequence_.ids.narrow(0, first_row_, rows_);
    if (sequence_.mask.defined() && sequence_.mask.size(0) > 1) {
      sequence_.mask = sequence_.mask.narrow(0, first_row_, rows_);
    }
    const at::Device device = model.backbone.device();
    const std::int64_t length = sequence_.length(), start = sequence_.scalars.start;
    const std::int64_t fed = sequence_.image.stop - start;
    first_ = {0, sequence_.rope, sequence_.mask, length, sequence_.first_segments};
    later_ = {start, sequence_.rope.narrow(start, fed), {}, length, sequence_.later_segments};
    if (sequence_.mask.defined()) later_.mask = sequence_.mask.narrow(2, start, fed);

    timesteps_ = schedule.timesteps().to(device);
    timesteps_r_ = schedule.timesteps_r().to(device);
    sigma_steps_ = schedule.sigma_steps().to(device);
    guidance_ =
        at::full({1}, require(hunyuan_reso::guidance_token_value(guidance_scale), "guidance"), timesteps_.options());
    step_ = at::zeros({1}, sequence_.ids.options());
    latents_ = at::zeros({pictures_, model.config.vae.latent_channels, sequence_.grid_height, sequence_.grid_width},
                         timesteps_.options());
  }

  /// Keys and values of a row's first `count` tokens are known: step 0 feeds the others only, whose attention is
  /// `segments` (see segments_from).
  void reuse(std::int64_t row, const KvCache& known, std::int64_t count, std::vector<AttentionSegment> segments) {
    if (count < 1 || count > sequence_.scalars.start) throw Error("a reused prefix must end before the image");
    require_cover(segments, sequence_.length() - count, sequence_.length());
    if (row < first_row_ || row >= first_row_ + rows_) return;  // another process's
    cache_.row(row - first_row_).take_prefix(known, count);
    known_[static_cast<std::size_t>(row - first_row_)] = {count, std::move(segments)};
  }

  /// Sets the latents to `noise` [pictures, C, h, w] and the step counter to 0, or to another step of the schedule.
  void start(const at::Tensor& noise, std::int64_t step = 0) {
    require_shape(noise, latents_.sizes(), "noise");
    if (step < 0 || step >= timesteps_.size(0)) throw Error("the schedule has no step " + std::to_string(step));
    latents_.copy_(noise);
    parallel().agree(latents_);
    step_.fill_(step);
  }

  /// Step 0: feeds the whole sequence and fills the cache. The probe of both steps gets, by the names of the recorded
  /// tensors, everything from position_ids to latents_out.
  void first_step(const Probe& probe = {}) { finish_step(whole_direction(whole_pass(), probe), probe); }
  /// One of the steps 1 .. steps - 1: feeds the scalar tokens and the image, overwriting their cache entries.
  void later_step(const Probe& probe = {}) { finish_step(later_direction(probe), probe); }

  /// For loops that own the latents, such as those over tiles: the velocity that the current step predicts for
  /// `latents` [pictures, C, h, w], after guidance, in float32. `whole`: the whole sequence is fed, which fills the
  /// cache; needed once before any call without it. Neither the latents nor the step counter move: next_step does that.
  [[nodiscard]] at::Tensor direction(const at::Tensor& latents, bool whole) {
    require_shape(latents, latents_.sizes(), "latents");
    latents_.copy_(latents);
    parallel().agree(latents_);
    return whole ? whole_direction(whole_pass(), {}) : later_direction({});
  }

  void next_step() { step_.add_(1); }

  /// Current latents [pictures, C, h, w], float32; the same tensor through all steps.
  [[nodiscard]] const at::Tensor& latents() const noexcept { return latents_; }
  [[nodiscard]] const Parallel& parallel() const noexcept { return model_->parallel(); }

 private:
  /// What a row has in the cache before step 0.
  struct KnownPrefix {
    std::int64_t count = 0;
    std::vector<AttentionSegment> segments;
  };
  void check_sequence() const {
    const std::int64_t length = sequence_.length(), width = model_->config.head_dim;
    const hunyuan_reso::Slice image = sequence_.image, scalars = sequence_.scalars;
    if (pictures_ < 1 || (all_rows_ != pictures_ && all_rows_ != 2 * pictures_)) {
      throw Error("image sequence: " + std::to_string(all_rows_) + " rows for " + std::to_string(pictures_) +
                  " pictures");
    }
    if (scalars.start < 0 || scalars.stop != image.start || image.stop > length ||
        image.length() != sequence_.grid_height * sequence_.grid_width) {
      throw Error("image sequence: its image does not lie where its grid and its scalar tokens say");
    }
    if (scalars.length() != model_->config.scalar_tokens()) {
      throw Error("image sequence: its scalar tokens are not those of the model");
    }
    if (options_.drop_tokens && rows_ != all_rows_) {
      throw Error("rows cannot be shared by processes where experts drop tokens: which ones depends on all rows");
    }
    require_cover(sequence_.first_segments, length, length);
    require_cover(sequence_.later_segments, image.stop - scalars.start, length);
    require_shape(sequence_.rope.cos, {1, length, width}, "rope.cos");
    require_shape(sequence_.rope.sin, {1, length, width}, "rope.sin");
    const at::Tensor& ids = sequence_.ids;
    const std::int64_t vocabulary = model_->config.vocab_size;
    if (ids.scalar_type() != at::kLong || ids.lt(0).logical_or(ids.ge(vocabulary)).any().item<bool>()) {
      throw Error("image sequence: its ids are not integers in [0, " + std::to_string(vocabulary) + ")");
    }
  }

  // Vectors of the scalar tokens, [1, scalar tokens, H], in the order of the sequence.
  [[nodiscard]] at::Tensor scalar_vectors(const Probe& probe) const {
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

  // Vectors of the image tokens, [1 or rows, h w, H]. The two guidance rows of a picture start from the same latents.
  [[nodiscard]] at::Tensor image_vectors(const Probe& probe) const {
    const at::Tensor embedding = model_->time_embed(time());
    observe(probe, "time_embed", embedding.expand({rows_, -1}));
    const at::Tensor vectors = model_->patch_embed(latents_, embedding);
    return pictures_ == 1 ? vectors : vectors.repeat({all_rows_ / pictures_, 1, 1}).narrow(0, first_row_, rows_);
  }

  [[nodiscard]] at::Tensor time() const { return timesteps_.index_select(0, step_); }
  // Last hidden states of the image tokens of a step that feeds everything, [rows, h w, H].
  [[nodiscard]] at::Tensor first_hidden(const at::Tensor& vectors, const Pass& whole, const Probe& probe) {
    const auto image = [&](const at::Tensor& hidden, std::int64_t skipped) {
      return hidden.narrow(1, sequence_.image.start - skipped, sequence_.image.length());
    };
    bool known = false;
    for (const KnownPrefix& prefix : known_) known = known || prefix.count > 0;
    if (!known) return image(model_->backbone.forward(vectors, whole, cache_, options_, probe), 0);
    std::vector<at::Tensor> rows;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const KnownPrefix& prefix = known_[static_cast<std::size_t>(row)];
      const std::int64_t left = sequence_.length() - prefix.count;
      const Pass pass{prefix.count,
                      sequence_.rope.narrow(prefix.count, left),
                      {},
                      sequence_.length(),
                      prefix.count > 0 ? prefix.segments : sequence_.first_segments};
      KvCache cache = cache_.row(row);
      const at::Tensor fed = vectors.narrow(0, row, 1).narrow(1, prefix.count, left);
      rows.push_back(image(model_->backbone.forward(fed, pass, cache, options_, {}), prefix.count));
    }
    return at::cat(rows);
  }

  [[nodiscard]] at::Tensor whole_direction(const Pass& pass, const Probe& probe) {
    observe_pass(pass, probe);
    at::Tensor vectors = model_->backbone.embed(sequence_.ids);
    for (const Overwrite& replacement : conditioning_) overwrite(vectors, replacement);
    overwrite(vectors, {sequence_.scalars.start, scalar_vectors(probe)});
    overwrite(vectors, {sequence_.image.start, image_vectors(probe)});
    observe(probe, "inputs_embeds", vectors);
    return direction_of(first_hidden(vectors, pass, probe), probe);
  }

  [[nodiscard]] at::Tensor later_direction(const Probe& probe) {
    if (sequence_.step_frequencies.defined()) return whole_direction(whole_pass(), probe);
    observe_pass(later_, probe);
    const at::Tensor image = image_vectors(probe);
    const at::Tensor fed = at::cat({scalar_vectors(probe).expand({image.size(0), -1, -1}), image}, 1);
    const at::Tensor vectors = fed.expand({rows_, -1, -1});
    observe(probe, "inputs_embeds", vectors);
    const at::Tensor hidden = model_->backbone.forward(vectors, later_, cache_, options_, probe);
    return direction_of(hidden.narrow(1, sequence_.scalars.length(), sequence_.image.length()), probe);
  }

  // From the image tokens' last hidden states, not normalised, to the guided velocity.
  [[nodiscard]] at::Tensor direction_of(const at::Tensor& tokens, const Probe& probe) const {
    const at::Tensor embedding = model_->time_embed_2(time());
    observe(probe, "time_embed_2", embedding.expand({rows_, -1}));
    const at::Tensor velocity = parallel().all_rows(
        model_->final_layer(tokens, embedding, sequence_.grid_height, sequence_.grid_width).to(at::kFloat));
    observe(probe, "velocity", velocity);
    if (all_rows_ != 2 * pictures_) return velocity;
    const at::Tensor uncond = velocity.narrow(0, pictures_, pictures_);
    const at::Tensor guided = uncond + guidance_scale_ * (velocity.narrow(0, 0, pictures_) - uncond);
    observe(probe, "guided", guided);
    return guided;
  }

  // What a pass over the whole sequence needs; its angles may depend on the step.
  [[nodiscard]] Pass whole_pass() const {
    if (!sequence_.step_frequencies.defined()) return first_;
    Pass pass = first_;
    pass.rope = rotary_table(sequence_.step_frequencies.index_select(0, step_), sequence_.positions);
    return pass;
  }

  void observe_pass(const Pass& pass, const Probe& probe) const {
    if (!probe) return;
    const std::int64_t stop = pass.start + pass.rope.cos.size(1);
    probe("position_ids", at::arange(pass.start, stop, at::kLong).unsqueeze(0).expand({rows_, -1}));
    observe(probe, "attention_mask", pass.mask);
    observe(probe, "rope_cos", pass.rope.cos);
    observe(probe, "rope_sin", pass.rope.sin);
  }

  // To the latents of the next step.
  void finish_step(const at::Tensor& direction, const Probe& probe) {
    latents_.add_(direction * sigma_steps_.index_select(0, step_));
    parallel().agree(latents_);  // equal anyway on equal devices; a difference would send tokens to different experts
    observe(probe, "latents_out", latents_);
    step_.add_(1);
  }

  const Model* model_;
  ImageSequence sequence_;
  std::vector<Overwrite> conditioning_;
  ComputeOptions options_;
  double guidance_scale_;
  std::int64_t pictures_, all_rows_;
  std::int64_t rows_, first_row_;  // of this process
  KvCache cache_;
  Pass first_, later_;
  std::vector<KnownPrefix> known_;                    // of each row
  at::Tensor timesteps_, timesteps_r_, sigma_steps_;  // [steps], float32
  at::Tensor guidance_;                               // [1], float32
  at::Tensor step_;                                   // [1], int64: the step counter
  at::Tensor latents_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_DENOISER_HPP
