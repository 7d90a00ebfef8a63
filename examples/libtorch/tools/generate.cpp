// SPDX-License-Identifier: MIT
// hunyuan-generate: from a prompt to a picture, or to an answer.
#include <c10/util/Exception.h>  // c10::Error

#include <CLI/CLI.hpp>
#include <cstdio>   // fprintf
#include <cstdlib>  // strtod

#include "tools/run.hpp"

namespace hunyuan_generate {
namespace {

void add_options(CLI::App& app, Arguments& a) {
  const CLI::Validator finite(
      [](const std::string& text) {
        const double value = std::strtod(text.c_str(), nullptr);
        return std::string(value >= 0 && value <= 1e6 ? "" : text + " is no number from 0 to 1000000");
      },
      "NUMBER");
  app.add_option("--model", a.model,
                 "Folder of a checkpoint: config.json, generation_config.json, tokenizer.json, safetensors")
      ->check(CLI::ExistingDirectory);
  app.add_option("--random-weights", a.random_weights, "config.json to build with seeded random weights instead")
      ->check(CLI::ExistingFile);
  app.add_option("--profile", a.profile,
                 "Profile of the library; one that contradicts the files is refused (the files')");
  app.add_option("--prompt", a.request.prompt, "What the picture shows, or the question");
  app.add_option("--prompt-ids", a.prompt_ids,
                 "JSON file: the prompt's token ids, or an object of texts and their ids");
  app.add_option("--tokenizer", a.tokenizer, "tokenizer.json in place of the folder's own")->check(CLI::ExistingFile);
  app.add_option("--system", a.system, "File with the system prompt, or none");
  app.add_option("--messages", a.messages, "JSON file with a whole conversation in place of --prompt");
  app.add_option("--image", a.images, "A conditioning picture (repeatable)")->check(CLI::ExistingFile);
  app.add_option("--size", a.sizes, "auto, HEIGHTxWIDTH, a ratio A:B, or <img_ratio_i> (repeatable)")
      ->capture_default_str();
  a.target.add(app);
  app.add_option("--grid-mode", a.grid_mode, "How the grid follows the size")
      ->check(CLI::IsMember({"snap", "follow", "follow-by-area"}))
      ->capture_default_str();
  app.add_flag("--align-output", a.request.align_output, "Give the picture the exact aspect of a conditioning picture");
  app.add_option("--base-size", a.request.base_size, "Base size of the resolution group")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--steps", a.request.steps, "Denoising steps")->check(CLI::Range(1, 100000));
  app.add_option("--guidance", a.request.guidance, "Guidance scale")->check(finite);
  app.add_option("--flow-shift", a.request.flow_shift, "Shift of the noise levels")->check(finite);
  app.add_option("--task", a.task, "auto (an answer in text), image, think, recaption or think_recaption")
      ->check(CLI::IsMember({"auto", "image", "think", "recaption", "think_recaption"}));
  app.add_option("--template", a.sequence_template, "pretrain or instruct")
      ->check(CLI::IsMember({"pretrain", "instruct"}));
  app.add_flag("--drop-think", a.drop_think, "Leave the thinking out of the image stage");
  app.add_option("--max-new-tokens", a.request.max_new_tokens, "Longest text stage")->check(CLI::Range(1, 100000));
  app.add_option("--temperature", a.temperature, "Of the text stage; 0 takes the best token")->check(finite);
  app.add_option("--top-k", a.top_k, "Of the text stage; 0 for all")->check(CLI::Range(0, 1 << 20));
  app.add_option("--top-p", a.top_p, "Of the text stage")->check(finite);
  app.add_flag("--greedy", a.greedy, "The same as --temperature 0");
  app.add_option("--seed", a.seed, "Of the noise, of sampling and of random weights; random takes one")
      ->capture_default_str();
  app.add_option("--count", a.request.count, "Pictures, with the seeds seed, seed + 1, ..")->check(CLI::Range(1, 1000));
  app.add_option("--batch", a.request.batch, "Most pictures in one loop; fewer where memory does not allow them")
      ->check(CLI::Range(1, 1000));
  app.add_option("--out", a.outs, "FILE.png, .jpg or .webp (repeatable); {seed}, {index} and {size} are filled in");
  app.add_flag("--resume", a.resume, "Leave out pictures whose files are there");
  app.add_option("--report", a.report, "JSON file for what was done");
  app.add_flag("--no-metadata", a.no_metadata, "Do not write the request into PNG files");
  app.add_option("--device,--devices", a.devices, "cpu, cuda[:i], or a list to spread the layers over, such as 0,1")
      ->capture_default_str();
  app.add_option("--dtype", a.dtype,
                 "fp32, bf16, fp16 or fp8 (fp32 on the CPU, else bf16); fp8: products of the decoder layers")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "fp8"}));
  app.add_option("--stream", a.stream,
                 "auto, or the number of decoder layers that stay in host memory and are copied while others run");
  app.add_option("--threads", a.threads, "That load layers (one a core, at most 4)")->check(CLI::Range(1, 256));
  app.add_option("--parallel", a.parallel,
                 "tpN shares heads and experts among N processes, cfgN the rows of the batch, tpNcfgM both; start them "
                 "with torchrun");
  app.add_option("--patience", a.patience, "--parallel: seconds to wait for another process")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_flag("--no-reuse", a.no_reuse, "Encode the image stage anew instead of keeping the text stage's cache");
  app.add_flag("--no-graph", a.no_graph, "Do not capture the steady step in a CUDA graph");
  app.add_flag("--show-prompt", a.show_prompt, "Print the prompt as it enters the model");
  app.add_flag("--dry-run", a.dry_run, "Print the plan, check the tensors' names and shapes, and stop");
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Arguments arguments;
  CLI::App app("From a prompt to a picture with HunyuanImage-3.0's networks.", "hunyuan-generate");
  hunyuan_generate::add_options(app, arguments);
  try {
    app.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::unique_ptr<hunyuan_generate::Processes> processes;
  std::string failure;
  try {
    hunyuan_generate::run_generate(arguments, processes);
    return 0;
  } catch (const hunyuan_generate::UsageError& error) {
    std::fprintf(stderr, "hunyuan-generate: %s\n", error.what());
    return 2;
  } catch (const c10::Error& error) {
    failure = error.what_without_backtrace();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (processes) processes->fail(failure);
  std::fprintf(stderr, "hunyuan-generate: %s\n", failure.c_str());
  return 1;
}
