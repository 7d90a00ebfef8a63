// SPDX-License-Identifier: MIT
#ifndef HUNYUAN_GENERATE_RUN_HPP
#define HUNYUAN_GENERATE_RUN_HPP

#include <memory>    // unique_ptr
#include <optional>  // optional
#include <string>    // string
#include <vector>    // vector

#include "adapter/error.hpp"
#include "pipeline/processes.hpp"
#include "pipeline/request.hpp"
#include "tools/target_options.hpp"

namespace hunyuan_generate {

/// The options of hunyuan-generate; what is empty was not given.
struct Arguments {
  std::string model, random_weights, profile, prompt_ids, tokenizer, system, messages, task, sequence_template, report;
  std::string grid_mode = "snap", devices = "cpu", dtype, stream, parallel;
  double patience = 20;  // seconds to wait for another process
  std::vector<std::string> images, outs, sizes{"auto"};
  std::size_t threads = 0;
  std::optional<double> temperature, top_p;
  std::optional<std::int64_t> top_k;
  std::string seed = "0";
  bool greedy = false, drop_think = false, dry_run = false, no_graph = false, no_metadata = false, no_reuse = false;
  bool show_prompt = false, resume = false;
  TargetOptions target;
  Request request;
};

/// A wrong combination of options.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// From the options to the files. Throws UsageError for options that have no meaning together, else Error. Where
/// several processes share the run, `processes` is made before anything else that can fail, so that the caller can tell
/// the others.
void run_generate(Arguments& arguments, std::unique_ptr<Processes>& processes);

}  // namespace hunyuan_generate

#endif  // HUNYUAN_GENERATE_RUN_HPP
