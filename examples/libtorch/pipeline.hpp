// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_PIPELINE_HPP
#define HUNYUAN_GENERATE_PIPELINE_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>  // uint64_t
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <memory>  // unique_ptr

#include "graph.hpp"
#include "request.hpp"
#include "text_stage.hpp"

namespace hunyuan_generate {

/// Where and how a model runs.
struct RunOptions {
  LoadOptions load;
  bool graph = true;  ///< on a GPU, where the expert path allows it
};

/// A checkpoint with all that a request needs. Nothing in here but the networks is large.
class Pipeline {
 public:
  /// Loads the networks; `checkpoint` must have the tensors of `config` and, besides those of conditioning images, no
  /// others. Throws Error naming the tensor.
  Pipeline(const Checkpoint& checkpoint, const ModelConfig& config, Vocabulary vocabulary,
           hunyuan_reso::ModelProfile profile, const TextEncoder& encoder, const RunOptions& options);

  /// The text stage of a plan, if it needs one.
  [[nodiscard]] TextResult text_stage(const Request& request, const hunyuan_reso::GenerationPlan& plan,
                                      const Sampling& sampling, std::uint64_t seed,
                                      const std::function<void(std::int64_t)>& report) const;
  /// The loop of a plan over a sequence: buffers are made here, none later.
  [[nodiscard]] std::unique_ptr<Denoiser> denoiser(const Request& request, const TextResult& found,
                                                   const hunyuan_reso::GenerationPlan& plan,
                                                   const ComputeOptions& compute) const;
  /// Initial latents: normal numbers rounded to bfloat16, the same on every device.
  [[nodiscard]] at::Tensor noise(const hunyuan_reso::GenerationPlan& plan, std::uint64_t seed) const;
  /// Latents to pixels, uint8 [height, width, 3] on the CPU.
  [[nodiscard]] at::Tensor decode(const at::Tensor& latents) const;
  /// Text stage done, the rest: noise to pixels.
  [[nodiscard]] at::Tensor image_stage(const Request& request, const TextResult& found,
                                       const hunyuan_reso::GenerationPlan& plan, std::uint64_t seed,
                                       const StepReport& report, LoopTimes* times = nullptr) const;

  [[nodiscard]] const Model& model() const noexcept { return model_; }
  [[nodiscard]] const ComputeOptions& compute() const noexcept { return compute_; }
  /// Whether the loop can be a graph with these options.
  [[nodiscard]] bool can_capture(const ComputeOptions& compute) const;

 private:
  Vocabulary vocabulary_;
  hunyuan_reso::ModelProfile profile_;
  const TextEncoder* encoder_;
  RunOptions options_;
  Model model_;
  ComputeOptions compute_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_PIPELINE_HPP
