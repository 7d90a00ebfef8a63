// SPDX-License-Identifier: MIT
#include "tools/run.hpp"

#include <ATen/Context.h>   // manual_seed
#include <torch/version.h>  // TORCH_VERSION

#include <algorithm>  // max
#include <chrono>     // steady_clock
#include <cstdio>     // printf

#include "pipeline/generator.hpp"
#include "pipeline/memory.hpp"
#include "pipeline/picture.hpp"
#include "tools/outputs.hpp"
#include "tools/progress.hpp"

namespace hunyuan_generate {
namespace {

using Json = nlohmann::json;

constexpr double gib = 1024.0 * 1024.0 * 1024.0;

// What a run has in common.
Json described(const Arguments& a, const std::string& devices, const Folder& folder, const RunOptions& run) {
  const Request& request = a.request;
  Json description{
      {"program", "hunyuan-generate"},
      {"hunyuan_reso", std::to_string(HUNYUAN_RESO_VERSION_MAJOR) + "." + std::to_string(HUNYUAN_RESO_VERSION_MINOR) +
                           "." + std::to_string(HUNYUAN_RESO_VERSION_PATCH)},
      {"libtorch", TORCH_VERSION},
      {"checkpoint", a.model.empty() ? "random weights" : std::filesystem::canonical(folder.path).filename().string()},
      {"profile", folder.profile.name},
      {"devices", devices},
      {"dtype", run.load.precision == Precision::fp8 ? "fp8" : c10::toString(run.load.dtype)},
      {"prompt", request.prompt},
      {"prompt_ids", folder.encoder->encode(request.prompt)},
      {"system", request.system},
      {"task", a.task.empty() ? "default" : a.task},
      {"drop_think", request.drop_think.value_or(folder.profile.drop_think)},
      {"text_seed", *request.text_seed},
      {"sampling",
       {{"draws", request.sampling.draws},
        {"temperature", request.sampling.temperature},
        {"top_k", request.sampling.top_k},
        {"top_p", request.sampling.top_p}}}};
  if (request.sequence_template) description["template"] = *request.sequence_template;
  if (!a.messages.empty()) description["messages"] = a.messages;
  if (!a.images.empty()) description["images"] = a.images;
  return description;
}

// An enlargement for reports and for what is written into pictures.
Json enlargement_json(const hunyuan_reso::EnlargementPlan& plan) {
  Json json{{"height", plan.target.height},
            {"width", plan.target.width},
            {"canvas_height", plan.canvas.height},
            {"canvas_width", plan.canvas.width},
            {"is_refined", plan.is_refined}};
  if (!plan.is_refined) return json;
  json["tiles"] = plan.tiles.size();
  json["tile_height"] = plan.tiles.tile_size().height;
  json["tile_width"] = plan.tiles.tile_size().width;
  json["first_step"] = plan.first_step;
  json["model_calls"] = plan.model_calls;
  return json;
}

// What is known of the last picture.
Json described(const Outcome& outcome, const std::string& size) {
  const hunyuan_reso::GenerationPlan& plan = outcome.plan;
  Json description{{"size_asked", size},
                   {"height", plan.image.image_height},
                   {"width", plan.image.image_width},
                   {"base_size", plan.image.base_size},
                   {"ratio_index", plan.image.ratio_index},
                   {"steps", plan.steps},
                   {"guidance", plan.guidance},
                   {"flow_shift", plan.flow_shift},
                   {"seed", outcome.seeds.back()}};
  const TextResult& text = outcome.text;
  if (!text.chain_of_thought.empty()) description["chain_of_thought"] = text.chain_of_thought;
  if (!text.finished) description["chain_of_thought_is_cut_off"] = true;
  if (outcome.enlargement) description["enlargement"] = enlargement_json(*outcome.enlargement);
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

// What an enlargement took beside what its plan says; nothing for another outcome.
void print_enlargement_times(const Outcome& outcome) {
  if (outcome.planned_seconds <= 0) return;
  const double took = outcome.encode_seconds + outcome.loop_seconds + outcome.decode_seconds;
  std::printf(
      "enlargement: the plan says %.3f s a picture at the rates of this run (%.3g TFLOP/s in the last step at the "
      "trained size; %.3g MP/s decoded, %.3g encoded); it took %.3f s\n",
      outcome.planned_seconds, outcome.rates.flop_per_second / 1e12, outcome.rates.decoded_pixels_per_second / 1e6,
      outcome.rates.encoded_pixels_per_second / 1e6, took / static_cast<double>(outcome.pictures.size()));
}

// Everything about a run, from the options to the files.
class Run {
 public:
  Run(Program& program, Arguments& arguments) : program_(program), a_(arguments) {}

  void run() {
    check_options();
    meet();
    read_files();
    plan();
    if (a_.dry_run) return;
    clean_up_on_signals();
    load();
    if (!draws()) answer();
    for (std::size_t i = 0; draws() && i < a_.sizes.size(); ++i) draw(i);
    std::printf("peak memory: %.2f GiB on %s\n", static_cast<double>(peak_memory(run_.load.device)) / gib,
                run_.load.device.str().c_str());
    if (!a_.report.empty() && is_first()) {
      write_text_file(a_.report, report_.dump(2, ' ', false, replaced) + "\n");
    }
  }

 private:
  [[nodiscard]] bool draws() const { return !a_.request.text_only; }
  [[nodiscard]] bool is_random() const { return a_.model.empty(); }
  [[nodiscard]] bool is_first() const { return program_.place.is_first(); }

  void check_options() {
    if (program_.is_shared() && !a_.stream.empty()) throw UsageError("--stream is for one process, without --parallel");
    if (a_.model.empty() == a_.random_weights.empty()) throw UsageError("give either --model or --random-weights");
    if (a_.request.prompt.empty() && a_.prompt_ids.empty() && a_.messages.empty())
      throw UsageError("give --prompt, --prompt-ids or --messages");
    if (a_.resume && a_.seed == "random") throw UsageError("--resume needs the seed of the run that it goes on with");
    if (!a_.dry_run && a_.task != "auto" && a_.outs.empty()) throw UsageError("give --out FILE.png");
  }

  // The devices, and the other processes.
  void meet() {
    program_.take_place();
    run_.load = load_options("--devices", program_.devices, a_.dtype);
    run_.load.threads = a_.threads;
    run_.graph = !a_.no_graph;
    if (!a_.dry_run) run_.load.parallel = program_.meet(run_.load.device);
  }

  void read_files() {
    const std::filesystem::path source = is_random() ? a_.random_weights : a_.model;
    folder_ = read_folder(source, a_.profile);
    if (!is_random()) checkpoint_ = Checkpoint(source);
    for (const auto& [value, origin] : folder_.origins) std::printf("%s (%s)\n", value.c_str(), origin.c_str());
    if (!a_.tokenizer.empty()) folder_.encoder = open_tokenizer(a_.tokenizer, folder_.profile);
    if (!a_.prompt_ids.empty()) {
      if (a_.request.prompt.empty()) a_.request.prompt = "the prompt of --prompt-ids";
      folder_.encoder = open_text_table(a_.prompt_ids, a_.request.prompt, folder_.profile);
    }
    if (!folder_.encoder) throw Error(folder_.path.string() + ": no tokenizer.json; give --tokenizer or --prompt-ids");
    fill_request(a_, folder_, planned_precision(run_.load));
    run_.load.conditioning = !a_.request.images.empty() || !a_.request.messages.empty();
    run_.load.image_encoder = !a_.target_size.empty() && a_.enlarge != "latent";
    if (!run_.load.conditioning) folder_.profile.vision_parameters = 0;
    if (is_random()) return;
    if (run_.load.conditioning) folder_.profile.vision_parameters = checkpoint_.elements("vision_");
    folder_.profile.vae_parameters =
        checkpoint_.elements(run_.load.conditioning || run_.load.image_encoder ? "vae." : "vae.decoder.");
  }

  // Everything that can be refused is refused here.
  void plan() {
    // --seed random is one number for all.
    for (std::uint64_t* seed : {&a_.request.seed, &*a_.request.text_seed}) {
      *seed = static_cast<std::uint64_t>(run_.load.parallel->agreed(static_cast<std::int64_t>(*seed)));
    }
    pictures_ = pictures_of(a_.sizes, a_.request.seed, a_.request.count);
    if (draws() && is_first()) names_ = std::make_unique<OutputNames>(a_.outs, pictures_);
    for (const std::string& size : a_.sizes) {
      a_.request.size = size;
      const PlannedRequest planned(folder_, *folder_.encoder, a_.request);
      if (draws()) print_plan(stdout, planned);
      if (draws()) print_enlargement(stdout, planned);
      if (draws() && program_.is_shared()) print_share(stdout, planned, program_.layout);
      if (a_.show_prompt) std::printf("prompt: %s\n", planned.prompt_text().c_str());
      require_feasible(planned);
      plan_memory(planned);
    }
    if (is_random()) return;
    check_tensors(checkpoint_, folder_.config);
    const std::size_t unused = checkpoint_.unused().size();
    if (unused > 0) std::printf("%zu tensors of the checkpoint are not needed\n", unused);
  }

  void plan_memory(const PlannedRequest& planned) {
    const MemoryNeed need = memory_need(planned, folder_.config);
    if (program_.layout.devices() > 1) {
      if (draws() && !is_random()) require_own_memory(planned, need);
      return;
    }
    const auto streaming = choose_streaming(a_.stream, planned, need, run_.load);
    if (!is_random()) require_memory(planned, need, run_.load, streaming);
    run_.load.streamed_layers = std::max(run_.load.streamed_layers, static_cast<std::size_t>(streaming.layers));
    if (streaming.layers == 0) return;
    const double rate = copy_rate(run_.load.device);
    std::printf(
        "  streamed: %d of %d layers, %.3g GiB in host memory, %.3g GiB on the device with two buffers; no step is "
        "shorter than %.3g s at %.3g GB/s\n",
        streaming.layers, planned.profile().layers, static_cast<double>(streaming.host_bytes) / gib,
        static_cast<double>(streaming.device_bytes) / gib, streaming.step_seconds(rate), rate / 1e9);
  }

  // Of one process.
  void require_own_memory(const PlannedRequest& planned, MemoryNeed need) {
    const hunyuan_reso::DeviceShare share = share_of(planned, program_.layout);
    need.weights = share.weights.total();
    need.cache = share.cache_bytes;
    need.working = need.working * share.rows / std::max(1, planned.plan().cfg_rows);
    const std::int64_t there = free_memory(run_.load.device);
    if (there <= 0 || need.total() <= there) return;
    char text[200];
    std::snprintf(text, sizeof text, "each process needs %.3g GiB, but %.3g GiB are free on %s: use more processes",
                  static_cast<double>(need.total()) / gib, static_cast<double>(there) / gib,
                  run_.load.device.str().c_str());
    throw Error(text);
  }

  void load() {
    at::manual_seed(a_.request.seed);
    Progress progress;
    if (!is_random()) {
      if (is_first())
        checkpoint_.start_progress([&](std::int64_t done, std::int64_t all) { progress.loading(done, all); });
    }
    const auto start = std::chrono::steady_clock::now();
    generator_ = std::make_unique<Generator>(folder_, *folder_.encoder, checkpoint_, run_);
    checkpoint_.start_progress({});
    progress.clear();
    if (program_.processes) {
      program_.processes->wait_for_all();
      std::printf("%lld processes are ready\n", static_cast<long long>(program_.layout.devices()));
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("loaded in %.2f s\n", seconds.count());
    report_ = described(a_, program_.devices, folder_, run_);
    description_ = report_;
    report_["load_seconds"] = seconds.count();
    report_["streamed_layers"] = run_.load.streamed_layers;
  }

  // The pictures of one size, in runs of seeds whose files are not there.
  void draw(std::size_t size) {
    std::vector<Picture> todo;
    for (const Picture& picture : pictures_) {
      if (picture.size != size) continue;
      const bool there = a_.resume && names_ && names_->all_exist(picture);
      const bool done = run_.load.parallel->agreed(there ? 1 : 0) != 0;
      if (done && names_)
        report_["pictures"].push_back({{"seed", picture.seed}, {"files", names_->of(picture)}, {"was_there", true}});
      if (done && names_) std::printf("%s is there\n", names_->of(picture).front().c_str());
      if (!done) todo.push_back(picture);
    }
    for (std::size_t first = 0, next = 0; first < todo.size(); first = next) {
      while (next < todo.size() && todo[next].index - todo[first].index == next - first) ++next;
      draw(a_.sizes[size],
           {todo.begin() + static_cast<std::ptrdiff_t>(first), todo.begin() + static_cast<std::ptrdiff_t>(next)});
    }
  }

  void draw(const std::string& size, std::vector<Picture> pictures) {
    Request request = a_.request;
    request.size = size;
    request.seed = pictures.front().seed;
    request.count = static_cast<std::int32_t>(pictures.size());
    Json drawn = Json::array();
    Progress progress;
    Listener listener = listen(progress);
    if (is_first())
      listener.picture = [&](const Outcome& so_far) {
        progress.clear();
        Picture& picture = pictures.at(drawn.size());
        const at::Tensor& pixels = so_far.pictures.back();
        picture.pixels = std::to_string(pixels.size(0)) + "x" + std::to_string(pixels.size(1));
        drawn.push_back(write(picture, pixels, described(so_far, size)));
      };
    const Outcome outcome = generator_->generate(request, listener);
    progress.clear();
    if (!outcome.text.finished) {
      std::printf("note: the chain of thought was cut off after %zu tokens; allow more with --max-new-tokens\n",
                  outcome.text.thought_tokens);
    }
    print_times(outcome);
    print_enlargement_times(outcome);
    for (Json& picture : drawn) {
      picture["seconds"] = {{"conditioning", outcome.encode_seconds},
                            {"text", outcome.text_seconds},
                            {"loop", outcome.loop_seconds},
                            {"vae", outcome.decode_seconds}};
      picture["batch"] = outcome.batch;
      picture["reused_tokens"] = outcome.reused_tokens;
      report_["pictures"].push_back(std::move(picture));
    }
  }

  // Writes one picture and says what it is.
  Json write(const Picture& picture, const at::Tensor& pixels, Json description) const {
    Json all = description_;
    all.update(description);
    const PictureTexts texts =
        a_.no_metadata ? PictureTexts() : PictureTexts{{"hunyuan-generate", all.dump(-1, ' ', false, replaced)}};
    for (const std::string& name : names_->of(picture)) {
      write_picture(name, pixels, texts);
      std::printf("%s: %s pixels, seed %llu\n", name.c_str(), picture.pixels.c_str(),
                  static_cast<unsigned long long>(picture.seed));
    }
    description["files"] = names_->of(picture);
    return description;
  }

  void answer() {
    Progress progress;
    const Outcome outcome = generator_->generate(a_.request, listen(progress));
    progress.clear();
    std::printf("%s%s\n", outcome.text.answer.c_str(), outcome.text.finished ? "" : " [cut off]");
    print_times(outcome);
    report_["answers"].push_back({{"answer", outcome.text.answer}, {"finished", outcome.text.finished}});
  }

  Listener listen(Progress& progress) {
    Listener listener;
    listener.planned = [this](const PlannedRequest& planned) { steps_ = planned.calls(); };
    if (!is_first()) return listener;
    listener.text = [&progress](std::int64_t, const std::string& added) { progress.text(added); };
    listener.decoding = [&progress](std::int64_t index) { progress.decoding(index); };
    listener.step = [this, &progress](std::int64_t step, double seconds) { progress.step(step, steps_, seconds); };
    return listener;
  }

  static constexpr Json::error_handler_t replaced = Json::error_handler_t::replace;  // bytes that are no UTF-8

  Program& program_;
  Arguments& a_;
  Folder folder_;
  Checkpoint checkpoint_ = Checkpoint::random();
  RunOptions run_;
  std::vector<Picture> pictures_;
  std::unique_ptr<OutputNames> names_;
  std::unique_ptr<Generator> generator_;
  std::int64_t steps_ = 1;
  Json description_, report_;
};

}  // namespace

void run_generate(Program& program, Arguments& arguments) { Run(program, arguments).run(); }

}  // namespace hunyuan_generate
