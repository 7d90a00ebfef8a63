// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_RUN_HPP
#define HUNYUAN_GENERATE_RUN_HPP

#include <optional>  // optional
#include <string>    // string
#include <vector>    // vector

#include "pipeline/request.hpp"
#include "tools/program.hpp"

namespace hunyuan_generate {

/// The options of hunyuan-generate; what is empty was not given.
struct Arguments {
  std::string model, random_weights, profile, prompt_ids, tokenizer, system, messages, task, sequence_template, report;
  std::string grid_mode = "snap", dtype, stream, target_size, enlarge = "picture", rope_scaling;
  std::vector<std::string> images, outs, sizes{"auto"};
  std::size_t threads = 0;
  std::optional<double> temperature, top_p;
  std::optional<std::int64_t> top_k;
  std::string seed = "0";
  bool greedy = false, drop_think = false, dry_run = false, no_graph = false, no_metadata = false, no_reuse = false;
  bool show_prompt = false, resume = false;
  Target target;  ///< of target_size
  Request request;
};

/// Writes the options into their request. Throws UsageError for options that have no meaning together, else Error.
void fill_request(Arguments& arguments, const Folder& folder, hunyuan_reso::Precision precision);

/// From the options to the files; throws as fill_request does.
void run_generate(Program& program, Arguments& arguments);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_RUN_HPP
