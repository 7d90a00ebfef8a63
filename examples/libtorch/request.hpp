// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_REQUEST_HPP
#define HUNYUAN_GENERATE_REQUEST_HPP

#include <cstdio>  // FILE
#include <hunyuan_reso/hunyuan_reso.hpp>
#include <optional>  // optional
#include <string>    // string

#include "config.hpp"
#include "encoder.hpp"
#include "vocabulary.hpp"

namespace hunyuan_generate {

/// What somebody wants to have generated.
struct Request {
  std::string prompt, system;
  std::string size = "auto";  ///< see hunyuan_reso::parse_image_size
  hunyuan_reso::GridMode grid_mode = hunyuan_reso::GridMode::snap;
  std::int32_t base_size = 0;  ///< 0: the checkpoint's
  std::int32_t steps = 0;      ///< 0: the profile's
  double guidance = -1;        ///< negative: the profile's
  std::optional<hunyuan_reso::BotTask> task;
  hunyuan_reso::Precision precision = hunyuan_reso::Precision::bf16;
};

/// What the text stage found.
struct TextResult {
  std::optional<std::string> chain_of_thought;
  std::optional<std::size_t> ratio_index;
};

/// The profile of a checkpoint: the named one (empty: `instruct-distil` for a distilled configuration, else
/// `instruct`) with every number that the configuration states. Throws Error for a name that does not exist and for a
/// configuration that contradicts the profile.
hunyuan_reso::ModelProfile profile_for(const ModelConfig& config, const Vocabulary& vocabulary,
                                       const std::string& name);

/// Plans a request; `found` is what is known from the text stage. Throws Error where the request has no meaning.
hunyuan_reso::GenerationPlan plan_request(const Request& request, const TextResult& found,
                                          const hunyuan_reso::ModelProfile& profile, const Vocabulary& vocabulary,
                                          const TextEncoder& encoder);
/// Prints the plan, then its findings.
void print_plan(std::FILE* out, const hunyuan_reso::GenerationPlan& plan, const hunyuan_reso::ModelProfile& profile,
                const Vocabulary& vocabulary);
/// Throws Error with the first reason why the plan cannot be run.
void require_feasible(const hunyuan_reso::GenerationPlan& plan, const Vocabulary& vocabulary);

/// The token rows of the image stage: one row, or two for two-row guidance, as the plan says.
hunyuan_reso::TokenBatch image_batch(const Request& request, const TextResult& found,
                                     const hunyuan_reso::GenerationPlan& plan,
                                     const hunyuan_reso::ModelProfile& profile, const Vocabulary& vocabulary,
                                     const TextEncoder& encoder);
/// The prompt of the text stage, one row.
hunyuan_reso::TokenBatch text_batch(const Request& request, const hunyuan_reso::GenerationPlan& plan,
                                    const hunyuan_reso::ModelProfile& profile, const Vocabulary& vocabulary,
                                    const TextEncoder& encoder);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_REQUEST_HPP
