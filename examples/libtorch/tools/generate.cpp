// SPDX-License-Identifier: MIT
// hunyuan-generate: from a prompt to a picture, or to an answer.
#include <cstdio>   // fprintf
#include <cstdlib>  // strtod
#include <random>   // random_device

#include "model/json_file.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"
#include "tools/run.hpp"

namespace hunyuan_generate {
namespace {

void add_options(Program& program, Arguments& a) {
  CLI::App& app = program.app;
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
  constexpr int longest = 1 << 20;
  app.add_option("--target", a.target_size,
                 "HEIGHTxWIDTH beyond the trained scale: drawn at a trained bucket, enlarged, refined in tiles "
                 "(untrained)");
  app.add_option("--strength", a.target.strength, "Share of the steps that refine, above 0 up to 1 (0.35)");
  app.add_option("--tile", a.target.tile, "Side of a tile in pixels (the trained size)")->check(CLI::Range(1, longest));
  app.add_option("--overlap", a.target.overlap, "Least overlap of tiles in pixels (a quarter of the trained size)")
      ->check(CLI::Range(0, longest));
  app.add_option("--enlarge", a.enlarge, "What is enlarged: the picture (decode, Lanczos, encode) or the latent")
      ->check(CLI::IsMember({"picture", "latent"}))
      ->capture_default_str();
  app.add_option("--tiles-at-once", a.target.tiles_at_once, "Most tiles in one call of the model")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--rope-scaling", a.rope_scaling,
                 "Rescale the rotary base of images larger than trained: none, area, area_by_sigma (untrained)")
      ->check(CLI::IsMember({"none", "area", "area_by_sigma"}));
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
  app.add_option("--device,--devices", program.devices,
                 "cpu, cuda[:i], or a list to spread the layers over, such as 0,1")
      ->capture_default_str();
  app.add_option("--dtype", a.dtype,
                 "fp32, bf16, fp16 or fp8 (fp32 on the CPU, else bf16); fp8: products of the decoder layers")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "fp8"}));
  app.add_option("--stream", a.stream,
                 "auto, or the number of decoder layers that stay in host memory and are copied while others run");
  app.add_option("--threads", a.threads, "That load layers (one a core, at most 4)")->check(CLI::Range(1, 256));
  app.add_option("--parallel", program.parallel,
                 "tpN shares heads and experts among N processes, cfgN the rows of the batch, tpNcfgM both; start them "
                 "with torchrun");
  app.add_option("--patience", program.patience, "--parallel: seconds to wait for another process")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_flag("--no-reuse", a.no_reuse, "Encode the image stage anew instead of keeping the text stage's cache");
  app.add_flag("--no-graph", a.no_graph, "Do not capture the steady step in a CUDA graph");
  app.add_flag("--show-prompt", a.show_prompt, "Print the prompt as it enters the model");
  app.add_flag("--dry-run", a.dry_run, "Print the plan, check the tensors' names and shapes, and stop");
}

std::uint64_t seed_of(const std::string& text) {
  if (text == "random") return std::random_device()();
  const bool digits = !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw UsageError("--seed: '" + text + "' is neither random nor a number from 0 to 9999999999999999999");
  return std::stoull(text);
}

void fill_target(const Arguments& a, Request& request, const Folder& folder) {
  using hunyuan_reso::RopeScaling;
  if (!a.rope_scaling.empty()) {
    request.rope_scaling = a.rope_scaling == "none"   ? RopeScaling::none
                           : a.rope_scaling == "area" ? RopeScaling::area
                                                      : RopeScaling::area_by_sigma;
  }
  if (a.target_size.empty()) {
    if (a.target.tile || a.target.overlap || a.target.strength || a.enlarge == "latent" ||
        a.target.tiles_at_once != 1) {
      throw UsageError("--strength, --tile, --overlap, --enlarge and --tiles-at-once belong to --target");
    }
    return;
  }
  if (a.sizes != std::vector<std::string>{"auto"}) throw UsageError("give either --size or --target");
  if (request.align_output) throw UsageError("--align-output and --target name two sizes: give one of them");
  if (request.text_only) throw UsageError("--task auto answers in text: it has no --target");
  const auto size = hunyuan_reso::parse_image_size(a.target_size, folder.profile);
  if (!size || size->kind != hunyuan_reso::ImageSizeKind::pixels) {
    throw Error("--target: '" + a.target_size + "' is no HEIGHTxWIDTH in pixels");
  }
  request.target = a.target;
  request.target->size = size->size;
  request.target->enlarges_latents = a.enlarge == "latent";
}

}  // namespace

void fill_request(Arguments& a, const Folder& folder, hunyuan_reso::Precision precision) {
  using hunyuan_reso::GridMode;
  Request& request = a.request;
  request.sampling = folder.sampling;
  request.sampling.temperature = a.temperature.value_or(request.sampling.temperature);
  request.sampling.top_k = a.top_k.value_or(request.sampling.top_k);
  request.sampling.top_p = a.top_p.value_or(request.sampling.top_p);
  if (a.greedy) request.sampling.draws = false;
  request.grid_mode = a.grid_mode == "snap"     ? GridMode::snap
                      : a.grid_mode == "follow" ? GridMode::follow_request
                                                : GridMode::follow_request_by_area;
  if (a.drop_think) request.drop_think = true;
  if (!a.sequence_template.empty()) request.sequence_template = a.sequence_template;
  if (!a.task.empty()) request.task = task_of(a.task, "--task");
  request.text_only = a.task == "auto";
  fill_target(a, request, folder);
  request.keep_cache = !a.no_reuse;
  request.seed = seed_of(a.seed);
  request.text_seed = request.seed;  // also where a run is resumed with a later picture
  if (a.seed == "random") std::printf("seed = %llu (random)\n", static_cast<unsigned long long>(request.seed));
  request.precision = precision;
  if (!a.system.empty() && a.system != "none") request.system = read_file(a.system);
  for (const std::string& file : a.images) request.images.push_back(read_picture(file));
  if (!a.messages.empty()) {
    request.messages =
        read_messages(read_json(a.messages), std::filesystem::path(a.messages).parent_path(), a.messages);
  }
  const bool wants_system =
      folder.system_prompt != "None" && a.system.empty() && a.messages.empty() && !request.text_only;
  if (wants_system) {
    std::fprintf(stderr,
                 "note: the checkpoint's default system prompt is '%s', whose text is not part of this program; "
                 "give it with --system FILE, or --system none\n",
                 folder.system_prompt.c_str());
  }
}

}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Program program("From a prompt to a picture with HunyuanImage-3.0's networks.", "hunyuan-generate");
  hunyuan_generate::Arguments arguments;
  hunyuan_generate::add_options(program, arguments);
  return program.run(count, values, [&] {
    hunyuan_generate::run_generate(program, arguments);
    return true;
  });
}
