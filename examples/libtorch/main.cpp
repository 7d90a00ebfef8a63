// SPDX-License-Identifier: MIT
// hunyuan-generate: from a prompt to a picture.
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error
#include <unistd.h>                  // isatty

#include <CLI/CLI.hpp>
#include <cstdio>   // fprintf
#include <sstream>  // istringstream

#include "error.hpp"
#include "pipeline.hpp"
#include "png.hpp"

namespace hunyuan_generate {
namespace {

struct Arguments {
  Request request;
  std::string model, random_weights, prompt_ids, out, profile, task, image;
  std::string grid_mode = "snap", device = "cpu", devices, dtype;
  std::uint64_t seed = 0;
  std::int32_t max_new_tokens = 0;
  Sampling sampling;
  bool dry_run = false, no_graph = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--model", a.model, "Folder of a checkpoint: config.json and safetensors")
      ->check(CLI::ExistingDirectory);
  app.add_option("--random-weights", a.random_weights, "config.json to build with seeded random weights instead")
      ->check(CLI::ExistingPath);
  app.add_option("--prompt", a.request.prompt, "What the picture shows");
  app.add_option("--prompt-ids", a.prompt_ids, "The prompt as token ids, from a file or (-) standard input");
  app.add_option("--system", a.request.system, "System prompt");
  app.add_option("--size", a.request.size, "auto, HEIGHTxWIDTH, a ratio A:B, or <img_ratio_i>")->capture_default_str();
  app.add_option("--grid-mode", a.grid_mode, "How the grid follows the size")
      ->check(CLI::IsMember({"snap", "follow", "follow-by-area"}))
      ->capture_default_str();
  app.add_option("--base-size", a.request.base_size, "Base size of the resolution group (the checkpoint's)");
  app.add_option("--steps", a.request.steps, "Denoising steps (the profile's)")->check(CLI::Range(1, 100000));
  app.add_option("--guidance", a.request.guidance, "Guidance scale (the profile's)")->check(CLI::NonNegativeNumber);
  app.add_option("--task", a.task, "What the model writes before the picture (the profile's)")
      ->check(CLI::IsMember({"image", "think", "recaption", "think_recaption"}));
  app.add_option("--max-new-tokens", a.max_new_tokens, "Longest text stage (the profile's)")
      ->check(CLI::Range(1, 100000));
  app.add_option("--temperature", a.sampling.temperature, "Of the text stage; 0 takes the best token")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seed", a.seed, "Of the noise, of sampling and of random weights")->capture_default_str();
  app.add_option("--out", a.out, "The picture, FILE.png");
  app.add_option("--profile", a.profile, "base, instruct, instruct-distil or panorama (by the configuration)");
  app.add_option("--device", a.device, "cpu or cuda[:i]")->capture_default_str();
  app.add_option("--devices", a.devices, "Spread the layers over devices, such as 0,1 (cpu is possible too)");
  app.add_option("--dtype", a.dtype, "fp32, bf16 or fp16 (fp32 on the CPU, else bf16)")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  app.add_option("--image", a.image, "A conditioning image: not supported, refused");
  app.add_flag("--dry-run", a.dry_run, "Print the plan and stop");
  app.add_flag("--no-graph", a.no_graph, "Do not capture the steady step in a CUDA graph");
}

at::Device parse_device(const std::string& option, const std::string& text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  try {
    const at::Device device(number ? "cuda:" + text : text);
    if (device.is_cpu()) return device;
    if (device.is_cuda()) return {at::kCUDA, std::max<c10::DeviceIndex>(0, device.index())};
  } catch (const c10::Error&) {
  }
  throw Error(option + ": '" + text + "' is no device");
}

LoadOptions load_options(const Arguments& a) {
  LoadOptions load;
  std::istringstream list(a.devices);
  for (std::string part; std::getline(list, part, ',');) load.layer_devices.push_back(parse_device("--devices", part));
  load.device = load.layer_devices.empty() ? parse_device("--device", a.device) : load.layer_devices.front();
  const bool cpu = load.device.is_cpu();
  const std::string dtype = !a.dtype.empty() ? a.dtype : cpu ? "fp32" : "bf16";
  load.dtype = dtype == "fp32" ? at::kFloat : dtype == "bf16" ? at::kBFloat16 : at::kHalf;
  if (cpu && load.dtype == at::kHalf) throw Error("--dtype fp16 needs a GPU; use fp32 or bf16 on the CPU");
  load.vae_dtype = cpu || load.dtype == at::kFloat ? at::kFloat : at::kHalf;  // as published: float16 products
  return load;
}

void finish_request(Arguments& a, const ModelConfig& config, const Vocabulary& vocabulary,
                    hunyuan_reso::ModelProfile& profile, const TextEncoder& encoder, at::ScalarType dtype) {
  using hunyuan_reso::BotTask;
  using hunyuan_reso::GridMode;
  Request& request = a.request;
  request.grid_mode = a.grid_mode == "snap"     ? GridMode::snap
                      : a.grid_mode == "follow" ? GridMode::follow_request
                                                : GridMode::follow_request_by_area;
  request.precision = dtype == at::kFloat ? hunyuan_reso::Precision::fp32 : hunyuan_reso::Precision::bf16;
  if (a.task == "image") request.task = BotTask::image;
  if (a.task == "think") request.task = BotTask::think;
  if (a.task == "recaption") request.task = BotTask::recaption;
  if (a.task == "think_recaption") request.task = BotTask::think_recaption;
  if (a.max_new_tokens > 0) profile.max_new_tokens = a.max_new_tokens;
  if (!a.prompt_ids.empty()) request.prompt = encoder.decode(read_ids(a.prompt_ids, vocabulary, config.vocab_size));
}

// A line that is written over on a terminal; nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::int64_t steps) : steps_(steps), terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::int64_t index, double seconds) {
    constexpr std::int64_t width = 30;
    if (!terminal_) return;
    const std::int64_t done = (index + 1) * width / steps_;
    const std::string bar(static_cast<std::size_t>(done), '#'), rest(static_cast<std::size_t>(width - done), '.');
    std::fprintf(stderr, "\r[%s%s] step %lld of %lld, %.3f s ", bar.c_str(), rest.c_str(),
                 static_cast<long long>(index + 1), static_cast<long long>(steps_), seconds);
    shown_ = true;
  }
  void token(std::int64_t count) {
    if (terminal_) std::fprintf(stderr, "\rtext: %lld tokens ", static_cast<long long>(count));
    shown_ = terminal_;
  }
  void clear() {
    if (shown_) std::fprintf(stderr, "\n");
    shown_ = false;
  }

 private:
  std::int64_t steps_;
  bool terminal_, shown_ = false;
};

void generate(Arguments& a) {
  if (!a.image.empty()) throw Error("--image: requests with a conditioning image are not supported by this program");
  if (a.model.empty() == a.random_weights.empty()) throw Error("give either --model or --random-weights");
  if (a.request.prompt.empty() && a.prompt_ids.empty()) throw Error("give --prompt or --prompt-ids");
  const bool random = a.model.empty();
  const std::filesystem::path source = random ? a.random_weights : a.model;
  const ModelConfig config = read_config(source);
  const std::filesystem::path folder = std::filesystem::is_directory(source) ? source : source.parent_path();
  const Vocabulary vocabulary(config.vocab_size, folder, config.image_base_size);
  RunOptions run;
  run.load = load_options(a);
  run.graph = !a.no_graph;
  hunyuan_reso::ModelProfile profile = profile_for(config, vocabulary, a.profile);
  const BytesEncoder encoder;
  finish_request(a, config, vocabulary, profile, encoder, run.load.dtype);

  hunyuan_reso::GenerationPlan plan = plan_request(a.request, {}, profile, vocabulary, encoder);
  print_plan(stdout, plan, profile, vocabulary);
  require_feasible(plan, vocabulary);
  if (a.dry_run) return;
  if (a.out.empty()) throw Error("give --out FILE.png");
  require_png_path(a.out);

  const c10::InferenceMode inference;
  prepare_device(run.load.device);
  for (const at::Device device : run.load.layer_devices) prepare_device(device);
  at::manual_seed(a.seed);
  const Checkpoint checkpoint = random ? Checkpoint::random() : Checkpoint(source);
  const Pipeline pipeline(checkpoint, config, vocabulary, profile, encoder, run);

  Progress progress(plan.steps);
  const TextResult found =
      pipeline.text_stage(a.request, plan, a.sampling, a.seed, [&](std::int64_t count) { progress.token(count); });
  progress.clear();
  if (plan.text_stage.needed) {
    plan = plan_request(a.request, found, profile, vocabulary, encoder);
    print_plan(stdout, plan, profile, vocabulary);
    require_feasible(plan, vocabulary);
  }
  LoopTimes times;
  const at::Tensor pixels = pipeline.image_stage(
      a.request, found, plan, a.seed, [&](std::int64_t step, double seconds) { progress.step(step, seconds); }, &times);
  progress.clear();
  write_png(a.out, pixels);
  std::printf("%s: %lldx%lld pixels; %zu steps in %.3f s, last step %.4f s%s\n", a.out.c_str(),
              static_cast<long long>(pixels.size(0)), static_cast<long long>(pixels.size(1)), times.steps.size(),
              times.wall, times.steps.back(), times.graph ? " (CUDA graph)" : "");
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
  try {
    hunyuan_generate::generate(arguments);
    return 0;
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "hunyuan-generate: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate: %s\n", error.what());
  }
  return 1;
}
