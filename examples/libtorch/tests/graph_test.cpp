// SPDX-License-Identifier: MIT
// hunyuan-generate-graph-test DIR: captures the steady-state denoising step of every recorded image case in a CUDA
// graph, replays it for all later steps and compares the latents with those of the same steps run one by one.
#include <ATen/cuda/CUDAGraph.h>  // CUDAGraph
#include <c10/cuda/CUDAGuard.h>   // CUDAStreamGuard
#include <c10/cuda/CUDAStream.h>  // getStreamFromPool

#include "pipeline/folder.hpp"
#include "tests/test_support.hpp"
#include "tools/recording.hpp"

namespace hunyuan_generate {
namespace {

constexpr double limit = 1e-6;  // the same kernels on the same numbers

struct Setting {
  const char* name;
  at::ScalarType dtype;
  ExpertPath experts;
};

class GraphTest : TestReport {
 public:
  explicit GraphTest(const std::filesystem::path& folder)
      : folder_(folder), files_(read_folder(folder)), checkpoint_(folder) {}

  int run() {
    const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
    settings({"fp32, every expert", at::kFloat, ExpertPath::every_expert});
    if (grouped_available()) settings({"bf16, grouped", at::kBFloat16, ExpertPath::grouped});
    return finish();
  }

 private:
  void settings(const Setting& setting) {
    LoadOptions load;
    load.device = at::Device(at::kCUDA, 0);
    load.dtype = load.vae_dtype = setting.dtype;
    const Model model(checkpoint_, files_.config, load);
    Comparison comparison(SafetensorsFile(folder_ / "io.safetensors"), load.device, Arithmetic::fp32, true);
    ComputeOptions options;
    options.experts = setting.experts;
    CheckContext context{model, comparison, options, files_.profile};
    for (const auto& [name, entry] : comparison.recorded().entries()) {
      const std::size_t dot = name.rfind(".init_latents");
      if (dot != std::string::npos) one_case({context, name.substr(0, dot + 1)}, setting.name);
    }
  }

  void one_case(const RecordedCase& recorded, const std::string& setting) {
    const ScheduleTensors schedule = recorded.schedule();
    const std::int64_t steps = schedule.steps;
    Denoiser denoiser = recorded.denoiser(schedule);
    const at::Tensor noise = recorded.input("init_latents");

    denoiser.start(noise);
    denoiser.first_step();
    const at::Tensor after_first = denoiser.latents().clone();
    for (std::int64_t step = 1; step < steps; ++step) denoiser.later_step();
    const at::Tensor expected = denoiser.latents().clone();

    denoiser.start(noise);
    denoiser.first_step();
    if (steps < 2) return;
    at::cuda::CUDAGraph graph;
    graph.capture_begin();
    denoiser.later_step();
    graph.capture_end();
    for (std::int64_t step = 1; step < steps; ++step) graph.replay();
    const double difference = (denoiser.latents() - expected).abs().max().item<double>();
    const double change = (expected - after_first).abs().max().item<double>();
    std::printf("%-12s %-20s difference %.3g, change by the replayed steps %.3g\n", recorded.prefix().c_str(),
                setting.c_str(), difference, change);
    check(difference <= limit && change > 1e-2, recorded.prefix() + " " + setting);
  }

  std::filesystem::path folder_;
  Folder files_;
  Checkpoint checkpoint_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  return hunyuan_generate::run_on_folder<hunyuan_generate::GraphTest>("hunyuan-generate-graph-test", count, values);
}
