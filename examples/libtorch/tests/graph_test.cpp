// SPDX-License-Identifier: MIT
// hunyuan-generate-graph-test DIR: captures the steady-state denoising step of every recorded image case in a CUDA
// graph, replays it for all later steps and compares the latents with those of the same steps run one by one.
#include <ATen/cuda/CUDAGraph.h>     // CUDAGraph
#include <c10/core/InferenceMode.h>  // InferenceMode
#include <c10/cuda/CUDAGuard.h>      // CUDAStreamGuard
#include <c10/cuda/CUDAStream.h>     // getStreamFromPool

#include "adapter/error.hpp"
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

class GraphTest {
 public:
  explicit GraphTest(const std::filesystem::path& folder)
      : folder_(folder), files_(read_folder(folder)), checkpoint_(folder) {}

  int run() {
    const c10::InferenceMode inference;
    const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
    settings({"fp32, every expert", at::kFloat, ExpertPath::every_expert});
    if (grouped_available()) settings({"bf16, grouped", at::kBFloat16, ExpertPath::grouped});
    return report_.finish();
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
      if (dot != std::string::npos) one_case(context, name.substr(0, dot + 1), setting.name);
    }
  }

  void one_case(CheckContext& context, const std::string& prefix, const std::string& setting) {
    Comparison& comparison = context.comparison;
    const auto steps = comparison.input(prefix + "num_steps").item<std::int64_t>();
    const ScheduleTensors schedule = schedule_tensors(steps, comparison.input(prefix + "flow_shift").item<double>());
    const RecordedImage image = recorded_image(context, prefix);
    auto conditioning =
        conditioning_vectors(context.model, image.layout, recorded_conditioning(context, prefix, image.layout), {});
    Denoiser denoiser(context.model, image.sequence, std::move(conditioning), schedule,
                      comparison.input(prefix + "guidance_scale").item<double>(), context.options);
    const at::Tensor noise = comparison.input(prefix + "init_latents");

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
    std::printf("%-12s %-20s difference %.3g, change by the replayed steps %.3g\n", prefix.c_str(), setting.c_str(),
                difference, change);
    report_.check(difference <= limit && change > 1e-2, prefix + " " + setting);
  }

  std::filesystem::path folder_;
  Folder files_;
  Checkpoint checkpoint_;
  TestReport report_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  try {
    if (count != 2) throw hunyuan_generate::Error("usage: hunyuan-generate-graph-test DIR");
    return hunyuan_generate::GraphTest(values[1]).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hunyuan-generate-graph-test: %s\n", error.what());
  }
  return 2;
}
