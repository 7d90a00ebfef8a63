// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_DENOISER_HPP
#define HUNYUAN_GENERATE_DENOISER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "adapter/adapter.hpp"
#include "model/backbone.hpp"
#include "model/model.hpp"

namespace hunyuan_generate {

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
           std::int64_t pictures = 1);

  /// Keys and values of a row's first `count` tokens are known: step 0 feeds the others only, whose attention is
  /// `segments` (see segments_from).
  void reuse(std::int64_t row, const KvCache& known, std::int64_t count, std::vector<AttentionSegment> segments);

  /// Sets the latents to `noise` [pictures, C, h, w] and the step counter to 0, or to another step of the schedule.
  void start(const at::Tensor& noise, std::int64_t step = 0);
  /// Step 0: feeds the whole sequence and fills the cache. The probe of both steps gets, by the names of the recorded
  /// tensors, everything from position_ids to latents_out.
  void first_step(const Probe& probe = {});
  /// One of the steps 1 .. steps - 1: feeds the scalar tokens and the image, overwriting their cache entries.
  void later_step(const Probe& probe = {});

  /// For loops that own the latents, such as those over tiles: the velocity that the current step predicts for
  /// `latents` [pictures, C, h, w], after guidance, in float32. `whole`: the whole sequence is fed, which fills the
  /// cache; needed once before any call without it. Neither the latents nor the step counter move: next_step does that.
  [[nodiscard]] at::Tensor direction(const at::Tensor& latents, bool whole);
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
  void check_sequence() const;
  [[nodiscard]] at::Tensor scalar_vectors(const Probe& probe) const;
  [[nodiscard]] at::Tensor image_vectors(const Probe& probe) const;
  [[nodiscard]] at::Tensor time() const;
  [[nodiscard]] at::Tensor first_hidden(const at::Tensor& vectors, const Pass& pass, const Probe& probe);
  [[nodiscard]] at::Tensor whole_direction(const Pass& pass, const Probe& probe);
  [[nodiscard]] at::Tensor later_direction(const Probe& probe);
  [[nodiscard]] at::Tensor direction_of(const at::Tensor& tokens, const Probe& probe) const;
  [[nodiscard]] Pass whole_pass() const;
  void observe_pass(const Pass& pass, const Probe& probe) const;
  void finish_step(const at::Tensor& direction, const Probe& probe);

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
