// SPDX-License-Identifier: MIT
// hunyuan-generate-bench-enlarge: what pictures beyond the trained scale cost, beside what their plan says, with random
// weights in the published shape, image encoder and decoder included.
#include "adapter/adapter.hpp"
#include "pipeline/vae_tiles.hpp"
#include "tools/bench.hpp"

namespace hunyuan_generate {
namespace {

namespace hr = hunyuan_reso;

struct Arguments {
  std::int32_t layers = 8, steps = 20, tiles_at_once = 1;
  double strength = 0.35;
  bool small = false, latent = false, no_graph = false;
  std::vector<std::string> targets;
};

// `small`: for trying the program on a CPU.
ModelConfig shape_of(const Arguments& a) {
  ModelConfig config = published_shape(a.layers, a.small ? 64 : 4096, Coder::both);
  if (!a.small) return config;
  config.heads = 4;
  config.key_value_heads = 2;
  config.head_dim = 16;
  config.layers.assign(static_cast<std::size_t>(a.layers), {false, 8, 2, 48, 48});
  config.patch_embed_hidden_dim = 32;
  config.image_base_size = 256;
  config.vae.block_out_channels = {32, 32, 32, 64, 64};
  config.vae.layers_per_block = 1;
  return config;
}

class EnlargeBench {
 public:
  EnlargeBench(const Arguments& arguments, at::Device device)
      : arguments_(arguments),
        device_(device),
        random_(shape_of(arguments), {device}, Precision::plain, Parallel::alone(), !arguments.no_graph) {
    std::printf("weights: %d layers and the image coder, %.1f GiB reserved, made in %.1f s\n", arguments.layers,
                peak_gib(device_), random_.seconds());
  }

  void run() {
    calibrate();
    std::printf("%-11s %6s %6s | %8s %8s %7s | %8s %8s | %8s %8s | %8s %8s | %6s\n", "target", "tiles", "calls",
                "plan s", "took s", "off", "loop:", "took", "encoder:", "took", "decoder:", "took", "GiB");
    for (const std::string& target : arguments_.targets) measure(target);
  }

 private:
  [[nodiscard]] Request request_for(hr::Resolution target) const {
    Request request = random_.request(folder_.profile.trained_base_size, arguments_.steps);
    request.seed = 1;
    request.precision = device_.is_cpu() ? hr::Precision::fp32 : hr::Precision::bf16;
    request.target = Target{target, {}, {}, arguments_.strength, arguments_.latent, arguments_.tiles_at_once};
    return request;
  }

  // The device's rates at the trained size: of the steady step, and of the image coder with one tile. Each runs once
  // before it is timed.
  void calibrate() {
    const std::int32_t side = folder_.profile.trained_base_size, cell = folder_.profile.vae_downsample_height;
    const Request request = request_for({side, side});
    (void)generator_.generate(request);
    const Outcome outcome = generator_.generate(request);
    const std::vector<double>& steps = outcome.times.steps;
    const std::vector<double> steady(steps.begin() + (steps.size() > 2 ? 2 : 1), steps.end());
    rates_.flop_per_second = outcome.plan.later_step_flop / median(steady);
    const hr::TileLayout one = require(hr::TileLayout::create({side, side}, {side, side}, 0, cell), "one tile");
    const Model& model = generator_.model();
    const at::Tensor latents = generator_.noise(outcome.plan, 1), pixels = outcome.pictures.front();
    const auto decode = [&] {
      (void)decode_tiles(one, cell, latents, [&](const at::Tensor& tile) { return model.vae_decoder->decode(tile); });
    };
    const auto encode = [&] {
      (void)encode_tiles(one, cell, pixels, [&](const at::Tensor& image) {
        return model.vae_encoder->moments(image.to(device_, model.options.vae_dtype), {});
      });
    };
    const auto rate = [&](const auto& work) {
      work();
      const double start = now();
      work();
      return static_cast<double>(side) * side / (now() - start);
    };
    rates_.decoded_pixels_per_second = rate(decode);
    rates_.encoded_pixels_per_second = rate(encode);
    std::printf("at the trained size: step %.4f s, %.1f TFLOP/s; decoder %.3f MP/s, encoder %.3f MP/s\n",
                median(steady), rates_.flop_per_second / 1e12, rates_.decoded_pixels_per_second / 1e6,
                rates_.encoded_pixels_per_second / 1e6);
  }

  void measure(const std::string& text) {
    const auto size = require(hr::parse_image_size(text, folder_.profile), "--targets");
    const Request request = request_for(size.size);
    const PlannedRequest planned(folder_, *folder_.encoder, request);
    const hr::EnlargementPlan& plan = *planned.enlargement();
    const double loop_plan = planned.enlargement_seconds({rates_.flop_per_second, 0, 0});
    const double decode_plan = planned.enlargement_seconds({0, rates_.decoded_pixels_per_second, 0});
    const double encode_plan = planned.enlargement_seconds({0, 0, rates_.encoded_pixels_per_second});
    const double seconds = planned.enlargement_seconds(rates_);
    release_memory();
    reset_peak_memory(device_);
    const double start = now();
    const Outcome outcome = generator_.generate(request);
    const double took = now() - start;
    const double peak = peak_gib(device_);
    const int tiles = plan.is_refined ? plan.tiles.size() : 0;
    std::printf("%-11s %6d %6lld | %8.2f %8.2f %+6.1f%% | %8.2f %8.2f | %8.2f %8.2f | %8.2f %8.2f | %6.1f\n",
                text.c_str(), tiles, static_cast<long long>(plan.model_calls), seconds, took,
                100 * (seconds / took - 1), loop_plan, outcome.loop_seconds, encode_plan, outcome.encode_seconds,
                decode_plan, outcome.decode_seconds, peak);
    print_json({{"bench", "enlarge"},
                {"target", text},
                {"layers", arguments_.layers},
                {"steps", arguments_.steps},
                {"tiles", tiles},
                {"tiles_at_once", plan.tiles_at_once},
                {"calls", plan.model_calls},
                {"plan_s", seconds},
                {"took_s", took},
                {"loop_plan_s", loop_plan},
                {"loop_s", outcome.loop_seconds},
                {"encode_plan_s", encode_plan},
                {"encode_s", outcome.encode_seconds},
                {"decode_plan_s", decode_plan},
                {"decode_s", outcome.decode_seconds},
                {"peak_gib", peak},
                {"flops", rates_.flop_per_second}});
  }

  Arguments arguments_;
  at::Device device_;
  RandomModel random_;
  const Folder& folder_ = random_.folder();
  const Generator& generator_ = random_.generator();
  Rates rates_;
};

}  // namespace
}  // namespace hunyuan_generate

int main(int count, char** values) {
  hunyuan_generate::Program program(
      "What pictures beyond the trained scale cost, with random weights in the published shape.",
      "hunyuan-generate-bench-enlarge");
  program.devices = "0";
  hunyuan_generate::Arguments arguments;
  CLI::App& app = program.app;
  app.add_option("--layers", arguments.layers, "Decoder layers; 32 in the published model")->capture_default_str();
  app.add_option("--steps", arguments.steps, "Steps of the schedule")
      ->check(CLI::Range(3, 1000))
      ->capture_default_str();
  app.add_option("--strength", arguments.strength, "Share of them that refines")->capture_default_str();
  app.add_option("--tiles-at-once", arguments.tiles_at_once, "Most tiles in a call")->capture_default_str();
  app.add_option("--targets", arguments.targets, "HEIGHTxWIDTH .. (1, 2, 4, 8 and 16 megapixels)");
  app.add_option("--device", program.devices, "A GPU's number, or cpu")->capture_default_str();
  app.add_flag("--latent", arguments.latent, "Enlarge the latents in place of the picture");
  app.add_flag("--no-graph", arguments.no_graph, "Do not capture the steady call in a CUDA graph");
  app.add_flag("--small", arguments.small, "A small network, for trying the program");
  return program.run(count, values, [&] {
    if (arguments.targets.empty())
      arguments.targets = {"1024x1024", "1080x1920", "1440x2560", "2160x3840", "4096x4096"};
    const at::Device device = hunyuan_generate::parse_devices("--device", program.devices).front();
    hunyuan_generate::prepare_device(device);
    hunyuan_generate::EnlargeBench(arguments, device).run();
    return true;
  });
}
