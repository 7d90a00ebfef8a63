// SPDX-License-Identifier: MIT
// hunyuan-generate: from a prompt to a picture, or to an answer.
#include <ATen/Context.h>            // manual_seed
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error
#include <torch/version.h>           // TORCH_VERSION
#include <unistd.h>                  // isatty

#include <CLI/CLI.hpp>
#include <chrono>   // steady_clock
#include <cmath>    // ceil
#include <cstdio>   // fprintf
#include <cstdlib>  // strtod

#include "adapter/error.hpp"
#include "model/json_file.hpp"
#include "pipeline/generator.hpp"
#include "pipeline/picture.hpp"
#include "pipeline/request_file.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

struct Arguments {
  std::string model, random_weights, profile, prompt_ids, tokenizer, system, messages, task, sequence_template, out,
      report;
  std::string grid_mode = "snap", devices = "cpu", dtype;
  std::vector<std::string> images, sizes{"auto"};
  std::optional<double> temperature, top_p;
  std::optional<std::int64_t> top_k;
  std::string seed = "0";
  bool greedy = false, drop_think = false, dry_run = false, no_graph = false, no_metadata = false, no_reuse = false;
  bool show_prompt = false;
  Request request;
};

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
  app.add_option("--out", a.out, "FILE.png, .jpg or .webp; {seed}, {index} and {size} are filled in");
  app.add_option("--report", a.report, "JSON file for what was done");
  app.add_flag("--no-metadata", a.no_metadata, "Do not write the request into PNG files");
  app.add_option("--device,--devices", a.devices, "cpu, cuda[:i], or a list to spread the layers over, such as 0,1")
      ->capture_default_str();
  app.add_option("--dtype", a.dtype, "fp32, bf16 or fp16 (fp32 on the CPU, else bf16)")
      ->check(CLI::IsMember({"fp32", "bf16", "fp16"}));
  app.add_flag("--no-reuse", a.no_reuse, "Encode the image stage anew instead of keeping the text stage's cache");
  app.add_flag("--no-graph", a.no_graph, "Do not capture the steady step in a CUDA graph");
  app.add_flag("--show-prompt", a.show_prompt, "Print the prompt as it enters the model");
  app.add_flag("--dry-run", a.dry_run, "Print the plan, check the tensors' names and shapes, and stop");
}

std::uint64_t seed_of(const std::string& text) {
  if (text == "random")
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) & 0xFFFFFFFFU;
  const bool digits = !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits) throw Error("--seed: '" + text + "' is no number from 0 to 9999999999999999999");
  return std::stoull(text);
}

void fill_request(Arguments& a, const Folder& folder, const LoadOptions& load) {
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
  request.keep_cache = !a.no_reuse;
  request.seed = seed_of(a.seed);
  request.precision = load.dtype == at::kFloat ? hunyuan_reso::Precision::fp32 : hunyuan_reso::Precision::bf16;
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

std::string filled_in(std::string path, std::uint64_t seed, std::size_t index, const at::Tensor& pixels) {
  const std::pair<std::string, std::string> fields[] = {
      {"{seed}", std::to_string(seed)},
      {"{index}", std::to_string(index)},
      {"{size}", std::to_string(pixels.size(0)) + "x" + std::to_string(pixels.size(1))}};
  for (const auto& [field, value] : fields) {
    for (std::size_t at = path.find(field); at != std::string::npos; at = path.find(field))
      path.replace(at, field.size(), value);
  }
  return path;
}

// With several pictures and a name without {seed} or {index}, the number goes in front of the ending.
std::string out_pattern(const std::string& out, std::size_t pictures) {
  if (pictures == 1 || out.find("{seed}") != std::string::npos || out.find("{index}") != std::string::npos) return out;
  const std::size_t dot = out.rfind('.');
  return out.substr(0, dot) + "_{index}" + out.substr(dot);
}

// A line that is written over on a terminal; nothing elsewhere.
class Progress {
 public:
  Progress() : terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::int64_t index, std::int64_t steps, double seconds) {
    constexpr std::int64_t width = 30;
    if (!terminal_) return;
    const std::int64_t done = (index + 1) * width / steps;
    const std::string bar(static_cast<std::size_t>(done), '#'), rest(static_cast<std::size_t>(width - done), '.');
    std::fprintf(stderr, "\r[%s%s] step %lld of %lld, %.3f s ", bar.c_str(), rest.c_str(),
                 static_cast<long long>(index + 1), static_cast<long long>(steps), seconds);
    shown_ = true;
  }
  // What is new of a text, as far as its characters are whole.
  void text(const std::string& all) {
    std::size_t end = all.size();
    while (end > printed_ && all.compare(end - std::min<std::size_t>(end, 3), 3, "\xef\xbf\xbd") == 0) end -= 3;
    if (end <= printed_) return;
    std::fwrite(all.data() + printed_, 1, end - printed_, stderr);
    printed_ = end;
    shown_ = true;
  }
  void clear() {
    if (shown_) std::fprintf(stderr, "\n");
    shown_ = false;
    printed_ = 0;
  }

 private:
  bool terminal_, shown_ = false;
  std::size_t printed_ = 0;
};

// Says before minutes of loading whether the weights can fit.
void require_memory(const hunyuan_reso::GenerationPlan& plan, const LoadOptions& load) {
  std::vector<at::Device> devices = load.layer_devices;
  if (devices.empty()) devices.push_back(load.device);
  double there = 0;
  for (const at::Device device : devices) there += static_cast<double>(free_memory(device));
  const double needed =
      static_cast<double>(plan.weight_bytes) + static_cast<double>(plan.kv_bytes) + static_cast<double>(plan.vae_bytes);
  constexpr double gib = 1024.0 * 1024.0 * 1024.0;
  if (there <= 0 || needed <= there) return;
  char text[400];
  std::snprintf(
      text, sizeof text,
      "weights, cache and VAE take %.1f GiB, but %.1f GiB are free on the %zu device(s) named: use more --devices"
      "%s; %.0f devices like these would do",
      needed / gib, there / gib, devices.size(), load.dtype == at::kFloat ? ", --dtype bf16" : "",
      std::ceil(needed / there * static_cast<double>(devices.size())));
  throw Error(text);
}

Json described(const Arguments& a, const Folder& folder, const Outcome& outcome, std::size_t index) {
  const hunyuan_reso::GenerationPlan& plan = outcome.plan;
  Json description{
      {"program", "hunyuan-generate"},
      {"hunyuan_reso", std::to_string(HUNYUAN_RESO_VERSION_MAJOR) + "." + std::to_string(HUNYUAN_RESO_VERSION_MINOR) +
                           "." + std::to_string(HUNYUAN_RESO_VERSION_PATCH)},
      {"libtorch", TORCH_VERSION},
      {"checkpoint", folder.path.filename().string()},
      {"profile", folder.profile.name},
      {"prompt", a.request.prompt},
      {"system", a.request.system},
      {"size_asked", a.request.size},
      {"height", plan.image.image_height},
      {"width", plan.image.image_width},
      {"base_size", plan.image.base_size},
      {"ratio_index", plan.image.ratio_index},
      {"steps", plan.steps},
      {"guidance", plan.guidance},
      {"flow_shift", plan.flow_shift}};
  if (index < outcome.seeds.size()) description["seed"] = outcome.seeds[index];
  if (!outcome.text.chain_of_thought.empty()) description["chain_of_thought"] = outcome.text.chain_of_thought;
  if (!a.images.empty()) description["images"] = a.images;
  return description;
}

void print_times(const Outcome& outcome) {
  std::printf("time: conditioning %.3f s, text %.3f s, loop %.3f s, VAE %.3f s", outcome.encode_seconds,
              outcome.text_seconds, outcome.loop_seconds, outcome.decode_seconds);
  if (!outcome.times.steps.empty()) {
    std::printf("; first step %.3f s, last %.4f s%s", outcome.times.steps.front(), outcome.times.steps.back(),
                outcome.times.graph ? " (CUDA graph)" : "");
  }
  if (outcome.reused_tokens > 0)
    std::printf("; %lld tokens of the cache reused", static_cast<long long>(outcome.reused_tokens));
  std::printf("\n");
}

void generate(Arguments& a) {
  if (a.model.empty() == a.random_weights.empty()) throw Error("give either --model or --random-weights");
  const bool asks = !a.request.prompt.empty() || !a.prompt_ids.empty() || !a.messages.empty();
  if (!asks) throw Error("give --prompt, --prompt-ids or --messages");
  const bool random = a.model.empty();
  const std::filesystem::path source = random ? a.random_weights : a.model;
  Folder folder = read_folder(source, a.profile);
  const Checkpoint checkpoint = random ? Checkpoint::random() : Checkpoint(source);
  if (!random) {
    folder.profile.vision_parameters = checkpoint.elements("vision_");
    folder.profile.vae_parameters = checkpoint.elements("vae.");
  }
  for (const auto& [value, origin] : folder.origins) std::printf("%s (%s)\n", value.c_str(), origin.c_str());
  if (!a.tokenizer.empty()) folder.encoder = open_tokenizer(a.tokenizer, folder.profile);
  if (!a.prompt_ids.empty()) {
    if (a.request.prompt.empty()) a.request.prompt = "the prompt of --prompt-ids";
    folder.encoder = open_text_table(a.prompt_ids, a.request.prompt, folder.profile);
  }
  if (!folder.encoder) throw Error(folder.path.string() + ": no tokenizer.json; give --tokenizer or --prompt-ids");
  RunOptions run;
  run.load = load_options("--devices", a.devices, a.dtype);
  run.graph = !a.no_graph;
  fill_request(a, folder, run.load);
  run.load.conditioning = !a.request.images.empty() || !a.request.messages.empty();

  const bool draws = !a.request.text_only;
  for (const std::string& size : a.sizes) {
    a.request.size = size;
    const PlannedRequest planned(folder, *folder.encoder, a.request);
    if (draws) print_plan(stdout, planned);
    if (a.show_prompt) std::printf("prompt: %s\n", planned.prompt_text().c_str());
    require_feasible(planned.plan());
    if (!random) require_memory(planned.plan(), run.load);
  }
  if (!a.dry_run && draws && a.out.empty()) throw Error("give --out FILE.png");
  if (!a.out.empty()) require_picture_path(a.out);
  at::manual_seed(a.request.seed);
  if (!random) check_tensors(checkpoint, folder.config);
  if (a.dry_run) return;

  const c10::InferenceMode inference;
  clean_up_on_signals();
  const Generator generator(folder, *folder.encoder, checkpoint, run);
  const std::size_t unused = random ? 0 : checkpoint.unused().size();
  if (unused > 0) std::printf("%zu tensors of the checkpoint are not needed\n", unused);
  const std::string pattern = out_pattern(a.out, a.sizes.size() * static_cast<std::size_t>(a.request.count));
  std::size_t index = 0;
  Json report = Json::array();
  for (const std::string& size : a.sizes) {
    a.request.size = size;
    Progress progress;
    std::int64_t steps = 1;
    Listener listener;
    listener.planned = [&](const PlannedRequest& planned) { steps = planned.plan().steps; };
    listener.text = [&](std::int64_t, const std::string& text) { progress.text(text); };
    listener.step = [&](std::int64_t step, double seconds) { progress.step(step, steps, seconds); };
    const Outcome outcome = generator.generate(a.request, listener);
    progress.clear();
    if (!draws) std::printf("%s%s\n", outcome.text.answer.c_str(), outcome.text.finished ? "" : " [cut off]");
    if (draws && !outcome.text.finished) {
      std::printf("note: the chain of thought was cut off after %zu tokens; allow more with --max-new-tokens\n",
                  outcome.text.thought_tokens);
    }
    for (std::size_t i = 0; i < outcome.pictures.size(); ++i, ++index) {
      const at::Tensor& pixels = outcome.pictures[i];
      const std::string path = filled_in(pattern, outcome.seeds[i], index, pixels);
      Json description = described(a, folder, outcome, i);
      write_picture(path, pixels,
                    a.no_metadata ? PictureTexts() : PictureTexts{{"hunyuan-generate", description.dump()}});
      std::printf("%s: %lldx%lld pixels, seed %llu\n", path.c_str(), static_cast<long long>(pixels.size(0)),
                  static_cast<long long>(pixels.size(1)), static_cast<unsigned long long>(outcome.seeds[i]));
      description["file"] = path;
      report.push_back(std::move(description));
    }
    print_times(outcome);
    if (!draws)
      report.push_back(
          {{"prompt", a.request.prompt}, {"answer", outcome.text.answer}, {"finished", outcome.text.finished}});
  }
  if (!a.report.empty()) write_text_file(a.report, report.dump(2) + "\n");
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
