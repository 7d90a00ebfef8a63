// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEXT_STAGE_HPP
#define HUNYUAN_GENERATE_TEXT_STAGE_HPP

#include <ATen/ATen.h>  // Tensor, Generator

#include <functional>  // function
#include <hunyuan_reso/hunyuan_reso.hpp>

#include "model.hpp"
#include "request.hpp"

namespace hunyuan_generate {

/// How a token is drawn from logits: temperature, then top-k, then top-p (sequence.md, section 7).
struct Sampling {
  double temperature = 0.6;  ///< 0: the best token
  std::int64_t top_k = 1024;
  double top_p = 0.95;
};

/// Draws one index from float32 logits [V] on the CPU.
std::int64_t sample(const at::Tensor& logits, const Sampling& sampling, const at::Generator& generator);

/// Runs the text stage of a plan: the ratio in one pass, or tokens one by one under the plan's rules until a stop
/// token, the end of text, the profile's number of new tokens, or the end of the position table. `report` hears of
/// every token. Throws Error when an `auto` size ends without a ratio.
TextResult run_text_stage(const Model& model, const hunyuan_reso::TokenBatch& prompt,
                          const hunyuan_reso::GenerationPlan& plan, const hunyuan_reso::ModelProfile& profile,
                          const Vocabulary& vocabulary, const TextEncoder& encoder, const Sampling& sampling,
                          const at::Generator& generator, const ComputeOptions& options,
                          const std::function<void(std::int64_t tokens)>& report);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEXT_STAGE_HPP
