// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_DENOISER_HPP
#define HUNYUAN_GENERATE_DENOISER_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // int64_t
#include <vector>   // vector

#include "backbone.hpp"
#include "flow_match.hpp"
#include "model.hpp"
#include "rope.hpp"

namespace hunyuan_generate {

/// A token sequence with one image to generate. B = 2 rows (conditional, unconditional) for two-row guidance, else 1.
/// All tensors on the model's device.
struct ImageSequence {
  at::Tensor input_ids;                          ///< int64 [B, S]
  at::Tensor attention_mask;                     ///< bool [B, 1, S, S], true = may attend; not needed with segments
  RotaryTable rope;                              ///< [1 or B, S, D]
  at::Tensor image_positions;                    ///< int64 [B, grid_height * grid_width], row by row of the token grid
  at::Tensor timestep_position;                  ///< int64 [B, 1]
  at::Tensor guidance_position;                  ///< int64 [B, 1]; undefined unless the model is distilled
  at::Tensor timestep_r_position;                ///< int64 [B, 1]; undefined unless the model uses meanflow
  std::int64_t grid_height = 0, grid_width = 0;  ///< tokens, which are also the size of the latents
  /// The mask as segments of the whole sequence and of the tokens fed by later steps; the same for all rows. Empty:
  /// the mask is used.
  std::vector<AttentionSegment> first_segments, later_segments;
};

/// The denoising loop of one sequence. All buffers are made by the constructor. `later_step` is the steady state: it
/// reads and writes tensors at fixed addresses, including the step counter and the table of times, and with a grouped
/// or every_expert path it never waits for the device, so that it can be captured in a CUDA graph and replayed.
class Denoiser {
 public:
  /// `conditioning` comes from conditioning_vectors. Throws Error when the sequence does not fit the model: wrong
  /// shapes, positions outside the sequence, a missing or superfluous scalar token.
  Denoiser(const Model& model, ImageSequence sequence, std::vector<Overwrite> conditioning,
           const FlowMatchSchedule& schedule, double guidance_scale, const ComputeOptions& options);

  /// Sets the latents to `noise` [1, C, h, w] and the step counter to 0.
  void start(const at::Tensor& noise);
  /// Step 0: feeds the whole sequence and fills the cache. The probe of both steps gets, by the names of the recorded
  /// tensors, everything from position_ids to latents_out.
  void first_step(const Probe& probe = {});
  /// One of the steps 1 .. steps - 1: feeds the scalar tokens and the image, overwriting their cache entries.
  void later_step(const Probe& probe = {});

  /// Current latents [1, C, h, w], float32; the same tensor through all steps.
  [[nodiscard]] const at::Tensor& latents() const noexcept { return latents_; }

 private:
  void check_sequence() const;
  [[nodiscard]] at::Tensor scalar_vectors(const Probe& probe) const;
  [[nodiscard]] at::Tensor image_vectors(const Probe& probe) const;
  [[nodiscard]] at::Tensor time() const;
  void observe_pass(const Pass& pass, const Probe& probe) const;
  void finish_step(const at::Tensor& tokens, const Probe& probe);

  const Model* model_;
  ImageSequence sequence_;
  std::vector<Overwrite> conditioning_;
  ComputeOptions options_;
  double guidance_scale_;
  std::int64_t rows_;
  KvCache cache_;
  Pass first_, later_;
  at::Tensor scalar_positions_;                       // [B, scalar tokens]
  at::Tensor timesteps_, timesteps_r_, sigma_steps_;  // [steps], float32
  at::Tensor guidance_;                               // [1], float32
  at::Tensor step_;                                   // [1], int64: the step counter
  at::Tensor latents_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_DENOISER_HPP
