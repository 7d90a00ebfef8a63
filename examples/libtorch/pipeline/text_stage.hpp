// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_TEXT_STAGE_HPP
#define HUNYUAN_GENERATE_TEXT_STAGE_HPP

#include <ATen/ATen.h>  // Tensor, Generator

#include <functional>  // function
#include <memory>      // unique_ptr

#include "model/text_decoder.hpp"
#include "pipeline/request.hpp"

namespace hunyuan_generate {

/// Draws one index from float32 logits [V] on the CPU.
std::int64_t sample(const at::Tensor& logits, const Sampling& sampling, const at::Generator& generator);

/// Hears of each generated token, with the text that it completes (whole UTF-8, often none), and once more of what was
/// left over when the last one is there.
using TextReport = std::function<void(std::int64_t tokens, const std::string& text)>;
/// The vectors of the conditioning pictures in a row.
using Conditioning = std::function<std::vector<Overwrite>(const hunyuan_reso::TokenSequence& row)>;

/// What a text stage found.
struct TextResult {
  std::string chain_of_thought;  ///< with its tags; empty without one
  bool finished = true;          ///< false: the chain of thought was cut off by the number of new tokens
  std::size_t thought_tokens = 0;
  std::optional<std::size_t> ratio_index;
  std::string answer;                      ///< of a request for text
  std::vector<hunyuan_reso::TokenId> fed;  ///< the tokens whose keys and values `decoder` has
  std::unique_ptr<TextDecoder> decoder;    ///< of the pass that wrote text; none where none did
};

/// Runs the text stage of a plan, if there is one: text under the plan's rules up to a stop token, the number of new
/// tokens or the end of the position table, and the ratio, in the text or by a pass of its own. The probe gets
/// {text,text2}.prompt_ids, .generated_ids and .ratio_scores, in the order of the passes. Throws Error when an `auto`
/// size ends without a ratio.
TextResult run_text_stage(const Model& model, const PlannedRequest& request, const TextEncoder& encoder,
                          const Conditioning& conditioning, const at::Generator& generator,
                          const ComputeOptions& options, const TextReport& report, const Probe& probe);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_TEXT_STAGE_HPP
