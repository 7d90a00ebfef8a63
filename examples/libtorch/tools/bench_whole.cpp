// SPDX-License-Identifier: MIT
// From noise to a PNG file, the autoencoder's decoder alone, and how far fp8 is from bf16.
#include <ATen/Context.h>  // globalContext, manual_seed

#include "pipeline/picture.hpp"
#include "tools/bench.hpp"

namespace hunyuan_generate {
namespace {

// Limits of the relative error in the Euclidean norm, fp8 against bf16 on the same random weights.
constexpr double layer_limit = 0.25, loop_limit = 0.12;

double relative(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor expected = b.to(at::kDouble);
  return ((a.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

void draw(const BenchArguments& arguments, bool distilled, std::int32_t steps) {
  release_memory();
  for (const at::Device device : arguments.devices) {
    (void)at::zeros({1}, at::TensorOptions().device(device));  // statistics exist from the first tensor on
    reset_peak_memory(device);
  }
  const Precision precision = arguments.dtype == "plain" ? Precision::plain : Precision::fp8;
  ModelConfig config = published_shape(arguments.layers, arguments.hidden, Coder::decoder);
  config.cfg_distilled = config.use_meanflow = distilled;
  const RandomModel model(config, arguments.devices, precision, arguments.share);
  const bool is_first = arguments.share->tensor.index == 0 && arguments.share->guidance.index == 0;
  const double loaded = peak_gib(arguments.devices.front());
  Request request = model.request(arguments.base, steps);
  const std::string path = (arguments.out.empty() ? "." : arguments.out) + "/whole_" + std::to_string(steps) + ".png";
  std::vector<double> walls, loops, decodes;
  Outcome outcome;
  for (int i = 0; i < arguments.rounds; ++i) {
    request.seed = static_cast<std::uint64_t>(i);
    const double start = now();
    outcome = model.generator().generate(request);
    if (is_first) write_picture(path, outcome.pictures.front());
    walls.push_back(now() - start);
    loops.push_back(outcome.loop_seconds);
    decodes.push_back(outcome.decode_seconds);
  }
  const double peak = peak_gib(arguments.devices.front());
  std::printf("%d layers, %s, %d steps, %d rows, %dx%d: weights made in %.1f s (peak %.1f GiB)\n", arguments.layers,
              precision == Precision::fp8 ? "fp8" : "plain", steps, outcome.plan.cfg_rows, arguments.base,
              arguments.base, model.seconds(), loaded);
  for (std::size_t i = 0; i < walls.size(); ++i) {
    std::printf("  noise to PNG %.2f s: loop %.2f s, decoder %.3f s%s\n", walls[i], loops[i], decodes[i],
                i == 0 ? " (first: libraries choose and allocate)" : "");
  }
  std::printf("  step 0 %.4f s, steady %.4f s, peak %.1f GiB\n", outcome.times.steps.front(),
              outcome.times.steps.back(), peak);
  print_json({{"bench", "whole"},
              {"layers", arguments.layers},
              {"steps", steps},
              {"rows", outcome.plan.cfg_rows},
              {"made_s", model.seconds()},
              {"wall_s", walls},
              {"loop_s", loops},
              {"decode_s", decodes},
              {"peak_gib", peak}});
}

}  // namespace

void bench_whole(const BenchArguments& arguments) {
  draw(arguments, false, 50);
  if (arguments.share->guidance.count == 1) draw(arguments, true, 8);  // one row cannot be shared
}

void bench_vae(const BenchArguments& arguments) {
  const at::Device device = arguments.devices.front();
  const ModelConfig config = published_shape(arguments.layers, arguments.hidden, Coder::decoder);
  const Checkpoint checkpoint = Checkpoint::random();
  const std::int64_t side = arguments.base / 16;
  const at::Tensor latents =
      at::randn({1, config.vae.latent_channels, side, side}, at::TensorOptions().dtype(at::kFloat).device(device));
  at::Tensor first;
  for (const bool kernels : {false, true}) {
    for (const bool benchmark : {false, true}) {
      for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
        use_kernels(kernels);
        at::globalContext().setBenchmarkCuDNN(benchmark);
        release_memory();
        reset_peak_memory(device);
        at::manual_seed(1);
        const VaeDecoder decoder(WeightLoader(checkpoint, type, device), config.vae);
        at::Tensor image;
        const double start = now();
        image = decoder.decode(latents);
        synchronize(device);
        const double cold = now() - start;
        const double ms = time_call([&] { image = decoder.decode(latents); }, 5);
        if (!first.defined()) first = image;
        std::printf("decoder %s, %s, %s: %.1f ms (first %.1f), peak %.1f GiB, difference %.3g of the norm\n",
                    kernels ? "kernels, channels last" : "ATen, channels first",
                    benchmark ? "cuDNN tries" : "cuDNN guesses", type == at::kHalf ? "fp16" : "bf16", ms, 1e3 * cold,
                    peak_gib(device), relative(image, first));
        start_kernel_time();
        image = decoder.decode(latents);
        synchronize(device);
        const KernelTime kernel_time = stop_kernel_time();
        if (type == at::kHalf) kernel_time.print_longest(7, 1);
      }
    }
  }
  at::globalContext().setBenchmarkCuDNN(false);
}

bool bench_error(const BenchArguments& arguments) {
  std::map<std::string, at::Tensor> expected;
  at::Tensor latents[2];
  bool good = true;
  const auto ends = [](const std::string& name, const std::string& end) {
    return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
  };
  for (const Precision precision : {Precision::plain, Precision::fp8}) {
    release_memory();
    const bool small = precision == Precision::fp8;
    const RandomModel model(arguments, precision);
    const Request request = model.request(arguments.base, arguments.steps);
    const PlannedRequest planned(model.folder(), *model.folder().encoder, request);
    const auto loop = model.denoiser(request, model.generator().compute());
    const Probe probe = [&](const std::string& name, const at::Tensor& value) {
      const bool chosen = ends(name, "topk_index");
      bool wanted = chosen || name == "velocity";
      for (const char* end : {"query", "key", "attn_out", "mlp_out", "shared_mlp_out", ".out"})
        wanted = wanted || ends(name, end);
      if (!wanted) return;
      const at::Tensor found =
          chosen ? std::get<0>(value.sort(-1)).to(at::kCPU) : value.to(at::kCPU, at::kFloat).clone();
      if (!small) {
        expected[name] = found;
      } else if (chosen) {
        std::printf("  %-28s %9.4f of the choices differ\n", name.c_str(),
                    found.ne(expected.at(name)).to(at::kFloat).mean().item<double>());
      } else {
        const double error = relative(found, expected.at(name));
        const bool ok = error <= layer_limit;
        std::printf("  %-28s %9.4f of the norm, limit %.2f%s\n", name.c_str(), error, layer_limit, ok ? "" : "  FAIL");
        good = good && ok;
      }
    };
    loop->start(model.generator().noise(planned.plan(), 1));
    loop->first_step(probe);
    for (std::int32_t step = 1; step < planned.plan().steps; ++step) loop->later_step();
    latents[small ? 1 : 0] = loop->latents().clone();
  }
  const double error = relative(latents[1], latents[0]);
  good = good && error <= loop_limit;
  std::printf("fp8 against bf16, %d layers, %d steps: latents differ by %.4f of the norm, limit %.2f%s\n",
              arguments.layers, arguments.steps, error, loop_limit, error <= loop_limit ? "" : "  FAIL");
  return good;
}

}  // namespace hunyuan_generate
