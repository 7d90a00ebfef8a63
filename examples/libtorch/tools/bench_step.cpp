// SPDX-License-Identifier: MIT
// hunyuan-generate-bench: what a denoising step costs on a GPU, with random weights in the published shape.
#include <ATen/Context.h>            // manual_seed
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/util/Exception.h>      // c10::Error

#include <CLI/CLI.hpp>
#include <algorithm>  // sort
#include <chrono>     // steady_clock
#include <cstdio>     // printf
#include <nlohmann/json.hpp>

#include "adapter/error.hpp"
#include "pipeline/generator.hpp"
#include "tools/kernel_time.hpp"

namespace hunyuan_generate {
namespace {

constexpr double gib = 1024.0 * 1024.0 * 1024.0;

struct Arguments {
  std::int32_t layers = 8, base = 1024, steps = 20;
  std::int64_t hidden = 4096;
  std::string devices = "0";
  bool max_base = false, only_best = false;
};

ModelConfig published_shape(const Arguments& a) {
  ModelConfig config;
  config.vocab_size = 133120;
  config.hidden_size = a.hidden;
  config.heads = 32;
  config.key_value_heads = 8;
  config.head_dim = 128;
  config.layers.assign(static_cast<std::size_t>(a.layers),
                       {false, 64, 8, 3072 * a.hidden / 4096, 3072 * a.hidden / 4096});
  config.patch_embed_hidden_dim = 1024;
  config.vae.latent_channels = 32;
  config.vae.only_encoder = true;  // the loop alone: no decoder is built
  return config;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// FLOP/s of a bfloat16 product of two 8192 x 8192 matrices.
double matrix_ceiling(at::Device device) {
  constexpr std::int64_t side = 8192;
  constexpr int repeats = 50;
  const auto options = at::TensorOptions().dtype(at::kBFloat16).device(device);
  const at::Tensor a = at::randn({side, side}, options), b = at::randn({side, side}, options);
  at::Tensor c = at::mm(a, b);
  for (int i = 0; i < 5; ++i) at::mm_out(c, a, b);
  synchronize(device);
  const double start = now();
  for (int i = 0; i < repeats; ++i) at::mm_out(c, a, b);
  synchronize(device);
  return 2.0 * side * side * side * repeats / (now() - start);
}

// Median of the steps after step 1.
double steady_step(const LoopTimes& times) {
  if (times.steps.size() < 3) return times.steps.back();
  std::vector<double> steady(times.steps.begin() + 2, times.steps.end());
  std::sort(steady.begin(), steady.end());
  return steady[steady.size() / 2];
}

class Bench {
 public:
  Bench(const Arguments& arguments, const std::vector<at::Device>& devices)
      : arguments_(arguments), devices_(devices), device_(devices.front()), checkpoint_(Checkpoint::random()) {
    folder_.config = published_shape(arguments);
    folder_.profile = configured_profile(hunyuan_reso::profiles::instruct, folder_.config);
    folder_.encoder = make_byte_encoder(folder_.profile, 1000);
    run_.load.device = device_;
    if (devices.size() > 1) run_.load.layer_devices = devices;
    run_.load.conditioning = false;  // the loop alone
    run_.load.dtype = run_.load.vae_dtype = device_.is_cpu() ? at::kFloat : at::kBFloat16;
    request_.prompt = std::string(100, 'a');
    request_.task = hunyuan_reso::BotTask::image;
    request_.steps = arguments.steps;
    at::manual_seed(1);
    const double start = now();
    // The limits of the sequence are the plan's business here: the loop itself is to run as far as it can.
    open_.config = folder_.config;
    open_.profile = folder_.profile;
    open_.profile.max_length = open_.profile.position_table = 1 << 22;
    generator_ = std::make_unique<Generator>(folder_, *folder_.encoder, checkpoint_, run_);
    synchronize(device_);
    std::printf("weights: %d layers, %.1f GiB reserved, made in %.1f s\n", arguments.layers, memory(), now() - start);
  }

  void compare() {
    request_of(arguments_.base);
    const PlannedRequest planned(folder_, *folder_.encoder, request_);
    print_plan(stdout, planned);
    const hunyuan_reso::GenerationPlan& plan = planned.plan();
    const double ceiling = device_.is_cuda() ? matrix_ceiling(device_) : 0;
    std::printf("%-24s %10s %10s %10s %10s %8s %8s\n", "loop", "step 0 s", "steady s", "host s", "TFLOP/s", "ceiling",
                "GiB");
    ComputeOptions best = generator_->compute();
    if (!arguments_.only_best) measure("sorted", plan, {ExpertPath::sorted, false}, false, ceiling);
    if (best.experts == ExpertPath::sorted) {
      std::printf("no grouped products here: nothing else to compare\n");
      return;
    }
    if (!arguments_.only_best) measure("grouped", plan, best, false, ceiling);
    if (!generator_->can_capture(best)) {
      std::printf("layers on several devices: no graph\n");
      if (arguments_.only_best) measure("grouped", plan, best, false, ceiling);
      return;
    }
    measure("grouped, graph", plan, best, true, ceiling);
  }

  // Raises the base size until a run fails.
  void find_largest() {
    const hunyuan_reso::SizeTokens& ladder = folder_.profile.size_tokens;
    for (std::size_t i = 0; i < ladder.count; ++i) {
      const std::int32_t base = ladder.base_sizes[i];
      if (base < arguments_.base) continue;
      request_of(base);
      const PlannedRequest planned(folder_, *folder_.encoder, request_);
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
        const auto loop = denoiser(generator_->compute());
        const LoopTimes times = run_loop(*loop, generator_->noise(plan, 1), 2, device_, false, {});
        first = times.steps[0];
        later = times.steps[1];
      } catch (const c10::Error& error) {
        result = error.what_without_backtrace();
        result = result.substr(0, result.find('\n'));
      } catch (const Error& error) {
        result = error.what();
      }
      std::printf("base %d: %d tokens, plan: %s; here: %s (step 0 %.3f s, step 1 %.3f s, peak %.1f GiB)\n", base,
                  plan.sequence_length, predicted.c_str(), result.c_str(), first, later, memory());
      const nlohmann::json line{{"bench", "max_base"}, {"base", base},          {"tokens", plan.sequence_length},
                                {"plan", predicted},   {"result", result},      {"step0_s", first},
                                {"step1_s", later},    {"peak_gib", memories()}};
      std::printf("JSON %s\n", line.dump().c_str());
      std::fflush(stdout);
      if (result != "runs" || first > 60) return;
      release_memory();
    }
  }

 private:
  void request_of(std::int32_t base) {
    request_.base_size = base;
    request_.size = std::to_string(base) + "x" + std::to_string(base);
  }
  [[nodiscard]] std::unique_ptr<Denoiser> denoiser(const ComputeOptions& compute) const {
    const PlannedRequest planned(open_, *folder_.encoder, request_);
    return generator_->denoiser(planned, compute);
  }

  // Peak of each device, in GiB.
  [[nodiscard]] std::vector<double> memories() const {
    std::vector<double> peaks;
    for (const at::Device device : devices_) peaks.push_back(static_cast<double>(peak_memory(device)) / gib);
    return peaks;
  }
  [[nodiscard]] double memory() const { return memories().front(); }

  void measure(const char* name, const hunyuan_reso::GenerationPlan& plan, const ComputeOptions& compute, bool graph,
               double ceiling) {
    release_memory();
    for (const at::Device device : devices_) reset_peak_memory(device);
    const auto loop = denoiser(compute);
    const at::Tensor noise = generator_->noise(plan, 1);
    run_loop(*loop, noise, 3, device_, false, {});  // warms up
    const LoopTimes times = run_loop(*loop, noise, plan.steps, device_, graph, {});
    const double step = steady_step(times);
    const double flops = plan.later_step_flop / step;
    const auto steady_steps = static_cast<double>(times.steps.size() > 2 ? times.steps.size() - 2 : 1);
    std::printf("%-24s %10.4f %10.4f %10.4f %10.1f %8.1f %8.1f\n", name, times.steps[0], step,
                times.steady_wall / steady_steps, flops / 1e12, ceiling / 1e12, memory());
    for (std::size_t i = 1; i < devices_.size(); ++i) {
      std::printf("  device %s: peak %.1f GiB\n", devices_[i].str().c_str(), memories()[i]);
    }
    KernelTime kernels;
    run_loop(*loop, noise, plan.steps, device_, graph, {}, [&](bool begins) {
      if (begins) {
        start_kernel_time();
      } else {
        kernels = stop_kernel_time();
      }
    });
    const double busy = kernels.busy / steady_steps;
    if (kernels.events > 0) {
      std::printf("  kernels %.4f s a step (%.0f of them): %.2f%% of the steady step not spent in kernels\n", busy,
                  static_cast<double>(kernels.events) / steady_steps, 100 * (1 - busy / step));
      std::printf("  under the profiler: busy %.4f s of %.4f s, %.2f%% idle\n", kernels.busy, kernels.span,
                  100 * (1 - kernels.busy / kernels.span));
    }
    const nlohmann::json line{{"bench", "step"},
                              {"loop", name},
                              {"layers", arguments_.layers},
                              {"base", plan.image.base_size},
                              {"tokens", plan.sequence_length},
                              {"rows", plan.cfg_rows},
                              {"steps", plan.steps},
                              {"step0_s", times.steps[0]},
                              {"steady_s", step},
                              {"steady_host_s", times.steady_wall / steady_steps},
                              {"capture_s", times.capture},
                              {"kernel_s", busy},
                              {"kernel_events", kernels.events},
                              {"flops", flops},
                              {"ceiling_flops", ceiling},
                              {"peak_gib", memories()}};
    std::printf("JSON %s\n", line.dump().c_str());
    std::fflush(stdout);
  }

  Arguments arguments_;
  std::vector<at::Device> devices_;
  at::Device device_;
  Folder folder_, open_;
  Checkpoint checkpoint_;
  RunOptions run_;
  Request request_;
  std::unique_ptr<Generator> generator_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Arguments arguments;
  CLI::App app("What a denoising step costs, with random weights in the published shape.", "hunyuan-generate-bench");
  app.add_option("--layers", arguments.layers, "Decoder layers; 32 in the published model")->capture_default_str();
  app.add_option("--base", arguments.base, "Base size; the picture is square")->capture_default_str();
  app.add_option("--steps", arguments.steps, "Steps of a loop")->check(CLI::Range(3, 1000))->capture_default_str();
  app.add_option("--hidden", arguments.hidden, "Hidden size; smaller ones are for trying the program")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  app.add_option("--devices", arguments.devices, "Numbers of GPUs (or cpu) to spread the layers over")
      ->capture_default_str();
  app.add_flag("--only-best", arguments.only_best, "Leave the slower loops out");
  app.add_flag("--max-base", arguments.max_base, "Raise the base size until a run fails");
  CLI11_PARSE(app, count, values);
  try {
    const c10::InferenceMode inference;
    const auto devices = hunyuan_generate::parse_devices("--devices", arguments.devices);
    for (const at::Device device : devices) hunyuan_generate::prepare_device(device);
    hunyuan_generate::Bench bench(arguments, devices);
    arguments.max_base ? bench.find_largest() : bench.compare();
    return 0;
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "hunyuan-generate-bench: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-bench: %s\n", error.what());
  }
  return 1;
}
