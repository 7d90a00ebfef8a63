// SPDX-License-Identifier: MIT
// hunyuan-generate-bench: what a denoising step costs on a GPU, with random weights in the published shape.
#include <ATen/Context.h>  // globalContext

#include <algorithm>  // max, min, minmax_element

#include "tools/bench.hpp"

namespace hunyuan_generate {
namespace {

// A way to run the loop, and what it took.
struct Variant {
  std::string name;
  const RandomModel* model = nullptr;
  ComputeOptions compute;
  bool kernels = true, graph = true;
  std::vector<double> first, steady, host;  // seconds, one of each round
  double capture = 0, peak = 0;
};

double spread(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return 100 * (*high - *low) / *low;
}

class StepBench {
 public:
  explicit StepBench(const BenchArguments& arguments) : arguments_(arguments), device_(arguments.devices.front()) {
    if (arguments.dtype != "fp8") make(Precision::plain);
    const bool small = arguments.dtype == "fp8" || (arguments.dtype == "both" && small_products(device_));
    if (small) make(Precision::fp8);
  }

  void compare() {
    const RandomModel& model = *models_.front();
    const Request request = model.request(arguments_.base, arguments_.steps);
    const PlannedRequest planned(model.folder(), *model.folder().encoder, request);
    print_plan(stdout, planned);
    plan_ = planned.plan();
    ceilings_ = measure_ceilings(device_);
    std::printf("measured: products %.0f TFLOP/s in bf16, %.0f in fp8; copies %.0f GB/s\n", ceilings_.bf16 / 1e12,
                ceilings_.fp8 / 1e12, ceilings_.copy / 1e9);
    list_variants();
    for (int round = 0; round < arguments_.rounds; ++round) {
      // A B B A: what drifts is shared out.
      for (std::size_t i = 0; i < variants_.size(); ++i) {
        run(variants_[round % 2 == 0 ? i : variants_.size() - 1 - i]);
      }
    }
    std::printf("%-28s %10s %10s %8s %10s %9s %8s\n", "loop", "step 0 s", "steady s", "spread", "host s", "TFLOP/s",
                "GiB");
    for (const Variant& variant : variants_) print(variant);
    for (Variant& variant : variants_) parts(variant);
  }

  // Raises the base size until a run fails.
  void find_largest() {
    const RandomModel& model = *models_.front();
    const hunyuan_reso::SizeTokens& ladder = model.folder().profile.size_tokens;
    for (std::size_t i = 0; i < ladder.count; ++i) {
      const std::int32_t base = ladder.base_sizes[i];
      if (base < arguments_.base) continue;
      const Request request = model.request(base, arguments_.steps);
      const PlannedRequest planned(model.folder(), *model.folder().encoder, request);
      const hunyuan_reso::GenerationPlan& plan = planned.plan();
      std::string predicted = "feasible";
      try {
        require_feasible(plan);
      } catch (const Error& error) {
        predicted = error.what();
      }
      std::string result = "runs";
      double first = 0, later = 0;
      try {
        const auto loop = model.denoiser(request, model.generator().compute());
        const LoopTimes times = run_loop(*loop, model.generator().noise(plan, 1), 2, device_, false, {});
        first = times.steps[0];
        later = times.steps[1];
      } catch (const c10::Error& error) {
        result = error.what_without_backtrace();
        result = result.substr(0, result.find('\n'));
      } catch (const Error& error) {
        result = error.what();
      }
      std::printf("base %d: %d tokens, plan: %s; here: %s (step 0 %.3f s, step 1 %.3f s, peak %.1f GiB)\n", base,
                  plan.sequence_length, predicted.c_str(), result.c_str(), first, later, memories().front());
      print_json({{"bench", "max_base"},
                  {"base", base},
                  {"tokens", plan.sequence_length},
                  {"plan", predicted},
                  {"result", result},
                  {"step0_s", first},
                  {"step1_s", later},
                  {"peak_gib", memories()}});
      if (result != "runs" || first > 60) return;
      release_memory();
    }
  }

 private:
  void make(Precision precision) {
    models_.push_back(std::make_unique<RandomModel>(arguments_, precision));
    std::printf("weights: %d layers, %s, %.1f GiB reserved, made in %.1f s\n", arguments_.layers,
                precision == Precision::fp8 ? "fp8" : "plain", memories().front(), models_.back()->seconds());
  }

  // Peak of each device, in GiB.
  [[nodiscard]] std::vector<double> memories() const {
    std::vector<double> peaks;
    for (const at::Device device : arguments_.devices) peaks.push_back(peak_gib(device));
    return peaks;
  }

  void list_variants() {
    for (const auto& model : models_) {
      const ComputeOptions best = model->generator().compute();
      const bool graph = model->generator().can_capture(best), grouped = best.experts == ExpertPath::grouped;
      const bool small = model->generator().model().options.precision == Precision::fp8;
      const std::string name = small ? "fp8" : device_.is_cpu() ? "fp32" : "bf16";
      const auto add = [&](const std::string& what, const ComputeOptions& compute, bool kernels, bool captured) {
        variants_.push_back({name + what, model.get(), compute, kernels, captured, {}, {}, {}, 0, 0});
      };
      if (!arguments_.only_best && !small) add(", sorted experts, ATen", {ExpertPath::sorted, false}, false, false);
      if (!arguments_.only_best && grouped && kernels_built())
        add(", ATen" + std::string(graph ? ", graph" : ""), best, false, graph);
      add(std::string(kernels_built() ? ", kernels" : ", ATen") + (graph ? ", graph" : ""), best, true, graph);
    }
  }

  [[nodiscard]] LoopTimes loop(const Variant& variant, const SteadyHook& hook) const {
    use_kernels(variant.kernels);
    const RandomModel& model = *variant.model;
    const auto denoiser = model.denoiser(model.request(arguments_.base, arguments_.steps), variant.compute);
    const at::Tensor noise = model.generator().noise(plan_, 1);
    run_loop(*denoiser, noise, 3, device_, false, {});  // warms up
    const LoopTimes times = run_loop(*denoiser, noise, plan_.steps, device_, variant.graph, {}, hook);
    use_kernels(true);
    return times;
  }

  void run(Variant& variant) {
    release_memory();
    for (const at::Device device : arguments_.devices) reset_peak_memory(device);
    const LoopTimes times = loop(variant, {});
    std::vector<double> later(
        times.steps.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(times.steps.size()) - 1),
        times.steps.end());
    variant.first.push_back(times.steps.front());
    variant.steady.push_back(median(later));
    variant.host.push_back(times.steady_wall / static_cast<double>(later.size()));
    variant.capture = times.capture;
    variant.peak = std::max(variant.peak, memories().front());
  }

  void print(const Variant& v) const {
    const double step = median(v.steady), flops = plan_.later_step_flop / step;
    std::printf("%-28s %10.4f %10.4f %7.1f%% %10.4f %9.1f %8.1f\n", v.name.c_str(), median(v.first), step,
                spread(v.steady), median(v.host), flops / 1e12, v.peak);
    print_json({{"bench", "step"},
                {"loop", v.name},
                {"layers", arguments_.layers},
                {"base", plan_.image.base_size},
                {"tokens", plan_.sequence_length},
                {"rows", plan_.cfg_rows},
                {"steps", plan_.steps},
                {"step0_s", v.first},
                {"steady_s", v.steady},
                {"steady_host_s", v.host},
                {"capture_s", v.capture},
                {"flops", flops},
                {"ceiling_flops", ceilings_.bf16},
                {"peak_gib", v.peak}});
  }

  // Where a steady step's time goes, from the profiler's kernels by name, beside the floor of each part.
  void parts(const Variant& v) const {
    release_memory();
    KernelTime kernels;
    const LoopTimes times = loop(v, [&](bool begins) {
      if (begins) {
        start_kernel_time();
      } else {
        kernels = stop_kernel_time();
      }
    });
    if (kernels.events == 0) return;
    const auto steps = static_cast<double>(times.steps.size() - 2);
    const std::int64_t grid = std::int64_t{plan_.image.token_height} * plan_.image.token_width;
    const bool small = v.model->generator().model().options.precision == Precision::fp8;
    const StepWork work = work_of_step(v.model->folder().config, plan_.cfg_rows, grid, plan_.sequence_length, small);
    const struct {
      KernelKind kind;
      const char* name;
      double floor;
    } kinds[] = {{KernelKind::product, "products",
                  work.products / (small ? ceilings_.fp8 : ceilings_.bf16) + work.other_products / ceilings_.bf16},
                 {KernelKind::attention, "attention", work.attention / ceilings_.bf16},
                 {KernelKind::glue, "glue", work.glue / ceilings_.copy},
                 {KernelKind::copy, "copies", 0},
                 {KernelKind::exchange, "exchange", 0}};
    const auto shares = static_cast<double>(arguments_.share->tensor.count * arguments_.share->guidance.count);
    const double step = kernels.span / steps;
    std::printf("%s under the profiler: %.4f s a step, %.2f%% idle\n", v.name.c_str(), step,
                100 * (1 - kernels.busy / kernels.span));
    nlohmann::json line{{"bench", "parts"}, {"loop", v.name}, {"step_s", step}, {"busy_s", kernels.busy / steps}};
    for (const auto& [kind, name, whole_floor] : kinds) {
      const KernelTime::Kernel part = kernels.sum(kind);
      const double seconds = part.seconds / steps, floor = whole_floor / shares;
      if (part.count == 0) continue;
      std::printf("  %-10s %8.4f s %5.1f%%, floor %.4f s (%3.0f%%), %.0f kernels\n", name, seconds,
                  100 * seconds / step, floor, seconds > 0 ? 100 * floor / seconds : 0,
                  static_cast<double>(part.count) / steps);
      line[name] = {{"s", seconds}, {"floor_s", floor}};
    }
    print_json(line);
    kernels.print_longest(24, steps);
  }

  BenchArguments arguments_;
  at::Device device_;
  std::vector<std::unique_ptr<RandomModel>> models_;
  std::vector<Variant> variants_;
  hunyuan_reso::GenerationPlan plan_;
  Ceilings ceilings_;
};

bool measure(const BenchArguments& arguments) {
  at::globalContext().setBenchmarkCuDNN(arguments.tries);
  if ((arguments.kernels || arguments.vae) && !arguments.devices.front().is_cuda())
    throw Error("--kernels and --vae need a GPU");
  if (arguments.kernels) bench_kernels(arguments.devices.front());
  if (arguments.vae) bench_vae(arguments);
  if (arguments.whole) bench_whole(arguments);
  if (arguments.error) return bench_error(arguments);
  if (arguments.kernels || arguments.vae || arguments.whole) return true;
  StepBench bench(arguments);
  arguments.max_base ? bench.find_largest() : bench.compare();
  return true;
}

// Alone, or as one of several processes of which the first prints.
bool run(Program& program, BenchArguments& arguments) {
  program.take_place();
  arguments.devices = parse_devices("--devices", program.devices);
  for (const at::Device device : arguments.devices) prepare_device(device);
  make_current(arguments.devices.front());
  arguments.share = program.meet(arguments.devices.front());
  if (program.processes) program.processes->wait_for_all();
  return measure(arguments);
}

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Program program("What a denoising step costs, with random weights in the published shape.",
                                    "hunyuan-generate-bench");
  program.devices = "0";
  program.patience = 120;  // also while weights are made and ceilings measured
  hunyuan_generate::BenchArguments arguments;
  CLI::App& app = program.app;
  app.add_option("--layers", arguments.layers, "Decoder layers; 32 in the published model")->capture_default_str();
  app.add_option("--base", arguments.base, "Base size; the picture is square")->capture_default_str();
  app.add_option("--steps", arguments.steps, "Steps of a loop")->check(CLI::Range(3, 1000))->capture_default_str();
  app.add_option("--rounds", arguments.rounds, "Loops of each variant, in turn")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--hidden", arguments.hidden, "Hidden size; smaller ones are for trying the program")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  app.add_option("--devices", program.devices, "Numbers of GPUs (or cpu) to spread the layers over")
      ->capture_default_str();
  app.add_option("--parallel", program.parallel,
                 "tpN, cfgN or tpNcfgM: measure what N processes, started with torchrun, compute together");
  app.add_option("--dtype", arguments.dtype,
                 "Products of the decoder layers: plain (bf16, fp32 on the CPU), fp8 or both")
      ->check(CLI::IsMember({"plain", "fp8", "both"}))
      ->capture_default_str();
  app.add_flag("--tries", arguments.tries, "Let cuDNN try its convolutions in place of guessing");
  app.add_flag("--only-best", arguments.only_best, "Leave the slower loops out");
  app.add_flag("--max-base", arguments.max_base, "Raise the base size until a run fails");
  app.add_flag("--kernels", arguments.kernels, "Each kernel and product alone, with its floor");
  app.add_flag("--vae", arguments.vae, "The autoencoder's decoder alone, at full size");
  app.add_flag("--whole", arguments.whole,
               "From noise to a PNG file: 50 steps in two rows, then a distilled model's 8");
  app.add_flag("--error", arguments.error,
               "How far fp8 is from bf16, by tensor and over a loop; status 1 over a limit");
  app.add_option("--out", arguments.out, "--whole: folder for the PNG files; else this one");
  return program.run(count, values, [&] { return hunyuan_generate::run(program, arguments); });
}
