// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_GENERATOR_HPP
#define HUNYUAN_GENERATE_GENERATOR_HPP

#include <ATen/ATen.h>  // Tensor

#include <cstdint>     // uint64_t
#include <functional>  // function
#include <memory>      // unique_ptr
#include <optional>    // optional
#include <vector>      // vector

#include "pipeline/graph.hpp"
#include "pipeline/request.hpp"
#include "pipeline/text_stage.hpp"

namespace hunyuan_generate {

/// Where and how a model runs.
struct RunOptions {
  LoadOptions load;
  bool graph = true;  ///< on a GPU, where the expert path allows it
};

struct Outcome;

/// Who hears of a request's way; every function may be empty.
struct Listener {
  std::function<void(const PlannedRequest&)> planned;  ///< after each planning, the one before the text stage included
  TextReport text;
  StepReport step;
  std::function<void(std::int64_t index)> decoding;  ///< before the VAE decodes a picture of a loop
  /// Each picture as soon as it is there: the last of `so_far`.
  std::function<void(const Outcome& so_far)> picture;
  /// Everything that a recording can hold, by its name there: text.prompt_ids, image.input_ids, image.stepK.latents ..
  Probe tensors;
  /// Noise in place of what would be drawn, by name (image.init_noise, image.condQ.noise); undefined: drawn. For
  /// comparisons with recordings of another library.
  std::function<at::Tensor(const std::string& name)> noise;
};

/// What a request gave.
struct Outcome {
  std::vector<at::Tensor> pictures;  ///< uint8 [height, width, 3], in order of the seeds
  std::vector<std::uint64_t> seeds;  ///< of each
  TextResult text;
  hunyuan_reso::GenerationPlan plan;  ///< as it was run
  std::int64_t reused_tokens = 0;     ///< of the conditional row, from the text stage's cache
  std::int32_t batch = 0;             ///< pictures that shared a loop
  LoopTimes times;                    ///< of the last loop
  /// Of a request with a target: its plan, the device's rates as measured on the way (of the last step at the trained
  /// size, and of the image coder), and the seconds that the plan says at these rates.
  std::optional<hunyuan_reso::EnlargementPlan> enlargement;
  Rates rates;
  double planned_seconds = 0;
  double text_seconds = 0, encode_seconds = 0, loop_seconds = 0, decode_seconds = 0;
};

/// Tells whether all tensors of a checkpoint are there in the right shapes, without reading them; throws Error.
void check_tensors(const Checkpoint& checkpoint, const ModelConfig& config);

/// A checkpoint that stays loaded and takes request after request. A request that fails leaves it as it was.
class Generator {
 public:
  /// Loads the networks. `folder` and `encoder` must outlive it.
  Generator(const Folder& folder, const TextEncoder& encoder, const Checkpoint& checkpoint, const RunOptions& options);

  /// From a request to its pictures, or its answer. Throws Error, also where a value is not finite, naming the step.
  [[nodiscard]] Outcome generate(const Request& request, const Listener& listener = {}) const;

  /// The loop of a planned request without conditioning pictures, for measurements: buffers are made here, none later.
  [[nodiscard]] std::unique_ptr<Denoiser> denoiser(const PlannedRequest& request, const ComputeOptions& compute) const;
  /// Initial latents as the published pipeline draws them, [1, C, h, w].
  [[nodiscard]] at::Tensor noise(const hunyuan_reso::GenerationPlan& plan, std::uint64_t seed) const;

  [[nodiscard]] const Model& model() const noexcept { return model_; }
  [[nodiscard]] const ComputeOptions& compute() const noexcept { return compute_; }
  /// Whether the loop can be a graph with these options.
  [[nodiscard]] bool can_capture(const ComputeOptions& compute) const;

 private:
  friend class RequestRun;

  const Folder* folder_;
  const TextEncoder* encoder_;
  RunOptions options_;
  Model model_;
  ComputeOptions compute_;
};

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_GENERATOR_HPP
